"""Select the surroundings of one AE in the graph of a site."""

from __future__ import annotations

from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import resolve_network_ae
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Node, NodeKind, Topology


def find_center(topology: Topology, configuration: Configuration, text: str) -> Node:
    """Return the node of the AE *text*, ``TITLE`` or ``DEVICE/TITLE``; also one that has no entry.

    Raises :class:`~dcmcfg.errors.NotFound` with similar titles, and :class:`~dcmcfg.errors.AmbiguousName`.
    """
    try:
        ae = resolve_network_ae(configuration, text)
    except NotFound:
        for node in topology.nodes:
            if node.kind is NodeKind.UNKNOWN_AE and node.name == text:
                return node
        raise
    return next(node for node in topology.nodes if node.dn == ae.entry.dn)


def select_around(topology: Topology, center: Node) -> Topology:
    """Return the part of *topology* with *center*, the nodes that have an edge with it, and their archives.

    The edges are those of *center*, and the storages of the remaining AEs.
    """
    own_edges = topology.edges_by_node.get(center.id, ())
    ids = {center.id, *(end for edge in own_edges for end in (edge.source, edge.target))}
    storage_edges = [
        edge for edge in topology.edges if edge.kind is EdgeKind.STORAGE and ids & {edge.source, edge.target}
    ]
    # A recall belongs to a storage: only with the AEs of the storage does the map show who uses it.
    if any(topology.nodes_by_id[each].kind is NodeKind.STORAGE for each in ids) or center.kind is NodeKind.ARCHIVE_AE:
        ids |= {end for edge in storage_edges for end in (edge.source, edge.target)}
    parts = [node for node in topology.nodes if node.id in ids and not node.is_peer]
    devices = {node.device for node in parts}
    nodes = tuple(
        node for node in topology.nodes if node.id in ids or (node.kind is NodeKind.ARCHIVE and node.device in devices)
    )
    kept = {node.id for node in nodes}
    edges = (
        edge
        for edge in topology.edges
        if {edge.source, edge.target} <= kept
        and (edge.kind is EdgeKind.STORAGE or center.id in (edge.source, edge.target))
    )
    return Topology(nodes, tuple(edges))
