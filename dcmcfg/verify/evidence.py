"""What one verification found out, before anybody judges it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.peer_identity import PeerIdentity
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import InformationModel, Patient, Priority
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.route.connection_matching import ConnectionMatch
from dcmcfg.verify.legs import TransferLeg
from dcmcfg.verify.moves import SentMove
from dcmcfg.verify.selection import WHOLE_STUDY, RetrieveSelection

#: Instance Availability (0008,0056) of objects that are not in online storage (PS3.3 C.4.23.1.1).
NOT_ONLINE = frozenset({"NEARLINE", "OFFLINE", "UNAVAILABLE"})

#: How a warning about a destination ends whose device has a value that the archive refuses.
CANNOT_LOAD_DEVICE = "the archive cannot load its device"


@dataclass(frozen=True)
class VerificationRequest:
    """What was asked, by whom, of whom."""

    study_uid: str
    archive: Peer
    destination_ae_title: str  # the Move Destination: an AE title
    calling_ae_title: str  # the calling AE title; the archive passes it on, so the external archive sees it too
    _: KW_ONLY
    expected_count: int | None = None  # of instances, when the user says so
    selection: RetrieveSelection = WHOLE_STUDY
    model: InformationModel = InformationModel.STUDY
    patient: Patient | None = None  # whose study it is, for Patient Root; None when nobody said so yet
    priority: Priority = Priority.MEDIUM


@dataclass(frozen=True, kw_only=True)
class MoveRecord:
    """One C-MOVE to the external archive, according to a log; ``""`` and None stand for what the log does not state.

    ``is_sending`` says that it found what to send, ``failure`` in its own words why it did not. ``is_from_archive_log``
    says that the log is that of the archive, which sent the C-MOVE, and not the external archive's. ``forwarded_count``
    is how many of the instances that came back because of it were stored by the destination; None where they do not
    come back to the archive, or its log was not read. ``reported_completed`` is the number in the final response, where
    the C-STOREs in the same log show fewer (``completed``). ``missing_study_reason`` says why the log does not show of
    which study it is.
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
        """Whether something was sent because of it and, where the log shows that leg, reached the destination."""
        if self.forwarded_count is not None:
            return self.forwarded_count > 0
        return bool(self.completed) or (self.completed is None and self.is_sending and not self.failure)


@dataclass(frozen=True)
class ConfiguredRoute:
    """What the tree says about external retrieve on the archive AE that was asked."""

    external_retrieve_destination: str | None = None  # effective dcmExternalRetrieveAEDestination; None when unset
    destination_source: str = ""  # where it comes from: "device dcm4chee-arc" or "AE DCM4CHEE"
    archive_ae_titles: frozenset[str] = frozenset()  # all AE titles of the archive's device
    _: KW_ONLY
    move_destination_known: bool = True  # whether the Move Destination is an AE in the tree
    similar_ae_titles: tuple[str, ...] = ()  # titles in the tree that are spelt almost like it
    # the only Move Destinations that the archive AE takes; none means any
    accepted_move_destinations: tuple[str, ...] = ()
    # AEs that the archive does not find: title, why, next step
    unresolved_aes: frozenset[tuple[str, str, str]] = frozenset()
    # who may be asked with which Move Destination, wherever a study is
    external_requests: frozenset[tuple[str, str]] = frozenset()
    calling_ae_titles: frozenset[str] = frozenset()  # the titles under which it may ask, a masquerade among them
    # the titles under which the archive sends to the destination (masquerade)
    sending_ae_titles: frozenset[str] = frozenset()
    storage_ids: frozenset[str] = frozenset()  # storage IDs configured on the archive's device
    ae_titles: frozenset[str] = frozenset()  # all AE titles of the tree
    # AE titles, with the HOST:PORT at which the archive calls them
    ae_addresses: frozenset[tuple[str, str]] = frozenset()
    # whether the archive can call the destination and those it may ask, by the tree
    connection_matches: tuple[ConnectionMatch, ...] = ()
    device: str = ""  # name of the archive's device
    alternative_move_scp: str = (
        ""  # effective dcmAltCMoveSCP: the AE that is asked for files on a storage that is not configured
    )
    fallback_move_scp: str = (
        ""  # effective dcmFallbackCMoveSCP: the AE that is asked for studies that the archive does not know
    )
    fallback_destination: str = ""  # effective dcmFallbackCMoveSCPDestination
    misrouting_reason: str = ""  # why what an external archive sends does not come back, where an AE is set for that
    misrouting_fix: str = ""  # how to fix that

    def get_connection_match(self, ae_title: str) -> ConnectionMatch | None:
        """Return whether the archive can call *ae_title* by the tree; None where that was not looked at."""
        return next((each for each in self.connection_matches if each.ae_title == ae_title), None)

    def get_unresolved_reason(self, ae_title: str) -> str:
        """Return why the archive does not find the AE *ae_title*, with the fix; "" for one that it finds."""
        return next((f"{reason}: {fix}" for title, reason, fix in self.unresolved_aes if title == ae_title), "")

    def get_destinations_for(self, called_ae_title: str, requested_ae_title: str) -> frozenset[str]:
        """Return the Move Destinations that the tree has the archive ask *called_ae_title* with.

        *requested_ae_title* is the request's. For an AE that the tree does not have it ask, those of an external
        archive.
        """
        destinations = frozenset(
            destination for title, destination in self.external_requests if title == called_ae_title
        )
        return destinations or frozenset({self.external_retrieve_destination or requested_ae_title})


