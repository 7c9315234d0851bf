"""The evidence of one verification, before it is judged."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from pathlib import Path

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.peer_identity import PeerIdentity
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import InformationModel, Patient, Priority
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.route.connection_matching import ConnectionMatch
from dcmcfg.route.path import RouteFailure
from dcmcfg.verify.legs import TransferLeg
from dcmcfg.verify.moves import SentMove
from dcmcfg.verify.selection import WHOLE_STUDY, RetrieveSelection

#: Instance Availability (0008,0056) of objects that are not in online storage (PS3.3 C.4.23.1.1).
NOT_ONLINE = frozenset({"NEARLINE", "OFFLINE", "UNAVAILABLE"})

#: End of the warning about a destination whose device has a value that the archive refuses.
CANNOT_LOAD_DEVICE = "the archive cannot load its device"


@dataclass(frozen=True)
class VerificationRequest:
    """The request of a verification: study, caller, archive and destination."""

    study_uid: str
    archive: Peer
    destination_ae_title: str  # the Move Destination: an AE title
    calling_ae_title: str  # the calling AE title; the archive passes it on, so the external archive sees it too
    _: KW_ONLY
    expected_count: int | None = None  # of instances, if specified by the user
    selection: RetrieveSelection = WHOLE_STUDY
    model: InformationModel = InformationModel.STUDY
    patient: Patient | None = None  # the patient, for Patient Root; None if not known yet
    priority: Priority = Priority.MEDIUM
    recall_problem: str = ""  # why --recall chose the study without the archive's database; "" if it did not


@dataclass(frozen=True, kw_only=True)
class MoveRecord:
    """One C-MOVE to the external archive, according to a log; ``""`` and None stand for values missing in the log.

    ``is_sending`` is True if it found objects to send; ``failure`` is the logged reason for a failure.
    ``is_from_archive_log`` is True if the log is that of the archive, which sent the C-MOVE, and not the external
    archive's. ``forwarded_count`` is the number of returned instances that the destination stored; None if they do not
    come back to the archive, or its log was not read. ``reported_completed`` is the number in the final response, if
    the C-STOREs in the same log show fewer (``completed``). ``missing_study_reason`` is the reason why the log does not
    show the study.
    """

    started: datetime
    calling_ae_title: str
    called_ae_title: str
    destination_ae_title: str
    study_uid: str
    status: int | None = None
    completed: int | None = None
    failed: int | None = None
    is_sending: bool = False
    failure: str = ""
    is_from_archive_log: bool = False
    forwarded_count: int | None = None
    reported_completed: int | None = None
    missing_study_reason: str = ""

    @property
    def has_sent(self) -> bool:
        """Whether it sent anything and, if the log shows that leg, anything reached the destination."""
        if self.forwarded_count is not None:
            return self.forwarded_count > 0
        return bool(self.completed) or (self.completed is None and self.is_sending and not self.failure)


@dataclass(frozen=True)
class ConfiguredRoute:
    """The external retrieve configuration in the tree for the archive AE that receives the C-MOVE."""

    external_retrieve_destination: str | None = None  # effective dcmExternalRetrieveAEDestination; None when unset
    destination_source: str = ""  # where it comes from: "device dcm4chee-arc" or "AE DCM4CHEE"
    archive_ae_titles: frozenset[str] = frozenset()  # all AE titles of the archive's device
    _: KW_ONLY
    move_destination_known: bool = True  # whether the Move Destination is an AE in the tree
    similar_ae_titles: tuple[str, ...] = ()  # similar titles in the tree
    # the only Move Destinations that the archive AE accepts; none means any
    accepted_move_destinations: tuple[str, ...] = ()
    # AEs that the archive does not find: title, reason, next step
    unresolved_aes: frozenset[tuple[str, str, str]] = frozenset()
    # AEs that the archive may call, with the Move Destination, in any state of a study
    external_requests: frozenset[tuple[str, str]] = frozenset()
    calling_ae_titles: frozenset[str] = frozenset()  # titles under which it may call, including masquerading
    # the titles under which the archive sends to the destination (masquerade)
    sending_ae_titles: frozenset[str] = frozenset()
    storage_ids: frozenset[str] = frozenset()  # storage IDs configured on the archive's device
    ae_titles: frozenset[str] = frozenset()  # all AE titles of the tree
    # AE titles, with the HOST:PORT at which the archive calls them
    ae_addresses: frozenset[tuple[str, str]] = frozenset()
    # AE titles, with the names for ``connection set`` of the connections that the archive calls
    connection_names: frozenset[tuple[str, str]] = frozenset()
    # whether the archive can call the destination and these AEs, according to the tree
    connection_matches: tuple[ConnectionMatch, ...] = ()
    device: str = ""  # name of the archive's device
    alternative_move_scp: str = (
        ""  # effective dcmAltCMoveSCP: the AE called for files on a storage that is not configured
    )
    fallback_move_scp: str = (
        ""  # effective dcmFallbackCMoveSCP: the AE called for studies that the archive does not know
    )
    fallback_destination: str = ""  # effective dcmFallbackCMoveSCPDestination
    misrouting: RouteFailure | None = None  # why objects do not return to the archive, if a return AE is set
    fallback_misrouting: RouteFailure | None = None  # the same for objects of the fallback archive

    def get_connection_match(self, ae_title: str) -> ConnectionMatch | None:
        """Return whether the archive can call *ae_title* according to the tree; None if that was not checked."""
        return next((each for each in self.connection_matches if each.ae_title == ae_title), None)

    def get_unresolved_reason(self, ae_title: str) -> str:
        """Return why the archive does not find the AE *ae_title*, with the fix; "" if it finds it."""
        return next((f"{reason}: {fix}" for title, reason, fix in self.unresolved_aes if title == ae_title), "")

    def get_destinations_for(self, called_ae_title: str, requested_ae_title: str) -> frozenset[str]:
        """Return the Move Destinations with which the archive calls *called_ae_title* according to the tree.

        *requested_ae_title* is the destination of the request. For an AE that the archive does not call according to
        the tree, the result is that for an external archive.
        """
        destinations = frozenset(
            destination for title, destination in self.external_requests if title == called_ae_title
        )
        return destinations or frozenset({self.external_retrieve_destination or requested_ae_title})


@dataclass(frozen=True)
class DatabaseEvidence:
    """The study in the archive's database, queried by HTTP; None without a query or a usable response."""

    before: StoredStudy | None = None
    after: StoredStudy | None = None


