"""Place findings of ``dcmcfg check`` on the nodes of a site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dcmcfg.dn import NormalDN
from dcmcfg.model.tree import Tree
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.topology.graph import NodeKind, Topology


@dataclass(frozen=True)
class NodeFindings:
    """The findings of each node by its ``id``, and ``others``, which concern no node of the graph."""

    by_node: Mapping[str, tuple[EntryFinding, ...]] = field(default_factory=dict)
    others: tuple[EntryFinding, ...] = ()


def place_findings(topology: Topology, tree: Tree, findings: Iterable[EntryFinding]) -> NodeFindings:
    """Return *findings* of *tree* by the node that they concern.

    A finding about a name concerns the system of that name, a finding about an exporter or rule the system that it
    names. Any other finding concerns the nearest node at or above its entry; the device of a system concerns all its
    AEs. A finding may concern several nodes.
    """
    index = _index_nodes(topology, tree)
    named = _index_names(topology, tree)
    by_node: dict[str, list[EntryFinding]] = {}
    others = []
    for finding in findings:
        key = tree.key(finding.dn)
        ids = _find_named(finding, named.get((key, finding.attribute), {})) or _find_nodes(key, index)
        for each in ids:
            by_node.setdefault(each, []).append(finding)
        if not ids:
            others.append(finding)
    return NodeFindings({each: tuple(found) for each, found in by_node.items()}, tuple(others))


def _index_nodes(topology: Topology, tree: Tree) -> Mapping[NormalDN, tuple[str, ...]]:
    """Return the nodes that each entry concerns, by the entry's normal name."""
    found: dict[NormalDN, dict[str, None]] = {}
    for node in topology.nodes:
        for key in _list_keys(node.kind, tree.key(node.dn)) if node.dn is not None else ():
            found.setdefault(key, {})[node.id] = None
    for edge in topology.edges:
        if edge.via and edge.dn is not None:
            found.setdefault(tree.key(edge.dn), {})[edge.target] = None
    return {key: tuple(ids) for key, ids in found.items()}


def _index_names(topology: Topology, tree: Tree) -> Mapping[tuple[NormalDN, str], Mapping[str, str]]:
    """Return the targets of the edges of each attribute, by entry and attribute: id → name."""
    found: dict[tuple[NormalDN, str], dict[str, str]] = {}
    for edge in topology.edges:
        if edge.dn is not None and not edge.kind.is_permission:
            target = topology.nodes_by_id[edge.target]
            found.setdefault((tree.key(edge.dn), edge.attribute), {})[target.id] = target.name
    return found


def _find_named(finding: EntryFinding, targets: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of *targets* whose name is in the value of *finding*."""
    value = (finding.value or b"").decode("utf-8", "replace")
    return tuple(node_id for node_id, name in targets.items() if name in value)


def _list_keys(kind: NodeKind, key: NormalDN) -> Iterator[NormalDN]:
    yield key
    if kind is NodeKind.AE:
        yield key[1:]


def _find_nodes(key: NormalDN, index: Mapping[NormalDN, tuple[str, ...]]) -> tuple[str, ...]:
    return next((index[key[start:]] for start in range(len(key)) if key[start:] in index), ())
