"""What the administrator of another archive has to enter there, so that retrieves through ours arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import effective
from dcmcfg.route.ae_lookup import calling_title
from dcmcfg.route.connection_matching import connection_to, listening
from dcmcfg.route.external_archives import external_archives
from dcmcfg.route.path import Address

_MAPPING = "dcmCStoreSCUOfCMoveSCP"


class Service(StrEnum):
    """What an AE may ask the other archive for."""

    STORE = "C-STORE"
    COMMITMENT = "storage commitment"
    FIND = "C-FIND"
    MOVE = "C-MOVE"


@dataclass(frozen=True)
class Peer:
    """An AE to enter: where it listens (None: nowhere that is known), what it may ask for, whether it is sent to.

    ``calls_from`` is the host that associations under its title come from, empty where it does not call.
    """

    title: str
    address: Address | None
    calls_from: str
    may: tuple[Service, ...]
    is_sent_to: bool
    why: tuple[str, ...]


@dataclass(frozen=True)
class WorkOrder:
    """For the administrator of ``external``, which the tree has at ``address``: the AEs to enter, and what to know."""

    external: str
    address: Address | None
    archive: str
    peers: tuple[Peer, ...]
    notes: tuple[str, ...]


@dataclass
class _Growing:
    """What is known so far of one AE to enter."""

    address: Address | None = None
    calls_from: str = ""
    may: set[Service] = field(default_factory=set)
    is_sent_to: bool = False
    why: dict[str, None] = field(default_factory=dict)


def work_order(
    configuration: Configuration,
    asked: NetworkAE,
    external: str,
    requesters: Sequence[str] = (),
    destinations: Sequence[str] = (),
) -> WorkOrder:
    """Return what has to be entered at *external* for retrieves through the archive's AE *asked*.

    Without *requesters* those are dcmAcceptedCallingAETitle of *asked*, without *destinations* its
    dcmAcceptedMoveDestination; where that is not set, the installed AEs of other devices. Raises :class:`NotFound`
    where the archive asks *external* for nothing.
    """
    return _Order(configuration, asked, external, requesters, destinations).finished()


class _Order:
    def __init__(
        self,
        configuration: Configuration,
        asked: NetworkAE,
        external: str,
        requesters: Sequence[str],
        destinations: Sequence[str],
    ) -> None:
        self._configuration, self._asked, self._external = configuration, asked, external
        others = [ae for ae in configuration.network_aes() if ae.device.name != asked.device.name and ae.installed]
        titles = [ae.title for ae in others if ae.title != external]
        self._requesters = requesters or asked.entry.texts("dcmAcceptedCallingAETitle") or titles
        listens = [ae.title for ae in others if ae.title != external and listening(ae)]
        self._destinations = destinations or asked.entry.texts("dcmAcceptedMoveDestination") or listens
        self._peers: dict[str, _Growing] = {}
        self._notes: list[str] = []
        connection = listening(asked)
        self._host = connection.host if connection else ""

    def finished(self) -> WorkOrder:
        """Return the whole order."""
        self._exports()
        self._retrieves()
        if not self._peers:
            known = ", ".join(external_archives(self._asked.device)) or "none"
            raise NotFound(
                f"{self._asked.title} asks {self._external} for nothing",
                next_step=f"the external archives that the configuration names are: {known}",
            )
        peers = tuple(
            Peer(title, each.address, each.calls_from, tuple(sorted(each.may)), each.is_sent_to, tuple(each.why))
            for title, each in self._peers.items()
        )
        other = self._configuration.network_ae(self._external)
        connection = connection_to(other, self._asked) if other is not None else None
        address = Address(connection.host, connection.port or 0, connection.tls) if connection else None
        return WorkOrder(self._external, address, self._asked.title, peers, tuple(self._notes))

    def _exports(self) -> None:
        """Have what exports to it let in; the result of a storage commitment comes back to the exporting AE."""
        device = self._asked.device
        for exporter in (each for each in device.tree.children(device.entry.dn) if each.is_a("dcmExporter")):
            name, title = exporter.text("dcmExporterID"), exporter.text("dicomAETitle")
            commits = exporter.text("dcmStgCmtSCP") == self._external
            if title is None or not (commits or exporter.text("dcmURI") == f"dicom:{self._external}"):
                continue
            sender = next((ae for ae in device.network_aes if ae.title == title), None)
            calling = calling_title(sender, self._external) if sender is not None else title
            self._may(calling, Service.STORE, f"stores (exporter {name})")
            if commits:
                self._may(calling, Service.COMMITMENT, f"asks for commitment, and is told the result (exporter {name})")
                self._sent_to(title, "")

    def _retrieves(self) -> None:
        asked, external = self._asked, self._external
        alternative = _setting(asked, "dcmAltCMoveSCP")
        fallback = _setting(asked, "dcmFallbackCMoveSCP")
        back = _setting(asked, "dcmExternalRetrieveAEDestination") if external != alternative else ""
        if external in external_archives(asked.device):
            self._ask(self._requesters, "asks for purged studies, by way of the archive")
            self._ask([calling_title(asked, external)], "asks for the rest of studies that are local in part")
            self._send(back, "dcmExternalRetrieveAEDestination", restored=True)
        if external == alternative:
            self._ask(self._requesters, "asks for studies on storages that the archive has no more")
            self._send("", "")
        if external == fallback:
            callers = effective(asked, "dcmFallbackCMoveSCPCallingAET").values or self._requesters
            self._ask(callers, "asks for studies that the archive does not have")
            self._send(_setting(asked, "dcmFallbackCMoveSCPDestination"), "dcmFallbackCMoveSCPDestination")
        if external == _setting(asked, "dcmFallbackCMoveSCPLeadingCFindSCP"):
            self._may(calling_title(asked, external), Service.FIND, "asks how many images a study has")

    def _ask(self, titles: Sequence[str], why: str) -> None:
        for title in titles:
            self._may(title, Service.MOVE, why)
        own = {ae.title for ae in self._asked.device.network_aes}
        foreign = [title for title in titles if title not in own]
        if foreign:
            self._note(
                f"requests under the title of whoever asks ({', '.join(foreign)}) come from the archive"
                f"{f', host {self._host}' if self._host else ''}: do not check their host"
            )

    def _send(self, back: str, attribute: str, *, restored: bool = False) -> None:
        if not back:
            for title in self._destinations:
                self._sent_to(title, "is sent what it, or another for it, asks for")
            return
        self._sent_to(back, f"takes in what the archive asks for ({attribute})")
        self._note("each C-STORE must carry the Move Originator AE Title (0000,1030): the title that asked")
        if restored and not any(value.endswith(f"={self._external}") for value in self._mappings()):
            self._note(f"it must store under its own title {self._external}: what comes under another is ignored")

    def _mappings(self) -> tuple[str, ...]:
        return self._asked.device.entry.texts(_MAPPING)

    def _may(self, title: str, service: Service, why: str) -> None:
        peer = self._peer(title)
        peer.may.add(service)
        peer.calls_from = self._host
        peer.why[why] = None

    def _sent_to(self, title: str, why: str) -> None:
        peer = self._peer(title)
        peer.is_sent_to = True
        if why:
            peer.why[why] = None
        if peer.address is None:
            self._note(f"the tree has no address for {title}, which is to be sent to")

    def _peer(self, title: str) -> _Growing:
        if title not in self._peers:
            ae = self._asked.device.answering(title) or self._configuration.network_ae(title)
            connection = (ae.listening() or ae.listening(tls=True)) if ae is not None else None
            address = Address(connection.host, connection.port or 0, connection.tls) if connection else None
            self._peers[title] = _Growing(address)
        return self._peers[title]

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


def _setting(ae: NetworkAE, name: str) -> str:
    return next(iter(effective(ae, name).values), "")