@dataclass(frozen=True)
class ReceiverInfo:
    """The receiver of dcmcfg: its title and address, and the start of listening."""

    address: str
    listening_since: datetime


@dataclass(frozen=True)
class Evidence:
    """All evidence after the C-MOVE."""

    request: VerificationRequest
    instances_before: tuple[Instance, ...]  # as the archive listed them before the C-MOVE
    outcome: MoveOutcome
    _: KW_ONLY
    received: tuple[ReceivedInstance, ...] | None  # None if dcmcfg was not the receiver
    # of this study, in this run's time; None when there is no record to read
    move_records: tuple[MoveRecord, ...] | None
    route: ConfiguredRoute
    warnings: tuple[str, ...] = ()  # such as unusual addresses
    instances_after: tuple[Instance, ...] | None = (
        None  # as the archive lists them after the C-MOVE; None without a query
    )
    database: DatabaseEvidence = DatabaseEvidence()
    moves: tuple[SentMove, ...] = ()  # each request; ``outcome`` combines them
    archive_identity: PeerIdentity | None = None  # as reported by the archive
    legs: tuple[TransferLeg, ...] = ()  # C-STOREs of the study according to a log
    unchanged_log: Path | None = None  # that log, if nothing was written to it since the C-MOVE was sent
    log_is_shared: bool = False  # other studies of the run may have changed the log
    log_is_from_archive: bool = False  # the log belongs to the archive that received the C-MOVE
    receiver_info: ReceiverInfo | None = None  # the receiver of dcmcfg; None if it did not listen
    # began to arrive before the C-MOVE was sent (ignored)
    early_instances: tuple[ReceivedInstance, ...] = ()
    # arrived because of another request (ignored)
    unrelated_instances: tuple[ReceivedInstance, ...] = ()

    @property
    def expected_instances(self) -> tuple[Instance, ...]:
        """The instances that should arrive: those listed before the C-MOVE.

        For a study that the archive did not know, these are the instances that it lists after the C-MOVE: its fallback
        archive sent them.
        """
        return self.instances_before or self.instances_after or ()

    @property
    def expected_count(self) -> int | None:
        """Number of instances that should arrive; None if unknown."""
        if self.request.expected_count is not None:
            return self.request.expected_count
        return len({instance.sop_instance_uid for instance in self.expected_instances}) or None
