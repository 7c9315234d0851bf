"""Render the map of a site as one web page: the picture, a search, the details of a node, findings and AEs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

from dcmcfg.printable import format_count
from dcmcfg.render.html.page import (
    PageHead,
    escape_html,
    render_banner,
    render_definition_list,
    render_page,
    render_table,
)
from dcmcfg.render.report import Rating
from dcmcfg.render.site_map.labels import describe_node, describe_place, format_severity_counts
from dcmcfg.render.site_map.objects import site_map_json
from dcmcfg.render.site_map.picture import render_picture
from dcmcfg.schema.findings import EntryFinding, format_fix
from dcmcfg.topology.graph import Node
from dcmcfg.topology.site_map import SiteMap

#: Of very many findings, the page has the first; ``dcmcfg check`` lists all.
_MAXIMUM_FINDINGS = 300
_RATINGS: dict[str, Rating] = {"error": "bad", "warning": "open", "note": "fair"}


@dataclass(frozen=True)
class MapSource:
    """Where the configuration of a map comes from, as a URL or the name of a file, and when it was read."""

    name: str
    created: datetime


def render_site_map_page(site_map: SiteMap, source: MapSource) -> Iterator[str]:
    """Yield the self-contained document; all text is escaped. Its only script searches, and shows details."""
    head = PageHead(site_map.title, command="dcmcfg map", created=source.created, script=_read_script())
    yield from render_page(head, _render_body(site_map, source))


def _read_script() -> str:
    return resources.files(__package__).joinpath("site_map.js").read_text("utf-8")


def _render_body(site_map: SiteMap, source: MapSource) -> Iterator[str]:
    yield f"<style>{_STYLES}</style>\n"
    yield render_banner(site_map.title, "plain")
    yield from render_definition_list(_list_facts(site_map, source))
    yield (
        '<div class="map-tools"><label for="map-search">Find an AE, a device, a host or a type</label>'
        '<input id="map-search" type="search" autocomplete="off" spellcheck="false">'
        '<span id="map-status" class="soft" role="status"></span><div id="map-matches"></div></div>\n'
    )
    yield '<div class="map-layout"><div class="map-view" tabindex="0">\n'
    yield from render_picture(site_map)
    yield '</div>\n<aside id="map-details" aria-live="polite" hidden></aside></div>\n'
    yield from _render_findings(site_map)
    yield from _render_systems(site_map)
    yield f'<script type="application/json" id="map-data">{_format_data(site_map)}</script>\n'


def _list_facts(site_map: SiteMap, source: MapSource) -> Iterator[tuple[str, str]]:
    yield "Source", source.name
    groups: dict[str, int] = {}
    for group in site_map.grouped.groups:
        groups[group.title] = groups.get(group.title, 0) + len(group.members)
    yield "Systems", ", ".join(f"{title[0].lower()}{title[1:]}: {count}" for title, count in groups.items())
    if site_map.is_checked:
        yield "Findings", format_severity_counts(site_map.all_findings) or "none"
    else:
        yield "Findings", "not checked (--no-check)"


def _render_findings(site_map: SiteMap) -> Iterator[str]:
    findings = site_map.all_findings
    if not findings:
        return
    yield f"<h2>Findings ({len(findings)})</h2>\n"
    yield from render_table(
        ("Severity", "Where", "Attribute", "Problem", "Fix"),
        (_build_finding_row(site_map, each) for each in findings[:_MAXIMUM_FINDINGS]),
    )
    if len(findings) > _MAXIMUM_FINDINGS:
        yield f"<p>{format_count(len(findings) - _MAXIMUM_FINDINGS, 'more finding')}: run dcmcfg check.</p>\n"


def _build_finding_row(site_map: SiteMap, finding: EntryFinding) -> Sequence[str | tuple[str, str]]:
    nodes = [node_id for node_id, found in site_map.findings.by_node.items() if finding in found]
    names = ", ".join(site_map.topology.nodes_by_id[each].name for each in nodes[:3])
    fix = f"dcmcfg {shlex.join(finding.fix_command)}" if finding.fix_command else format_fix(finding)
    return (
        (finding.severity, f"is-{_RATINGS[finding.severity]}"),
        names or str(finding.dn.rdn),
        (finding.attribute, "code") if finding.attribute else "",
        finding.message,
        fix,
    )


def _render_systems(site_map: SiteMap) -> Iterator[str]:
    """Yield a list of all nodes, closed at first: on a phone, it is easier to read than the picture."""
    nodes = site_map.topology.nodes
    yield f'<h2>Systems</h2>\n<details class="systems"><summary>All {len(nodes)}, by role</summary>\n<ul>\n'
    for node in nodes:
        yield f"<li>{_render_node(node)}</li>\n"
    yield "</ul>\n</details>\n"


def _render_node(node: Node) -> str:
    facts = " · ".join(filter(None, (describe_node(node), describe_place(node), node.description)))
    return (
        f'<button type="button" class="link-button" data-pick="{escape_html(node.id)}">{escape_html(node.name)}'
        f'</button> <span class="soft">{escape_html(facts)}</span>'
    )


def _format_data(site_map: SiteMap) -> str:
    """Return the map as JSON for an element of the page: without ``<``, which could end the element."""
    data = site_map_json(site_map)
    for node, each in zip(data["nodes"], site_map.topology.nodes, strict=True):
        node["summary"] = describe_node(each)
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_STYLES = """
body { max-width: 1500px }
.map-tools { display: flex; flex-wrap: wrap; gap: .4rem .7rem; align-items: baseline; margin: 1.2rem 0 .6rem }
.map-tools input { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; padding: .3rem .6rem; width: min(26rem, 100%) }
.map-tools input:focus-visible, .link-button:focus-visible { outline: 2px solid var(--accent) }
#map-matches { flex-basis: 100%; display: flex; flex-wrap: wrap; gap: .1rem .8rem }
html:not(.has-script) .map-tools { display: none }
.link-button { font: .92em ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; color: var(--accent);
  background: none; border: 0; padding: .1rem 0; cursor: pointer; text-decoration: underline; overflow-wrap: anywhere;
  text-align: left }
