"""Print the map of a site on the terminal: the AEs of the archive, and who exchanges what with them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.labels import (
    describe_edges,
    find_worst_severity,
    format_severity_counts,
    list_purposes,
    list_rule_names,
)
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.render.terminal.styles import SEVERITY_STYLES
from dcmcfg.render.terminal.table import Column, Row, WrapMode, print_table
from dcmcfg.suggestions import join_limited
from dcmcfg.topology.edge_kinds import EdgeKind, ObjectFlow
from dcmcfg.topology.graph import Node, NodeKind
from dcmcfg.topology.grouping import PeerGroup
from dcmcfg.topology.site_map import SiteMap

_AES = (
    Column("AE of the archive"),
    Column("Services", WrapMode.AT_SPACES),
    Column("Callers"),
    Column("Storages"),
    Column("Findings"),
)
_EDGES = (Column("From → to", WrapMode.AT_SPACES), Column("Purpose", WrapMode.AT_SPACES), Column("Set by"))
_MAXIMUM_NAMES = 4


def print_site_map(console: Console, site_map: SiteMap) -> None:
    """Print *site_map*: the AEs of the archives, and the edges of each group of systems."""
    print_line(console, site_map.title)
    aes = [node for node in site_map.topology.nodes if node.kind is NodeKind.ARCHIVE_AE]
    if aes:
        print_table(console, _AES, [_build_ae_row(site_map, node) for node in aes], blank_above=True)
    rows = [row for group in site_map.grouped.groups for row in _build_edge_rows(site_map, group)]
    if rows:
        print_table(console, _EDGES, rows, blank_above=not aes)
    for node in aes:
        if purposes := list_purposes(site_map.topology, node):
            print_prose(console, f"The archive uses {node.name} for: {', '.join(purposes)}")
    for line in _summarise(site_map):
        print_prose(console, line)


def _build_ae_row(site_map: SiteMap, node: Node) -> Row:
    topology = site_map.topology
    storages = [
        topology.nodes_by_id[edge.target].name
        for edge in topology.edges_by_node.get(node.id, ())
        if edge.kind is EdgeKind.STORAGE and edge.source == node.id
    ]
    found = site_map.findings.by_node.get(node.id, ())
    severity = find_worst_severity(found)
    counts = Text(format_severity_counts(found), style=SEVERITY_STYLES[severity] if severity else "")
    return (
        escape_unprintable(node.name),
        ", ".join(service.label for service in node.services) or "none",
        f"{len(node.accepted_callers)} accepted" if node.accepted_callers else "any",
        escape_unprintable(", ".join(dict.fromkeys(storages))),
        counts,
    )


def _build_edge_rows(site_map: SiteMap, group: PeerGroup) -> Iterator[Row]:
    """Yield a row for each kind of edges of *group*; a row without a kind for a group without edges."""
    name = _name_group(site_map, group)
    if not group.kinds:
        yield escape_unprintable(name), "none", ""
    for kind, members in group.kinds.items():
        links = [link for link in group.links if link.kind is kind]
        edges = group.list_edges(kind)
        parts = join_limited([node.name for link in links for node in link.block.nodes], _MAXIMUM_NAMES)
        is_source = edges[0].source in {node.id for node in group.members}
        # As in the picture, objects go from left to right, or requests if no objects follow.
        is_first = is_source if kind.object_flow is not ObjectFlow.TO_SOURCE else not is_source
        ends = f"{name} → {parts}" if is_first else f"{parts} → {name}"
        share = f": {len(members)} of {len(group.members)}" if len(members) < len(group.members) else ""
        rules = list_rule_names(kind, edges)
        purpose = f"{describe_edges(kind, edges)}{share}{f' ({rules})' if rules else ''}"
        # The purpose of a permission already shows whether an access list restricts it.
        attributes = [] if kind.is_permission else [edge.attribute for edge in edges if edge.attribute]
        yield escape_unprintable(ends), escape_unprintable(purpose), ", ".join(dict.fromkeys(attributes))


def _name_group(site_map: SiteMap, group: PeerGroup) -> str:
    """Return the name of the only member, or the title with the number of members, and the findings there."""
    found = [each for node in group.members for each in site_map.findings.by_node.get(node.id, ())]
    counts = format_severity_counts(found)
    if len(group.members) > 1:
        return f"{group.title} ({', '.join(filter(None, (str(len(group.members)), counts)))})"
    node = group.members[0]
    notes = ", ".join(filter(None, ("unknown" if node.kind is NodeKind.UNKNOWN_AE else "", counts)))
    return f"{node.name} ({notes})" if notes else node.name


def _summarise(site_map: SiteMap) -> Iterator[str]:
    counts: dict[str, int] = {}
    for group in site_map.grouped.groups:
        title = f"{group.title[0].lower()}{group.title[1:]}"
        counts[title] = counts.get(title, 0) + len(group.members)
    systems = ", ".join(f"{title}: {count}" for title, count in counts.items())
    yield f"Archives: {len(site_map.topology.archives)}{f', {systems}' if systems else ''}"
    if not site_map.is_checked:
        yield "Not checked (--no-check)."
    elif site_map.all_findings:
        yield f"Findings: {format_severity_counts(site_map.all_findings)}. To list the findings, run dcmcfg check."
    else:
        yield "No findings."
