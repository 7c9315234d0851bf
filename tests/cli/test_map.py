"""``dcmcfg map``: the site as a table, and as a picture in the format of the file's ending."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dcmcfg.ldif.writer import format_entry
from dcmcfg.model.devices import Configuration
from dcmcfg.search.completions import complete_network_aes
from dcmcfg.topology.edge_kinds import EdgeKind
from tests.cli.conftest import Run
from tests.cli.pages import assert_shows, shown_on
from tests.cli.sites import CliSite
from tests.topology.sites import exporter, peer, site

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "map.md"
#: Connections that the small site of the page does not have.
NOT_DRAWN = (EdgeKind.ALTERNATIVE, EdgeKind.PREFETCH, EdgeKind.QUERY, EdgeKind.NOTIFICATION)
SMALL = site(
    *peer("CT1", "CT", port=None),
    *peer("VNA", "ARCHIVE"),
    exporter("VNA", "dicom:VNA", dcmStgCmtSCP="VNA"),
    dcmExternalRetrieveAEDestination="DCM4CHEE",
    dcmFwdMppsDestination="RIS",
)
TABLE = """\
Site map of dcm4chee-arc

 AE of the archive   Services         Callers   Storages   Findings
 ──────────────────────────────────────────────────────────────────
 AS_RECEIVED         query/retrieve   any
 DCM4CHEE            store            any       fs1        1 error

 From → to                               Purpose                   Set by
 ───────────────────────────────────────────────────────────────────────────────────────
 VNA (1 error) → DCM4CHEE                may store
 VNA (1 error) → AS_RECEIVED             may query and retrieve
 AS_RECEIVED → VNA (1 error)             Move Destination
 DCM4CHEE → VNA (1 error)                export: VNA               dcmURI
 DCM4CHEE → VNA (1 error)                storage commitment: VNA   dcmStgCmtSCP
 dcm4chee-arc → RIS (unknown, 1 error)   notification              dcmFwdMppsDestination
 AS_RECEIVED → STORESCP                  Move Destination
 CT1 → DCM4CHEE                          may store

The archive uses DCM4CHEE for: External Retrieve AE Destination
Archives: 1, other archives: 1, names without an AE: 1, destinations: 1, modalities: 1
Findings: 3 errors, 4 warnings. To list the findings, run dcmcfg check.
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "site.ldif"
    path.write_text("".join(map(format_entry, SMALL.sorted_entries())))
    return str(path)


def test_the_table_of_a_small_site(run: Run, file: str) -> None:
    result = run("map", file)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.rstrip() for line in result.stdout.splitlines()] == TABLE.splitlines()


def test_without_a_check_no_finding_is_marked(run: Run, file: str) -> None:
    lines = run("map", file, "--no-check").stdout.splitlines()
    assert lines[-1] == "Not checked (--no-check)."
    assert not any("warning" in line for line in lines)
    found = json.loads(run("map", file, "--no-check", "--json").stdout)
    assert not found["checked"]
    assert not any(node["findings"] for node in found["nodes"])


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("site.svg", "<svg xmlns="),
        ("SITE.HTML", "<!DOCTYPE html>"),
        ("site.mmd", '---\ntitle: "Site map of dcm4chee-arc"'),
        ("site.json", '{\n  "title"'),
        ("site.txt", "Site map of dcm4chee-arc"),
        ("site", "Site map of dcm4chee-arc"),
    ],
)
def test_the_ending_of_the_file_is_its_format(run: Run, file: str, tmp_path: Path, name: str, start: str) -> None:
    result = run("map", file, "-o", str(tmp_path / name))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_the_format_may_differ_from_the_ending(run: Run, file: str, tmp_path: Path) -> None:
    assert run("map", file, "-o", str(tmp_path / "site.txt"), "--format", "svg").exit_code == 0
    root = ET.fromstring((tmp_path / "site.txt").read_text("utf-8"))
    # The heading has the file and the findings.
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Site map of dcm4chee-arc" in texts
    assert any(text.startswith(f"{file} · ") and text.endswith(" · 3 errors, 4 warnings") for text in texts)
    refused = run("map", file, "-o", str(tmp_path / "site.png"))
    assert (refused.exit_code, (tmp_path / "site.png").exists()) == (2, False)
    assert "; the known endings are .svg, .html" in refused.stderr


def test_the_surroundings_of_one_ae(run: Run, file: str) -> None:
    found = json.loads(run("map", file, "--around", "CT1", "--json").stdout)
    assert [node["name"] for node in found["nodes"]] == ["dcm4chee-arc", "DCM4CHEE", "CT1"]
    assert found["around"] == "ae:ct1/CT1"
    assert run("map", file, "--around", "RIS").stdout.splitlines()[0] == "Site map around RIS"


def test_an_unknown_ae_is_an_error_with_similar_titles(run: Run, file: str) -> None:
    result = run("map", file, "--around", "CT2")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "dcmcfg: no AE has the title CT2\n  next: did you mean ct1/CT1?\n"


def test_the_titles_are_completed() -> None:
    assert ("CT1", "AE of ct1") in list(complete_network_aes(Configuration(SMALL), "CT"))


def test_the_live_site(run: Run, site: CliSite, tmp_path: Path) -> None:
    target = tmp_path / "site.svg"
    result = run("map", "-o", str(target))
    assert (result.exit_code, result.stderr) == (0, "")
    texts = [each.text or "" for each in ET.parse(target).iter("{http://www.w3.org/2000/svg}text")]
    assert {"LONGTERM", "WORKSTATION", "fs1", "rule: Export to LONGTERM"} <= set(texts)
    assert any(text.startswith(site.slapd.url) and text.endswith("1 note") for text in texts)
    assert "dcm4chee-arc" in run("map", "--device", "dcm4chee-arc").stdout
    assert run("map", "--device", "missing").exit_code == 3


def test_the_page_shows_what_is_printed(
    run: Run,
    site: CliSite,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for each in shown_on(PAGE):
        result = run(*shlex.split(each.command)[1:])
        assert (result.exit_code, result.stderr) == (0, "")
        assert_shows(each, [line.rstrip() for line in result.stdout.splitlines()])
    assert {path.name for path in tmp_path.iterdir()} >= {"site.html", "site.ldif", "site.svg"}


def test_the_picture_of_the_page_is_that_of_this_version() -> None:
    texts = {each.text or "" for each in ET.parse(PAGE.with_suffix(".svg")).iter("{http://www.w3.org/2000/svg}text")}
    labels = {kind.label for kind in EdgeKind if kind not in (EdgeKind.INTERNAL, *NOT_DRAWN)}
    assert labels <= texts


def test_another_archive_than_the_device_is_a_peer(run: Run, file: str) -> None:
    found = json.loads(run("map", file, "--device", "vna", "--json", "--no-check").stdout)
    assert found["archives"] == ["vna"]
    assert {node["kind"] for node in found["nodes"] if node["device"] == "dcm4chee-arc"} == {"ae"}