html:not(.has-script) .link-button { color: inherit; text-decoration: none; cursor: text }
.map-view { overflow: auto; border: 1px solid var(--line); border-radius: 6px }
.map-view:focus-visible { outline: 2px solid var(--accent) }
.map-view svg.map { width: 100%; height: auto; margin: 0 auto }
.has-script .map [data-node] { cursor: pointer }
.map [data-node]:focus-visible { outline: none }
.map .picked > .hit, .map [data-node]:focus-visible > .hit { stroke: var(--accent); stroke-width: 2 }
.map.dimmed .link, .map.dimmed .box[data-group], .map.dimmed .node { opacity: .18 }
.map.dimmed .lit, .map.dimmed .node.archive { opacity: 1 } .map.dimmed .box.lit { opacity: 1 }
.map .link.lit .edge { stroke-width: 2.6 }
.map-layout { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 1rem; align-items: start }
#map-details { position: sticky; top: 1rem; width: 23rem; max-height: calc(100vh - 2rem); overflow: auto;
  background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem }
#map-details h2 { margin: 0 0 .4rem; font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;
  overflow-wrap: anywhere }
#map-details dl { grid-template-columns: fit-content(40%) 1fr; font-size: .9em } #map-details ul { padding-left: 0;
  list-style: none; font-size: .9em } #map-details li { padding: .25rem 0; border-bottom: 1px solid var(--line) }
#map-details .close { float: right; font: inherit; color: var(--accent); background: none;
  border: 1px solid var(--line); border-radius: 6px; padding: .1rem .7rem; cursor: pointer }
#map-details article.is-warning { border-color: var(--open) } #map-details article.is-note { border-color: var(--fair) }
#map-details code { display: block }
.systems ul { padding-left: 0; list-style: none; columns: 22rem auto } .systems li { break-inside: avoid;
  padding: .1rem 0 } .systems .soft { font-size: .87em }
@media screen and (max-width: 860px) { .map-view { max-height: 75vh } .map-layout { display: block }
  #map-details { position: fixed; z-index: 1; top: auto; right: 0; left: 0; bottom: 0; width: auto; max-height: 55vh;
    border-radius: 10px 10px 0 0; box-shadow: 0 -4px 24px rgb(0 0 0 / .3) } }
@media print { .map-tools, #map-details { display: none } .map-view { border: 0; overflow: visible }
  .map-view svg.map { width: auto; min-width: 0 !important; max-width: 100% !important; max-height: 76vh }
  .systems:not([open]) { display: none } h2:has(+ .systems:not([open])) { display: none } }
"""
