"""What one verification found out, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.peer_identity import Acquainted
from dcmcfg.dicom.query import Instance
from dcmcfg.dicom.retrieval import Model, Patient, Priority
from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.route.connection_matching import Fit
from dcmcfg.verify.legs import Leg
from dcmcfg.verify.moves import Move
from dcmcfg.verify.selection import WHOLE_STUDY, Selection

#: Instance Availability (0008,0056) of objects that are not in online storage (PS3.3 C.4.23.1.1).
NOT_ONLINE = frozenset({"NEARLINE", "OFFLINE", "UNAVAILABLE"})

#: How a warning about a destination ends whose device has a value that the archive refuses.
CANNOT_LOAD = "the archive cannot load its device"


@dataclass(frozen=True)
class Question:
    """What was asked, by whom, of whom."""

    study_uid: str
    archive: Peer
    destination: str  # the Move Destination: an AE title
    calling: str  # the calling AE title; the archive passes it on, so the external archive sees it too
    expected_number: int | None = None  # of instances, when the user says so
    selection: Selection = WHOLE_STUDY
    model: Model = Model.STUDY
    patient: Patient | None = None  # whose study it is, for Patient Root; None when nobody said so yet
    priority: Priority = Priority.MEDIUM


@dataclass(frozen=True)
class MoveRecord:
    """One C-MOVE to the external archive, according to a log; ``""`` and None stand for what the log does not state.

    ``is_sending`` says that it found what to send, ``failure`` in its own words why it did not. ``by_archive`` says
    that the log is that of the archive, which sent the C-MOVE, and not the external archive's. ``forwarded`` is how
    many of the instances that came back because of it were stored by the destination; None where they do not come back
    to the archive, or its log was not read. ``reported`` is the number in the final response, where the C-STOREs in the
    same log show fewer (``completed``). ``why_hidden`` says why the log does not show of which study it is.
    """

    started: datetime
    calling: str
    called: str
    destination: str
    study_uid: str
    status: int | None = None
    completed: int | None = None
    failed: int | None = None
    is_sending: bool = False
    failure: str = ""
    by_archive: bool = False
    forwarded: int | None = None
    reported: int | None = None
    why_hidden: str = ""

    @property
    def has_sent(self) -> bool:
        """Whether something was sent because of it and, where the log shows that leg, reached the destination."""
        if self.forwarded is not None:
            return self.forwarded > 0
        return bool(self.completed) or (self.completed is None and self.is_sending and not self.failure)


@dataclass(frozen=True)
class ConfiguredRoute:
    """What the tree says about external retrieve on the archive AE that was asked."""

    destination: str | None = None  # effective dcmExternalRetrieveAEDestination; None when unset
    source: str = ""  # where it comes from: "device dcm4chee-arc" or "AE DCM4CHEE"
    archive_titles: frozenset[str] = frozenset()  # all AE titles of the archive's device
    destination_known: bool = True  # whether the Move Destination is an AE in the tree
    near_destination: tuple[str, ...] = ()  # titles in the tree that are spelt almost like it
    accepted: tuple[str, ...] = ()  # the only Move Destinations that the archive AE takes; none means any
    hidden: frozenset[tuple[str, str, str]] = frozenset()  # AEs that the archive does not find: title, why, next step
    asks: frozenset[tuple[str, str]] = frozenset()  # who may be asked with which Move Destination, wherever a study is
    asks_as: frozenset[str] = frozenset()  # the titles under which it may ask, a masquerade among them
    sends_as: frozenset[str] = frozenset()  # the titles under which the archive sends to the destination (masquerade)
    storages: frozenset[str] = frozenset()  # storage IDs configured on the archive's device
    titles: frozenset[str] = frozenset()  # all AE titles of the tree
    places: frozenset[tuple[str, str]] = frozenset()  # AE titles, with the HOST:PORT at which the archive calls them
    fits: tuple[Fit, ...] = ()  # whether the archive can call the destination and those it may ask, by the tree
    device: str = ""  # name of the archive's device
    alternative: str = (
        ""  # effective dcmAltCMoveSCP: the AE that is asked for files on a storage that is not configured
    )
    fallback: str = ""  # effective dcmFallbackCMoveSCP: the AE that is asked for studies that the archive does not know
    fallback_destination: str = ""  # effective dcmFallbackCMoveSCPDestination
    astray: str = ""  # why what an external archive sends does not come back, where an AE is set for that
    mending: str = ""  # what mends that

    def fit(self, title: str) -> Fit | None:
        """Return whether the archive can call *title* by the tree; None where that was not looked at."""
        return next((each for each in self.fits if each.title == title), None)

    def why_hidden(self, title: str) -> str:
        """Return why the archive does not find the AE *title*, with what mends it; "" for one that it finds."""
        return next((f"{why}: {step}" for hidden, why, step in self.hidden if hidden == title), "")

    def destinations_of(self, called: str, requested: str) -> frozenset[str]:
        """Return the Move Destinations that the tree has the archive ask *called* with; *requested* is the request's.

        For an AE that the tree does not have it ask, those of an external archive.
        """
        known = frozenset(destination for title, destination in self.asks if title == called)
        return known or frozenset({self.destination or requested})


@dataclass(frozen=True)
class Stored:
    """The study in the archive's database, asked by HTTP; None where it was not asked, or gave no usable answer."""

    before: StoredStudy | None = None
    after: StoredStudy | None = None


@dataclass(frozen=True)
class Listened:
    """Our own receiver: its title and address, and the moment from which it listened."""

    address: str
    since: datetime


@dataclass(frozen=True)
class Evidence:
    """All that is known when the C-MOVE is over."""

    question: Question
    expected: tuple[Instance, ...]  # as the archive listed them before the move
    outcome: MoveOutcome
    received: tuple[ReceivedInstance, ...] | None  # None when nobody of ours listened
    records: tuple[MoveRecord, ...] | None  # of this study, in this run's time; None when there is no record to read
    route: ConfiguredRoute
    warnings: tuple[str, ...] = ()  # what was odd about the addresses and the like
    after: tuple[Instance, ...] | None = None  # as the archive lists them after the move; None when it was not asked
    stored: Stored = Stored()
    moves: tuple[Move, ...] = ()  # each request; ``outcome`` is what they come to
    archive: Acquainted | None = None  # what the archive told of itself
    legs: tuple[Leg, ...] = ()  # C-STOREs of the study according to a log
    log_is_silent: bool = False  # nothing was written to that log since the C-MOVE was sent
    log_is_archives: bool = False  # that log, and what ``records`` come from, is of the archive that was asked
    listening: Listened | None = None  # our own receiver; None where it did not listen
    early: tuple[ReceivedInstance, ...] = ()  # arrived, and began to before its C-MOVE was sent: nothing of it counts
    uninvited: tuple[ReceivedInstance, ...] = ()  # arrived because of a request of somebody else: nothing of it counts

    @property
    def listed(self) -> tuple[Instance, ...]:
        """The instances that should arrive: those listed before the move.

        Of a study that the archive did not know, those that it lists after the move: its fallback archive sent them.
        """
        return self.expected or self.after or ()

    @property
    def expected_number(self) -> int | None:
        """How many instances should arrive; None when it is not known."""
        if self.question.expected_number is not None:
            return self.question.expected_number
        return len({instance.sop_instance_uid for instance in self.listed}) or None
