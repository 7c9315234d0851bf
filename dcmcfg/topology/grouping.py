"""Group the nodes of a site, so that a picture of 300 AEs stays readable.

AEs with the same role and the same access become one group, and an edge of a group stands for the edges of its members.
The systems that an archive names as destinations stay single, unless there are many.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Edge, Node, NodeKind, PeerRole, Topology
from dcmcfg.topology.services import Service

K = TypeVar("K", bound=Hashable)
#: More systems with edges of their own than these are grouped by role and by the kinds of their edges.
_MAXIMUM_SINGLE_PEERS = 12
#: If the access lists differ so much that a role has more groups, the role is one group, and its edges are shares.
_MAXIMUM_GROUPS_OF_ROLE = 4
_KIND_ORDER = {kind: number for number, kind in enumerate(EdgeKind)}
_ROLE_TITLES: Mapping[PeerRole, str] = {
    PeerRole.MODALITY: "Modalities",
    PeerRole.WORKSTATION: "Destinations",
    PeerRole.ARCHIVE: "Other archives",
    PeerRole.UNKNOWN: "Names without an AE",
    PeerRole.OTHER: "Exporters and applications",
}
#: The order from top to bottom.
_ROLE_ORDER = (PeerRole.ARCHIVE, PeerRole.WORKSTATION, PeerRole.MODALITY, PeerRole.OTHER, PeerRole.UNKNOWN)


@dataclass(frozen=True)
class ArchiveBlock:
    """AEs of one archive with the same services, access lists and edges; or the archive's device, or a storage."""

    nodes: tuple[Node, ...]

    @property
    def kind(self) -> NodeKind:
        """The kind of the nodes."""
        return self.nodes[0].kind


@dataclass(frozen=True)
class Link:
    """The edges of one ``kind`` between a group and a block of an archive."""

    kind: EdgeKind
    block: ArchiveBlock
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class PeerGroup:
    """Nodes outside the archives with the same role; ``links`` are ordered by kind, ``title`` names the role."""

    title: str
    role: PeerRole
    members: tuple[Node, ...]
    links: tuple[Link, ...]

    @property
    def is_sender(self) -> bool:
        """Whether the group mainly sends to the archive."""
        kinds = {link.kind for link in self.links}
        is_caller = self.role is PeerRole.UNKNOWN and bool(kinds) and all(each.is_permission for each in kinds)
        return self.role is PeerRole.MODALITY or is_caller

    @cached_property
    def kinds(self) -> Mapping[EdgeKind, tuple[Node, ...]]:
        """The kinds of the group's edges, each with the members that have one."""
        ids: dict[EdgeKind, set[str]] = {}
        for link in self.links:
            ids.setdefault(link.kind, set()).update(end for edge in link.edges for end in (edge.source, edge.target))
        return {kind: tuple(node for node in self.members if node.id in found) for kind, found in ids.items()}

    def list_edges(self, kind: EdgeKind) -> tuple[Edge, ...]:
        """Return the edges of *kind*."""
        return tuple(edge for link in self.links if link.kind is kind for edge in link.edges)


@dataclass(frozen=True)
class StorageLink:
    """The AEs of ``block`` store on ``storage``."""

    block: ArchiveBlock
    storage: ArchiveBlock


@dataclass(frozen=True)
class GroupedTopology:
    """A site for a picture: ``archives`` are the blocks of each archive, from top to bottom."""

    archives: tuple[tuple[ArchiveBlock, ...], ...]
    groups: tuple[PeerGroup, ...]
    storage_links: tuple[StorageLink, ...]

    @property
    def edge_kinds(self) -> tuple[EdgeKind, ...]:
        """The kinds of the edges between groups and archives, and to storages, in their order."""
        found = {link.kind for group in self.groups for link in group.links}
        if self.storage_links:
            found.add(EdgeKind.STORAGE)
        return tuple(kind for kind in EdgeKind if kind in found)


def group_topology(topology: Topology) -> GroupedTopology:
    """Return *topology* with its nodes in groups, in a stable order."""
    return _Grouping(topology).build()


