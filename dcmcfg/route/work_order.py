"""What the administrator of another archive has to enter there, so that retrieves through ours arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum

from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.route.ae_lookup import get_calling_ae_title
from dcmcfg.route.connection_matching import find_compatible_connection, find_listening_connection
from dcmcfg.route.external_archives import find_external_archives
from dcmcfg.route.path import AEAddress
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    ACCEPTED_MOVE_DESTINATION,
    ALT_C_MOVE_SCP,
    C_STORE_SCU_OF_C_MOVE_SCP,
    DCM_URI,
    DICOM_AE_TITLE,
    EXPORTER_ID,
    EXPORTER_OBJECT_CLASS,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_CALLING_AET,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP,
    STG_CMT_SCP,
)


class Service(StrEnum):
    """What an AE may ask the other archive for."""

    STORE = "C-STORE"
    COMMITMENT = "storage commitment"
    FIND = "C-FIND"
    MOVE = "C-MOVE"


@dataclass(frozen=True, kw_only=True)
class PeerEntry:
    """An AE to enter: where it listens (None: nowhere that is known), what it may ask for, whether it is sent to.

    ``source_host`` is the host that associations under its title come from, empty where it does not call.
    """

    ae_title: str
    address: AEAddress | None
    source_host: str
    allowed_services: tuple[Service, ...]
    receives_studies: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """For the administrator of ``external_ae_title``, which the tree has at ``address``.

    The AEs to enter, and what to know.
    """

    external_ae_title: str
    address: AEAddress | None
    archive_ae_title: str
    peers: tuple[PeerEntry, ...]
    notes: tuple[str, ...]


@dataclass
class _PeerDraft:
    """What is known so far of one AE to enter."""

    address: AEAddress | None = None
    _: KW_ONLY
    source_host: str = ""
    allowed_services: set[Service] = field(default_factory=set)
    receives_studies: bool = False
    reasons: dict[str, None] = field(default_factory=dict)


def create_work_order(
    configuration: Configuration,
    archive_ae: NetworkAE,
    external_ae_title: str,
    *,
    requesters: Sequence[str] = (),
    destinations: Sequence[str] = (),
) -> WorkOrder:
    """Return what has to be entered at *external_ae_title* for retrieves through the archive's AE *archive_ae*.

    Without *requesters* those are dcmAcceptedCallingAETitle of *archive_ae*, without *destinations* its
    dcmAcceptedMoveDestination; where that is not set, the installed AEs of other devices. Raises :class:`NotFound`
    where the archive asks *external_ae_title* for nothing.
    """
    return _WorkOrderBuilder(
        configuration, archive_ae, external=external_ae_title, requesters=requesters, destinations=destinations
    ).build()


class _WorkOrderBuilder:
    def __init__(
        self,
        configuration: Configuration,
        asked: NetworkAE,
        *,
        external: str,
        requesters: Sequence[str],
        destinations: Sequence[str],
    ) -> None:
        self._configuration, self._asked, self._external = configuration, asked, external
        others = [ae for ae in configuration.network_aes() if ae.device.name != asked.device.name and ae.installed]
        titles = [ae.title for ae in others if ae.title != external]
        self._requesters = requesters or asked.entry.texts(ACCEPTED_CALLING_AE_TITLE) or titles
        listens = [ae.title for ae in others if ae.title != external and find_listening_connection(ae)]
        self._destinations = destinations or asked.entry.texts(ACCEPTED_MOVE_DESTINATION) or listens
        self._peers: dict[str, _PeerDraft] = {}
        self._notes: list[str] = []
        connection = find_listening_connection(asked)
        self._host = connection.host if connection else ""

    def build(self) -> WorkOrder:
        """Return the whole order."""
        self._exports()
        self._retrieves()
        if not self._peers:
            known = ", ".join(find_external_archives(self._asked.device)) or "none"
            raise NotFound(
                f"{self._asked.title} asks {self._external} for nothing",
                next_step=f"the external archives that the configuration names are: {known}",
            )
        peers = tuple(
            PeerEntry(
                ae_title=title,
                address=each.address,
                source_host=each.source_host,
                allowed_services=tuple(sorted(each.allowed_services)),
                receives_studies=each.receives_studies,
                reasons=tuple(each.reasons),
            )
            for title, each in self._peers.items()
        )
        other = self._configuration.find_network_ae(self._external)
        connection = find_compatible_connection(other, self._asked) if other is not None else None
        address = AEAddress(connection.host, connection.port or 0, connection.tls) if connection else None
        return WorkOrder(
            external_ae_title=self._external,
            address=address,
            archive_ae_title=self._asked.title,
            peers=peers,
            notes=tuple(self._notes),
        )

    def _exports(self) -> None:
        """Have what exports to it let in; the result of a storage commitment comes back to the exporting AE."""
        device = self._asked.device
        for exporter in (each for each in device.tree.children(device.entry.dn) if each.is_a(EXPORTER_OBJECT_CLASS)):
            name, title = exporter.text(EXPORTER_ID), exporter.text(DICOM_AE_TITLE)
            commits = exporter.text(STG_CMT_SCP) == self._external
            if title is None or not (commits or exporter.text(DCM_URI) == f"dicom:{self._external}"):
                continue
            sender = next((ae for ae in device.network_aes if ae.title == title), None)
            calling = get_calling_ae_title(sender, self._external) if sender is not None else title
            self._allow_service(calling, Service.STORE, f"stores (exporter {name})")
            if commits:
                self._allow_service(
                    calling, Service.COMMITMENT, f"asks for commitment, and is told the result (exporter {name})"
                )
                self._add_destination(title, "")

    def _retrieves(self) -> None:
        asked, external = self._asked, self._external
        alternative = _setting(asked, ALT_C_MOVE_SCP)
        fallback = _setting(asked, FALLBACK_C_MOVE_SCP)
        back = _setting(asked, EXTERNAL_RETRIEVE_AE_DESTINATION) if external != alternative else ""
        if external in find_external_archives(asked.device):
            self._allow_moves(self._requesters, "asks for purged studies, by way of the archive")
            self._allow_moves(
                [get_calling_ae_title(asked, external)], "asks for the rest of studies that are local in part"
            )
            self._add_destinations(back, EXTERNAL_RETRIEVE_AE_DESTINATION, restored=True)
        if external == alternative:
            self._allow_moves(self._requesters, "asks for studies on storages that the archive has no more")
            self._add_destinations("", "")
        if external == fallback:
            callers = get_effective_setting(asked, FALLBACK_C_MOVE_SCP_CALLING_AET).values or self._requesters
            self._allow_moves(callers, "asks for studies that the archive does not have")
            self._add_destinations(_setting(asked, FALLBACK_C_MOVE_SCP_DESTINATION), FALLBACK_C_MOVE_SCP_DESTINATION)
        if external == _setting(asked, FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP):
            self._allow_service(get_calling_ae_title(asked, external), Service.FIND, "asks how many images a study has")

    def _allow_moves(self, titles: Sequence[str], why: str) -> None:
        for title in titles:
            self._allow_service(title, Service.MOVE, why)
        own = {ae.title for ae in self._asked.device.network_aes}
        foreign = [title for title in titles if title not in own]
        if foreign:
            self._note(
                f"requests under the title of whoever asks ({', '.join(foreign)}) come from the archive"
                f"{f', host {self._host}' if self._host else ''}: do not check their host"
            )

    def _add_destinations(self, back: str, attribute: str, *, restored: bool = False) -> None:
        if not back:
            for title in self._destinations:
                self._add_destination(title, "is sent what it, or another for it, asks for")
            return
        self._add_destination(back, f"takes in what the archive asks for ({attribute})")
        self._note("each C-STORE must carry the Move Originator AE Title (0000,1030): the title that asked")
        if restored and not any(value.endswith(f"={self._external}") for value in self._mappings()):
            self._note(f"it must store under its own title {self._external}: what comes under another is ignored")

    def _mappings(self) -> tuple[str, ...]:
        return self._asked.device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP)

    def _allow_service(self, title: str, service: Service, why: str) -> None:
        peer = self._peer(title)
        peer.allowed_services.add(service)
        peer.source_host = self._host
        peer.reasons[why] = None

    def _add_destination(self, title: str, why: str) -> None:
        peer = self._peer(title)
        peer.receives_studies = True
        if why:
            peer.reasons[why] = None
        if peer.address is None:
            self._note(f"the tree has no address for {title}, which is to be sent to")

    def _peer(self, title: str) -> _PeerDraft:
        if title not in self._peers:
            ae = self._asked.device.find_called_ae(title) or self._configuration.find_network_ae(title)
            connection = (
                (ae.find_listening_connection() or ae.find_listening_connection(tls=True)) if ae is not None else None
            )
            address = AEAddress(connection.host, connection.port or 0, connection.tls) if connection else None
            self._peers[title] = _PeerDraft(address)
        return self._peers[title]

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


def _setting(ae: NetworkAE, name: str) -> str:
    return next(iter(get_effective_setting(ae, name).values), "")
