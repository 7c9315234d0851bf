"""List the settings that another archive requires for retrieves through this archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from enum import StrEnum

from dcmcfg.errors import NotFound
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import get_effective_setting
from dcmcfg.route.ae_lookup import get_masqueraded_calling_ae_title
from dcmcfg.route.connection_matching import find_compatible_connection, find_listening_connection
from dcmcfg.route.external_archives import find_external_archives
from dcmcfg.route.path import AEAddress
from dcmcfg.route.unknown_titles import warn_about_unknown_titles
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


class AllowedService(StrEnum):
    """A service that an AE may request from the other archive."""

    STORE = "C-STORE"
    COMMITMENT = "storage commitment"
    FIND = "C-FIND"
    MOVE = "C-MOVE"


@dataclass(frozen=True, kw_only=True)
class PeerEntry:
    """An AE to configure: its address (None if unknown), the services it may request, and whether it receives studies.

    ``source_host`` is the host from which associations under this title come, empty if the AE does not call.
    """

    ae_title: str
    address: AEAddress | None
    source_host: str
    allowed_services: tuple[AllowedService, ...]
    receives_studies: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WorkOrder:
    """The AEs to configure at ``external_ae_title``, which listens at ``address`` according to the tree."""

    external_ae_title: str
    address: AEAddress | None
    archive_ae_title: str
    peers: tuple[PeerEntry, ...]
    notes: tuple[str, ...]
    #: About the given titles, for the user: the other administrator does not need them.
    warnings: tuple[str, ...] = ()


@dataclass
class _PeerDraft:
    """The data collected so far for one AE to configure."""

    address: AEAddress | None = None
    _: KW_ONLY
    source_host: str = ""
    allowed_services: set[AllowedService] = field(default_factory=set)
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
    """Return the AEs to configure at *external_ae_title* for retrieves through the archive's AE *archive_ae*.

    Without *requesters*, the titles in dcmAcceptedCallingAETitle of *archive_ae* are used; without *destinations*, its
    dcmAcceptedMoveDestination. If the attribute is not set, the installed AEs of other devices are used. Titles in
    *requesters* and *destinations* without an AE cause warnings. Raises :class:`NotFound` if the archive sends no
    requests to *external_ae_title*.
    """
    order = _WorkOrderBuilder(
        configuration, archive_ae, external_ae_title=external_ae_title, requesters=requesters, destinations=destinations
    ).build()
    warnings = warn_about_unknown_titles(configuration, archive_ae, requesters=requesters, destinations=destinations)
    return replace(order, warnings=tuple(warnings))


class _WorkOrderBuilder:
    def __init__(
        self,
        configuration: Configuration,
        archive_ae: NetworkAE,
        *,
        external_ae_title: str,
        requesters: Sequence[str],
        destinations: Sequence[str],
    ) -> None:
        self._configuration, self._archive_ae, self._external_ae_title = configuration, archive_ae, external_ae_title
        other_aes = [
            ae for ae in configuration.network_aes() if ae.device.name != archive_ae.device.name and ae.installed
        ]
        titles = [ae.title for ae in other_aes if ae.title != external_ae_title]
        self._requesters = requesters or archive_ae.entry.texts(ACCEPTED_CALLING_AE_TITLE) or titles
        listening_titles = [
            ae.title for ae in other_aes if ae.title != external_ae_title and find_listening_connection(ae)
        ]
        self._destinations = destinations or archive_ae.entry.texts(ACCEPTED_MOVE_DESTINATION) or listening_titles
        self._peers: dict[str, _PeerDraft] = {}
        self._notes: list[str] = []
        connection = find_listening_connection(archive_ae)
        self._host = connection.host if connection else ""

    def build(self) -> WorkOrder:
        """Return the complete work order."""
        self._add_exports()
        self._add_retrieves()
        if not self._peers:
            external_archives = ", ".join(find_external_archives(self._archive_ae.device)) or "none"
            raise NotFound(
                f"{self._archive_ae.title} sends no requests to {self._external_ae_title}",
                next_step=f"external archives in the configuration: {external_archives}",
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
        external_ae = self._configuration.find_network_ae(self._external_ae_title)
        connection = find_compatible_connection(external_ae, self._archive_ae) if external_ae is not None else None
        address = AEAddress(connection.host, connection.port or 0, connection.tls) if connection else None
        return WorkOrder(
            external_ae_title=self._external_ae_title,
            address=address,
            archive_ae_title=self._archive_ae.title,
            peers=peers,
            notes=tuple(self._notes),
        )

    def _add_exports(self) -> None:
        """Allow the exporting AEs; the result of a storage commitment comes back to the exporting AE."""
        device = self._archive_ae.device
        for exporter in (each for each in device.tree.children(device.entry.dn) if each.is_a(EXPORTER_OBJECT_CLASS)):
            name, title = exporter.text(EXPORTER_ID), exporter.text(DICOM_AE_TITLE)
            is_commitment_scp = exporter.text(STG_CMT_SCP) == self._external_ae_title
            if title is None or not (is_commitment_scp or exporter.text(DCM_URI) == f"dicom:{self._external_ae_title}"):
                continue
            sender = next((ae for ae in device.network_aes if ae.title == title), None)
            calling_ae_title = (
                get_masqueraded_calling_ae_title(sender, self._external_ae_title) if sender is not None else title
            )
            self._allow_service(calling_ae_title, AllowedService.STORE, f"stores (exporter {name})")
            if is_commitment_scp:
                self._allow_service(
                    calling_ae_title,
                    AllowedService.COMMITMENT,
                    f"requests storage commitment, and receives the result (exporter {name})",
                )
                # The result may come on an association of the other archive, which requires the exporter's address.
                self._add_destination(title, "")

    def _add_retrieves(self) -> None:
        archive_ae, external_ae_title = self._archive_ae, self._external_ae_title
        alternative = _get_setting(archive_ae, ALT_C_MOVE_SCP)
        fallback = _get_setting(archive_ae, FALLBACK_C_MOVE_SCP)
        return_ae_title = (
            _get_setting(archive_ae, EXTERNAL_RETRIEVE_AE_DESTINATION) if external_ae_title != alternative else ""
        )
        if external_ae_title in find_external_archives(archive_ae.device):
            self._allow_moves(self._requesters, "requests purged studies through the archive")
            self._allow_moves(
                [get_masqueraded_calling_ae_title(archive_ae, external_ae_title)],
                "requests the rest of partly local studies",
            )
            self._add_destinations(return_ae_title, EXTERNAL_RETRIEVE_AE_DESTINATION, is_restored=True)
        if external_ae_title == alternative:
            self._allow_moves(self._requesters, "requests studies on storages that are no longer configured")
            # The archive keeps the Move Destination of the request for this AE.
            self._add_destinations("", "")
        if external_ae_title == fallback:
            # Without this attribute, the archive uses the calling AE title of the request.
            callers = get_effective_setting(archive_ae, FALLBACK_C_MOVE_SCP_CALLING_AET).values or self._requesters
            self._allow_moves(callers, "requests studies that the archive does not have")
            self._add_destinations(
                _get_setting(archive_ae, FALLBACK_C_MOVE_SCP_DESTINATION), FALLBACK_C_MOVE_SCP_DESTINATION
            )
        if external_ae_title == _get_setting(archive_ae, FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP):
            self._allow_service(
                get_masqueraded_calling_ae_title(archive_ae, external_ae_title),
                AllowedService.FIND,
                "queries the number of images of a study",
            )

    def _allow_moves(self, titles: Sequence[str], reason: str) -> None:
        for title in titles:
            self._allow_service(title, AllowedService.MOVE, reason)
        own_titles = {ae.title for ae in self._archive_ae.device.network_aes}
        foreign_titles = [title for title in titles if title not in own_titles]
        if foreign_titles:
            self._add_note(
                f"the archive{f' (host {self._host})' if self._host else ''} also sends requests with the calling AE "
                f"titles of other systems ({', '.join(foreign_titles)}). For these AE titles, do not check the host of "
                "the caller"
            )

    def _add_destinations(self, return_ae_title: str, attribute: str, *, is_restored: bool = False) -> None:
        if not return_ae_title:
            for title in self._destinations:
                self._add_destination(title, "receives retrieved studies")
            return
        self._add_destination(return_ae_title, f"receives the studies that the archive requests ({attribute})")
        self._add_note(
            "each C-STORE must contain the Move Originator AE Title (0000,1030): the calling AE title of the C-MOVE"
        )
        if is_restored and not any(value.endswith(f"={self._external_ae_title}") for value in self._get_mappings()):
            self._add_note(
                f"the external archive must send objects under its own AE title {self._external_ae_title}: the archive "
                "ignores objects from another AE title"
            )

    def _get_mappings(self) -> tuple[str, ...]:
        return self._archive_ae.device.entry.texts(C_STORE_SCU_OF_C_MOVE_SCP)

    def _allow_service(self, title: str, service: AllowedService, reason: str) -> None:
        peer = self._get_peer(title)
        peer.allowed_services.add(service)
        peer.source_host = self._host
        peer.reasons[reason] = None

    def _add_destination(self, title: str, reason: str) -> None:
        peer = self._get_peer(title)
        peer.receives_studies = True
        if reason:
            peer.reasons[reason] = None
        if peer.address is None:
            self._add_note(f"the tree has no address for the Move Destination {title}")

    def _get_peer(self, title: str) -> _PeerDraft:
        if title not in self._peers:
            # The archive also accepts titles in dcmOtherAETitle, which are no AEs of the tree.
            ae = self._archive_ae.device.find_called_ae(title) or self._configuration.find_network_ae(title)
            connection = (
                (ae.find_listening_connection() or ae.find_listening_connection(tls=True)) if ae is not None else None
            )
            address = AEAddress(connection.host, connection.port or 0, connection.tls) if connection else None
            self._peers[title] = _PeerDraft(address)
        return self._peers[title]

    def _add_note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


def _get_setting(ae: NetworkAE, name: str) -> str:
    return next(iter(get_effective_setting(ae, name).values), "")
