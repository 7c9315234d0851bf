"""The graph of a site: nodes and edges, with the entries of the configuration that they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from dcmcfg.dn import DN
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.services import Service


class NodeKind(Enum):
    """The kind of a node. An unknown AE is a title that an archive uses, but that no AE of the tree has."""

    ARCHIVE = "archive"
    ARCHIVE_AE = "archive_ae"
    AE = "ae"
    UNKNOWN_AE = "unknown_ae"
    STORAGE = "storage"
    EXPORTER = "exporter"
    WEB_APPLICATION = "web_application"
    HL7_APPLICATION = "hl7_application"


class PeerRole(Enum):
    """The role of a system that exchanges objects or messages with an archive."""

    MODALITY = "modality"
    WORKSTATION = "workstation"
    ARCHIVE = "archive"
    UNKNOWN = "unknown"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node: ``id`` is unique, ``name`` is what users call it, ``device`` the name of its device.

    ``addresses`` are ``host:port`` of listening connections. ``services`` are those that an archive's AE offers.
    ``accepted_callers`` and ``accepted_destinations`` are its access lists; empty lists accept all. ``role`` is None
    for the parts of an archive.
    """

    id: str
    kind: NodeKind
    name: str
    device: str = ""
    dn: DN | None = None
    role: PeerRole | None = None
    description: str = ""
    device_types: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    installed: bool = True
    services: tuple[Service, ...] = ()
    accepted_callers: tuple[str, ...] = ()
    accepted_destinations: tuple[str, ...] = ()

    @property
    def is_peer(self) -> bool:
        """Whether the node is not a part of an archive."""
        return self.role is not None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An edge between two nodes, by their ``id``: ``source`` sends the request, and ``kind`` says which.

    ``attribute`` of the entry ``dn`` makes the edge; both are those of the access list for a permission, and None and
    empty if no access list restricts it. ``label`` is the attribute's name in the archive's web form, ``via`` the name
    of the exporter or rule with the attribute, ``rules`` those that use this exporter. A permission is ``assumed`` if
    the peer has no capabilities, so that only its role shows what it does.
    """

    kind: EdgeKind
    source: str
    target: str
    dn: DN | None = None
    attribute: str = ""
    label: str = ""
    via: str = ""
    rules: tuple[str, ...] = ()
    assumed: bool = False


@dataclass(frozen=True)
class Topology:
    """The nodes and edges of a site, each in a stable order."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def nodes_by_id(self) -> Mapping[str, Node]:
        """The nodes by their ``id``."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def edges_by_node(self) -> Mapping[str, tuple[Edge, ...]]:
        """The edges at each node that has any, by its ``id``."""
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            for end in dict.fromkeys((edge.source, edge.target)):
                found.setdefault(end, []).append(edge)
        return {end: tuple(edges) for end, edges in found.items()}

    @property
    def archives(self) -> tuple[Node, ...]:
        """The devices of the archives."""
        return tuple(node for node in self.nodes if node.kind is NodeKind.ARCHIVE)

    def list_parts(self, archive: Node) -> tuple[Node, ...]:
        """Return the AEs and storages of *archive*."""
        kinds = (NodeKind.ARCHIVE_AE, NodeKind.STORAGE)
        return tuple(each for each in self.nodes if each.kind in kinds and each.device == archive.device)

    @property
    def peers(self) -> tuple[Node, ...]:
        """The nodes outside the archives."""
        return tuple(node for node in self.nodes if node.is_peer)
