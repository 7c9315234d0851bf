"""The formats of a map: SVG, Mermaid, JSON and the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from dcmcfg.lint.linter import lint
from dcmcfg.model.tree import Tree
from dcmcfg.render.html.site_map_page import MapSource, render_site_map_page
from dcmcfg.render.site_map.mermaid import render_mermaid
from dcmcfg.render.site_map.objects import site_map_json
from dcmcfg.render.site_map.picture import render_picture
from dcmcfg.topology.site_map import SiteMap, build_site_map
from tests.render.site_map.test_layout import HOSTILE, build_several_archives
from tests.topology.hospital import build_hospital
from tests.topology.sites import exporter, peer, site
from tests.topology.test_site_map import NOW

SVG = "{http://www.w3.org/2000/svg}"
SOURCE = MapSource(HOSTILE, datetime(2026, 1, 2, tzinfo=UTC))
#: Lines of a flowchart, as Mermaid 11 parses them.
ID = r"(?:[bg]\d+|archive\d+)"
QUOTED = r'"[^"#<>`{}\[\]|;\\&]*(?:(?:#\d+;|<br>)[^"#<>`{}\[\]|;\\&]*)*"'
MERMAID = re.compile(
    rf"---|title: {QUOTED}|flowchart LR|  end|  subgraph {ID}\[{QUOTED}\]| +{ID}(?:\[{QUOTED}\]|\[\({QUOTED}\)\])"
    rf"|  {ID} (?:-->|-\.->)\|{QUOTED}\| {ID}|  class {ID} (?:error|warning|note|unknown)|  %% [\w ,:]+"
    r"|  classDef \w+ [\w:#,\- ]+"
)


def draw_map(tree: Tree) -> SiteMap:
    return build_site_map(tree, lint(tree, NOW))


@pytest.fixture(scope="module", params=[site, build_several_archives, build_hospital], ids=lambda each: each.__name__)
def site_map(request: pytest.FixtureRequest) -> SiteMap:
    return draw_map(request.param())


# -- SVG


def test_the_picture_is_well_formed_and_has_each_node_once(site_map: SiteMap) -> None:
    root = ET.fromstring("".join(render_picture(site_map, subtitle=HOSTILE)))
    drawn = [each.attrib["data-node"] for each in root.iter() if "data-node" in each.attrib]
    assert sorted(drawn) == sorted(node.id for node in site_map.topology.nodes)
    assert not list(root.iter(f"{SVG}script"))
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        "svg", "title", "style", "g", "rect", "path", "circle", "text"
    }  # fmt: skip


def test_the_picture_loads_nothing_and_needs_no_variables(site_map: SiteMap) -> None:
    text = "".join(render_picture(site_map, subtitle=""))
    assert re.findall(r"(?:href|src|url\()[^>]{0,20}|@import|var\(|on\w+=\"", text) == []
    assert re.findall(r"https?://[^\s\"<]*", text) == ["http://www.w3.org/2000/svg"]


def test_a_tooltip_has_the_edges_and_the_findings_of_its_node() -> None:
    found = draw_map(site(*peer("VNA", "ARCHIVE"), exporter("VNA", "dicom:VNA"), exporter("X", "dicom:NOBODY")))
    root = ET.fromstring("".join(render_picture(found)))
    titles = {
        each.attrib["data-node"]: each.findtext(f"{SVG}title") or ""
        for each in root.iter(f"{SVG}g")
        if "data-node" in each.attrib
    }
    assert "DCM4CHEE → VNA: export (dcmURI of VNA)" in titles["ae:vna/VNA"].splitlines()
    assert "no AE has the title NOBODY" in titles["unknown:NOBODY"]


# -- Mermaid


def test_each_line_of_the_flowchart_is_valid(site_map: SiteMap) -> None:
    for line in "".join(render_mermaid(site_map)).splitlines():
        assert MERMAID.fullmatch(line), line


def test_the_flowchart_of_300_aes_is_within_the_limits_of_mermaid() -> None:
    text = "".join(render_mermaid(draw_map(build_hospital())))
    # Its defaults of maxTextSize and maxEdges.
    assert len(text) < 50_000
    assert 0 < len(re.findall(r"-->\||-\.->\|", text)) < 500


def test_arrows_of_a_flowchart_show_where_objects_go() -> None:
    text = "".join(render_mermaid(draw_map(site(*peer("VNA", "ARCHIVE"), exporter("VNA", "dicom:VNA"), **FALLBACK))))
    assert '  b1 -->|"export: VNA"| g0\n' in text
    assert '  g0 -->|"fallback C-MOVE"| b0\n' in text
    assert '  g0 -.->|"may query and retrieve"| b2\n' in text


FALLBACK = {"dcmFallbackCMoveSCP": "VNA"}


# -- JSON


def test_the_ends_of_all_edges_are_nodes(site_map: SiteMap) -> None:
    found = json.loads(json.dumps(site_map_json(site_map)))
    ids = [node["id"] for node in found["nodes"]]
    assert len(ids) == len(set(ids))
    assert {end for edge in found["edges"] for end in (edge["source"], edge["target"])} <= set(ids)


def test_the_keys_of_nodes_edges_and_findings() -> None:
    found = site_map_json(draw_map(site(exporter("VNA", "dicom:VNA"))))
    (edge,) = (each for each in found["edges"] if each["kind"] == "export")
    assert edge == {
        "kind": "export",
        "label": "export",
        "object_flow": "to_target",
        "source": "ae:dcm4chee-arc/DCM4CHEE",
        "target": "unknown:VNA",
        "dn": "dcmExporterID=VNA,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org",
        "attribute": "dcmURI",
        "attribute_label": "Exporter URI",
        "configured_by": "VNA",
        "rules": [],
        "assumed": False,
    }
    (node,) = (each for each in found["nodes"] if each["id"] == "unknown:VNA")
    assert (node["kind"], node["role"], node["dn"]) == ("unknown_ae", "unknown", None)
    assert [each["message"] for each in node["findings"]] == ["no AE has the title VNA"]
    assert found["archives"] == ["dcm4chee-arc"]
    assert (found["around"], found["checked"]) == (None, True)


# -- HTML


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._open, []).append(data)


def parse_page(site_map: SiteMap) -> tuple[str, _Elements]:
    text = "".join(render_site_map_page(site_map, SOURCE))
    parser = _Elements()
    parser.feed(text)
    return text, parser


def test_the_page_loads_nothing_and_runs_only_its_own_script(site_map: SiteMap) -> None:
    text, parser = parse_page(site_map)
    assert not [each for each in parser.attributes if each[1] in ("src", "href", "srcset", "action", "data")]
    assert not [each for each in parser.attributes if each[1].startswith("on")]
    assert re.findall(r"(?:url\(|@import)[^)]*", text) == []
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (
        value for tag, name, value in parser.attributes if tag == "meta" and name == "content" and "'" in value
    )
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert text.count("<script") == 2  # the script, and the data for it
    assert "innerHTML" not in script


def test_hostile_values_are_text_and_the_data_stay_whole() -> None:
    text, _ = parse_page(draw_map(build_several_archives()))
    assert "<script>alert" not in text
    assert "\x1b" not in text
    (data,) = re.findall(r'<script type="application/json" id="map-data">(.*?)</script>', text, re.DOTALL)
    assert HOSTILE in {node["name"] for node in json.loads(data)["nodes"]}


def test_the_page_has_a_place_for_each_node_of_its_data(site_map: SiteMap) -> None:
    text, parser = parse_page(site_map)
    (data,) = re.findall(r'<script type="application/json" id="map-data">(.*?)</script>', text, re.DOTALL)
    places = {value for _, name, value in parser.attributes if name == "data-node"}
    buttons = {value for _, name, value in parser.attributes if name == "data-pick"}
    assert {node["id"] for node in json.loads(data)["nodes"]} == places == buttons


def test_findings_have_their_fix_on_the_page() -> None:
    text, _ = parse_page(draw_map(site(exporter("VNA", "dicom:VNA"))))
    words = re.sub(r"<[^>]*>\s*", "|", text[text.index("<h2>Findings") :])
    assert "no AE has the title VNA" in words
    assert "dcmcfg ae add VNA@HOST:PORT" in words