@dataclass(frozen=True)
class _Grouping:
    topology: Topology

    def build(self) -> GroupedTopology:
        parts = list(self._partition_peers())
        number_by_node = {node.id: number for number, (_, members) in enumerate(parts) for node in members}
        archives = tuple(tuple(self._build_blocks(each, number_by_node)) for each in self.topology.archives)
        blocks = [block for each in archives for block in each]
        block_by_node = {node.id: number for number, block in enumerate(blocks) for node in block.nodes}
        groups = (self._build_group(title, members, blocks, block_by_node) for title, members in parts)
        # A block is looked up by its number, because hashing its nodes for each edge would take long.
        storage_links = {
            (block_by_node[edge.source], block_by_node[edge.target]): None
            for edge in self.topology.edges
            if edge.kind is EdgeKind.STORAGE and edge.source in block_by_node and edge.target in block_by_node
        }
        links = (StorageLink(blocks[source], blocks[target]) for source, target in storage_links if source != target)
        return GroupedTopology(archives, tuple(groups), tuple(links))

    def _partition_peers(self) -> Iterator[tuple[str, tuple[Node, ...]]]:
        """Yield the members of each group with its title, in the order of the picture."""
        named = [node for node in self.topology.peers if self._get_configured_kinds(node)]
        yield from self._partition_named(named)
        others = {node.id for node in named}
        for role in _ROLE_ORDER:
            members = [node for node in self.topology.peers if node.role is role and node.id not in others]
            yield from self._partition_role(role, members)

    def _partition_named(self, nodes: Sequence[Node]) -> Iterator[tuple[str, tuple[Node, ...]]]:
        ordered = sorted(nodes, key=lambda node: _ROLE_ORDER.index(node.role or PeerRole.OTHER))
        if len(ordered) <= _MAXIMUM_SINGLE_PEERS:
            yield from ((_ROLE_TITLES[node.role or PeerRole.OTHER], (node,)) for node in ordered)
            return
        for (role, _), members in _split(ordered, lambda node: (node.role, self._get_configured_kinds(node))):
            yield _ROLE_TITLES[role or PeerRole.OTHER], members

    def _partition_role(self, role: PeerRole, nodes: Sequence[Node]) -> Iterator[tuple[str, tuple[Node, ...]]]:
        parts = _split(nodes, self._get_access)
        with_access = [members for access, members in parts if access]
        if len(with_access) > _MAXIMUM_GROUPS_OF_ROLE:
            with_access = [tuple(node for node in nodes if self._get_access(node))]
        yield from ((_ROLE_TITLES[role], members) for members in with_access)
        yield from ((f"{_ROLE_TITLES[role]} without a connection", members) for access, members in parts if not access)

    def _get_configured_kinds(self, node: Node) -> frozenset[EdgeKind]:
        return frozenset(kind for kind, _ in self._links_by_node[node.id] if not kind.is_permission)

    def _get_access(self, node: Node) -> frozenset[tuple[EdgeKind, str]]:
        return self._links_by_node[node.id]

    @cached_property
    def _links_by_node(self) -> Mapping[str, frozenset[tuple[EdgeKind, str]]]:
        """The kinds of the edges between each peer and the archives, each with the archive's part."""
        nodes = self.topology.nodes_by_id
        found: dict[str, set[tuple[EdgeKind, str]]] = {node.id: set() for node in self.topology.peers}
        for edge in self.topology.edges:
            for end, other in ((edge.source, edge.target), (edge.target, edge.source)):
                if end in found and not nodes[other].is_peer:
                    found[end].add((edge.kind, other))
        return {node_id: frozenset(links) for node_id, links in found.items()}

    def _build_blocks(self, archive: Node, number_by_node: Mapping[str, int]) -> Iterator[ArchiveBlock]:
        """Yield the device of *archive*, its AEs (first those that store, then those that retrieve), its storages."""
        parts = self.topology.list_parts(archive)
        yield ArchiveBlock((archive,))
        aes = [node for node in parts if node.kind is NodeKind.ARCHIVE_AE]
        blocks = [members for _, members in _split(aes, lambda node: self._build_signature(node, number_by_node))]
        yield from map(ArchiveBlock, sorted(blocks, key=lambda members: _rank(members[0])))
        yield from (ArchiveBlock((node,)) for node in parts if node.kind is NodeKind.STORAGE)

    def _build_signature(self, node: Node, number_by_node: Mapping[str, int]) -> Hashable:
        """Return what AEs of one block have in common: their edges lead to the same groups."""
        ends = frozenset(
            (edge.kind, edge.source == node.id, number_by_node.get(other, other))
            for edge in self.topology.edges_by_node.get(node.id, ())
            for other in (edge.target if edge.source == node.id else edge.source,)
            if edge.kind is not EdgeKind.INTERNAL
        )
        return node.services, node.accepted_callers, node.accepted_destinations, node.installed, ends

    def _build_group(
        self,
        title: str,
        members: tuple[Node, ...],
        blocks: Sequence[ArchiveBlock],
        block_by_node: Mapping[str, int],
    ) -> PeerGroup:
        found: dict[tuple[EdgeKind, int], list[Edge]] = {}
        for member in members:
            for edge in self.topology.edges_by_node.get(member.id, ()):
                other = edge.target if edge.source == member.id else edge.source
                if other in block_by_node:
                    found.setdefault((edge.kind, block_by_node[other]), []).append(edge)
        links = [Link(kind, blocks[number], tuple(edges)) for (kind, number), edges in found.items()]
        role = members[0].role or PeerRole.OTHER
        return PeerGroup(title, role, members, tuple(sorted(links, key=lambda link: _KIND_ORDER[link.kind])))


def _split(nodes: Iterable[Node], key: Callable[[Node], K]) -> list[tuple[K, tuple[Node, ...]]]:
    """Return *nodes* by ``key(node)``, in the order in which the keys occur."""
    found: dict[K, list[Node]] = {}
    for node in nodes:
        found.setdefault(key(node), []).append(node)
    return [(each, tuple(members)) for each, members in found.items()]


def _rank(node: Node) -> tuple[bool, bool, str]:
    return Service.STORE not in node.services, Service.QUERY_RETRIEVE not in node.services, node.name