@dataclass(frozen=True)
class DatabaseEvidence:
    """The study in the archive's database, asked by HTTP; None where it was not asked, or gave no usable answer."""

    before: StoredStudy | None = None
    after: StoredStudy | None = None


@dataclass(frozen=True)
class ReceiverInfo:
    """Our own receiver: its title and address, and the moment from which it listened."""

    address: str
    listening_since: datetime


@dataclass(frozen=True)
class Evidence:
    """All that is known when the C-MOVE is over."""

    request: VerificationRequest
    instances_before: tuple[Instance, ...]  # as the archive listed them before the move
    outcome: MoveOutcome
    _: KW_ONLY
    received: tuple[ReceivedInstance, ...] | None  # None when nobody of ours listened
    # of this study, in this run's time; None when there is no record to read
    move_records: tuple[MoveRecord, ...] | None
    route: ConfiguredRoute
    warnings: tuple[str, ...] = ()  # what was odd about the addresses and the like
    instances_after: tuple[Instance, ...] | None = (
        None  # as the archive lists them after the move; None when it was not asked
    )
    database: DatabaseEvidence = DatabaseEvidence()
    moves: tuple[SentMove, ...] = ()  # each request; ``outcome`` is what they come to
    archive_identity: PeerIdentity | None = None  # what the archive told of itself
    legs: tuple[TransferLeg, ...] = ()  # C-STOREs of the study according to a log
    log_is_unchanged: bool = False  # nothing was written to that log since the C-MOVE was sent
    log_is_from_archive: bool = False  # that log, and what ``move_records`` come from, is of the archive that was asked
    receiver_info: ReceiverInfo | None = None  # our own receiver; None where it did not listen
    # arrived, and began to before its C-MOVE was sent: nothing of it counts
    early_instances: tuple[ReceivedInstance, ...] = ()
    # arrived because of a request of somebody else: nothing of it counts
    unrelated_instances: tuple[ReceivedInstance, ...] = ()

    @property
    def expected_instances(self) -> tuple[Instance, ...]:
        """The instances that should arrive: those listed before the move.

        Of a study that the archive did not know, those that it lists after the move: its fallback archive sent them.
        """
        return self.instances_before or self.instances_after or ()

    @property
    def expected_count(self) -> int | None:
        """How many instances should arrive; None when it is not known."""
        if self.request.expected_count is not None:
            return self.request.expected_count
        return len({instance.sop_instance_uid for instance in self.expected_instances}) or None
