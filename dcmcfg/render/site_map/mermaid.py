"""Write the map of a site as a flowchart for Mermaid, which wikis and Git servers draw."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.labels import describe_edges, find_worst_severity, format_severity_counts
from dcmcfg.topology.edge_kinds import EdgeKind, ObjectFlow
from dcmcfg.topology.graph import Node, NodeKind
from dcmcfg.topology.grouping import ArchiveBlock, PeerGroup
from dcmcfg.topology.site_map import SiteMap

#: Characters with a meaning in a quoted label, written as the numbers of their code points.
_SPECIAL = re.compile(r"[\"#&<>`;|{}\[\]\\]")
_MAXIMUM_NAMES = 8
_CLASSES = (
    "classDef error stroke:#bf2329,stroke-width:3px",
    "classDef warning stroke:#8a5a00,stroke-width:3px",
    "classDef note stroke:#1a659f,stroke-width:2px",
    "classDef unknown stroke-dasharray:4 3",
)


def render_mermaid(site_map: SiteMap) -> Iterator[str]:
    """Yield the lines of the flowchart. Nodes are the groups of the picture; a solid arrow shows where objects go."""
    grouped = site_map.grouped
    blocks = {id(block): f"b{number}" for number, block in enumerate(_list_blocks(grouped.archives))}
    yield f"---\ntitle: {_quote(site_map.title)}\n---\nflowchart LR\n"
    for number, archive in enumerate(grouped.archives):
        yield f"  subgraph archive{number}[{_quote(archive[0].nodes[0].name)}]\n"
        for block in archive:
            opening, closing = ("[(", ")]") if block.kind is NodeKind.STORAGE else ("[", "]")
            yield f"    {blocks[id(block)]}{opening}{_quote_lines(_describe_block(block))}{closing}\n"
        yield "  end\n"
    for number, group in enumerate(grouped.groups):
        yield f"  g{number}[{_quote_lines(_describe_group(group))}]\n"
        for link in group.links:
            is_source = link.edges[0].source in {node.id for node in group.members}
            ends = (f"g{number}", blocks[id(link.block)]) if is_source else (blocks[id(link.block)], f"g{number}")
            yield _render_edge(link.kind, *ends, label=describe_edges(link.kind, link.edges))
    for storage_link in grouped.storage_links:
        ends = blocks[id(storage_link.block)], blocks[id(storage_link.storage)]
        yield _render_edge(EdgeKind.STORAGE, *ends, label=EdgeKind.STORAGE.label)
    yield from (f"  {line}\n" for line in _CLASSES)
    parts = [(f"g{number}", group.members) for number, group in enumerate(grouped.groups)]
    parts += [(blocks[id(block)], block.nodes) for block in _list_blocks(grouped.archives)]
    yield from _render_marks(site_map, parts)


def _list_blocks(archives: Iterable[Iterable[ArchiveBlock]]) -> list[ArchiveBlock]:
    return [block for archive in archives for block in archive]


def _render_edge(kind: EdgeKind, source: str, target: str, *, label: str) -> str:
    if kind.object_flow is ObjectFlow.TO_SOURCE:
        source, target = target, source
    arrow = "-.->" if kind.object_flow is ObjectFlow.NONE else "-->"
    return f"  {source} {arrow}|{_quote(label)}| {target}\n"


def _describe_block(block: ArchiveBlock) -> list[str]:
    if block.kind is NodeKind.ARCHIVE:
        return ["device settings"]
    services = ", ".join(service.label for service in block.nodes[0].services)
    return [*_limit_names(block.nodes), *([services] if services else [])]


def _describe_group(group: PeerGroup) -> list[str]:
    if len(group.members) == 1:
        return [group.members[0].name]
    return [f"{group.title} ({len(group.members)})", *_limit_names(group.members)]


def _limit_names(nodes: Iterable[Node]) -> list[str]:
    names = [node.name for node in nodes]
    more = len(names) - _MAXIMUM_NAMES
    return [*names[:_MAXIMUM_NAMES], *([f"and {more} more"] if more > 0 else [])]


def _render_marks(site_map: SiteMap, parts: Iterable[tuple[str, tuple[Node, ...]]]) -> Iterator[str]:
    for name, nodes in parts:
        found = [each for node in nodes for each in site_map.findings.by_node.get(node.id, ())]
        severity = find_worst_severity(found)
        if severity is not None:
            yield f"  class {name} {severity}\n"
            yield f"  %% {name}: {format_severity_counts(found)}\n"
        if any(node.kind is NodeKind.UNKNOWN_AE for node in nodes):
            yield f"  class {name} unknown\n"


def _quote_lines(lines: Iterable[str]) -> str:
    return '"' + "<br>".join(map(_escape, lines)) + '"'


def _quote(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", escape_unprintable(text))
