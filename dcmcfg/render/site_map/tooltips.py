"""Describe a node with its edges and findings in a few lines, for the tooltips of a picture.

Kept apart: the page shows these details in a form of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.site_map.labels import describe_node, describe_place
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.graph import Edge, Topology

_MAXIMUM_LINES = 12


def describe_details(topology: Topology, node_id: str, findings: Sequence[EntryFinding]) -> str:
    """Return the lines about the node *node_id*; the findings come first, and of many edges only some are listed."""
    node = topology.nodes_by_id[node_id]
    lines = [f"{node.name}: {describe_node(node)}", describe_place(node), node.description]
    lines += [f"{finding.severity}: {finding.message}" for finding in findings]
    edges = list(dict.fromkeys(_describe_edges(topology, node_id)))
    lines += edges[:_MAXIMUM_LINES]
    if len(edges) > _MAXIMUM_LINES:
        lines.append(f"… and {len(edges) - _MAXIMUM_LINES} more")
    return "\n".join(escape_unprintable(line) for line in lines if line)


def _describe_edges(topology: Topology, node_id: str) -> Iterator[str]:
    for edge in topology.edges_by_node.get(node_id, ()):
        yield describe_edge(topology, edge)


def describe_edge(topology: Topology, edge: Edge) -> str:
    """Return *edge* in one line: ``DCM4CHEE → LONGTERM: export (dcmURI of LONGTERM)``."""
    source, target = (topology.nodes_by_id[end].name for end in (edge.source, edge.target))
    origin = f" of {edge.via}" if edge.via else ""
    reason = f" ({edge.attribute}{origin})" if edge.attribute else ""
    return f"{source} → {target}: {edge.kind.label}{reason}"
