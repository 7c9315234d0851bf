"""What other systems may do at the AEs of an archive: store, query and retrieve, receive, read the worklist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.model.capabilities import SCU
from dcmcfg.model.devices import NetworkAE
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    ACCEPTED_MOVE_DESTINATION,
    DICOM_ASSOCIATION_ACCEPTOR,
    DICOM_ASSOCIATION_INITIATOR,
)
from dcmcfg.topology.edge_kinds import EdgeKind
from dcmcfg.topology.graph import Edge, Node, PeerRole
from dcmcfg.topology.services import Service, find_services

#: The services of each kind of call; a system without capabilities is assumed to use only the first.
_SERVICES: Mapping[EdgeKind, tuple[Service, ...]] = {
    EdgeKind.STORE: (Service.STORE,),
    EdgeKind.QUERY_RETRIEVE: (Service.QUERY_RETRIEVE,),
    EdgeKind.WORKLIST: (Service.WORKLIST, Service.UNIFIED_WORKLIST),
}
#: What a system without capabilities probably does.
_ASSUMED: Mapping[PeerRole, tuple[EdgeKind, ...]] = {
    PeerRole.MODALITY: (EdgeKind.STORE, EdgeKind.WORKLIST),
    PeerRole.WORKSTATION: (EdgeKind.STORE, EdgeKind.QUERY_RETRIEVE),
    PeerRole.ARCHIVE: (EdgeKind.STORE, EdgeKind.QUERY_RETRIEVE),
}


@dataclass(frozen=True)
class Peer:
    """An AE outside the archives, with its node."""

    ae: NetworkAE
    node: Node


@dataclass(frozen=True)
class ArchiveAE:
    """An AE of an archive, with its node."""

    ae: NetworkAE
    node: Node


def find_permitted_edges(archive_aes: tuple[ArchiveAE, ...], peers: tuple[Peer, ...]) -> Iterator[Edge]:
    """Yield what each of *peers* may do at each of *archive_aes*, by access lists, capabilities and roles.

    An empty access list accepts every title. An AE that is not installed, or that accepts no associations, is skipped.
    """
    open_aes = [each for each in archive_aes if _accepts_associations(each.ae)]
    callers = [(each, _find_calls(each)) for each in peers]
    destinations = [(each, assumed) for each in peers if (assumed := _is_assumed_destination(each)) is not None]
    for archive_ae in open_aes:
        yield from _find_callers(archive_ae.node, callers)
        if Service.QUERY_RETRIEVE in archive_ae.node.services:
            yield from _find_destinations(archive_ae.node, destinations)


def _find_callers(archive_ae: Node, callers: list[tuple[Peer, Mapping[EdgeKind, bool]]]) -> Iterator[Edge]:
    accepted = frozenset(archive_ae.accepted_callers)
    for peer, calls in callers:
        if accepted and peer.node.name not in accepted:
            continue
        for kind, assumed in calls.items():
            needed = _SERVICES[kind][:1] if assumed else _SERVICES[kind]
            if any(each in archive_ae.services for each in needed):
                yield _build_edge(archive_ae, kind, peer.node, assumed=assumed)


def find_unknown_caller_edges(archive_ae: Node, caller: Node) -> Iterator[Edge]:
    """Yield what *caller*, a title without an AE, may do at *archive_ae*, which has the title as accepted caller."""
    for kind, needed in _SERVICES.items():
        if needed[0] in archive_ae.services:
            yield _build_edge(archive_ae, kind, caller, assumed=True)


def _find_destinations(archive_ae: Node, destinations: list[tuple[Peer, bool]]) -> Iterator[Edge]:
    accepted = frozenset(archive_ae.accepted_destinations)
    for peer, assumed in destinations:
        if not accepted or peer.node.name in accepted:
            yield _build_edge(archive_ae, EdgeKind.MOVE_DESTINATION, peer.node, assumed=assumed)


def _build_edge(archive_ae: Node, kind: EdgeKind, peer: Node, *, assumed: bool) -> Edge:
    is_destination = kind is EdgeKind.MOVE_DESTINATION
    source, target = (archive_ae, peer) if is_destination else (peer, archive_ae)
    accepted = archive_ae.accepted_destinations if is_destination else archive_ae.accepted_callers
    attribute = ACCEPTED_MOVE_DESTINATION if is_destination else ACCEPTED_CALLING_AE_TITLE
    return Edge(
        kind=kind,
        source=source.id,
        target=target.id,
        dn=archive_ae.dn if accepted else None,
        attribute=attribute if accepted else "",
        assumed=assumed,
    )


def _accepts_associations(ae: NetworkAE) -> bool:
    return ae.installed and ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) != "FALSE"


def _find_calls(peer: Peer) -> Mapping[EdgeKind, bool]:
    """Return the kinds of calls of *peer*, each with whether it is assumed; none if it is not an initiator."""
    if not peer.ae.installed or peer.ae.entry.text(DICOM_ASSOCIATION_INITIATOR) == "FALSE":
        return {}
    if not peer.ae.capability_source.capabilities:
        return dict.fromkeys(_ASSUMED.get(peer.node.role or PeerRole.OTHER, ()), True)
    services = find_services(peer.ae, SCU)
    return {kind: False for kind, needed in _SERVICES.items() if any(each in services for each in needed)}


def _is_assumed_destination(peer: Peer) -> bool | None:
    """Return whether only the role of *peer* shows that it receives objects; None if it does not receive."""
    ae = peer.ae
    listens = any(ae.find_listening_connection(tls=tls) is not None for tls in (False, True))
    if not listens or not _accepts_associations(ae):
        return None
    if ae.capability_source.capabilities:
        return False if ae.is_storage_scp else None
    return True if peer.node.role in (PeerRole.WORKSTATION, PeerRole.ARCHIVE) else None
