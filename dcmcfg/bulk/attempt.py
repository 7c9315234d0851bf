"""Request one study on an open association, and assign received instances to C-MOVE requests.

Several C-MOVE requests of a run are active at once, so each received instance is assigned to the study whose C-MOVE
caused it.
"""

from __future__ import annotations

import secrets
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import KW_ONLY, dataclass, field, replace

from dcmcfg.bulk.schedule import NextAction, decide_next_action
from dcmcfg.bulk.store import ResultStore
from dcmcfg.bulk.study_result import AttemptResult, make_attempt_result, make_unsent_result
from dcmcfg.dicom.move import Cancellation, MoveOutcome
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.dicom.ul.command_set import CommandField
from dcmcfg.errors import DicomError, NotFound, OutOfResources, TransientDicomError
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import Evidence, VerificationRequest
from dcmcfg.verify.evidence_sources import NO_EVIDENCE_SOURCES, EvidenceSources
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.receiver_options import LATE_ARRIVAL_WAIT_S
from dcmcfg.verify.run import ReceivedCollector, VerificationCallbacks, gather_evidence_over, open_query_association
from dcmcfg.verify.timeline import Timeline
from dcmcfg.verify.verdict import Verdict, format_instance_count

#: Message IDs of a run. They are far from the numbers at which other applications begin to count.
_MESSAGE_IDS = range(0x1000, 0x8000)


# Two attempts at the same study are different, so attempts compare by identity.
@dataclass(frozen=True, eq=False)
class MoveAttempt:
    """One attempt to retrieve a study, by one or several C-MOVE requests."""

    study_uid: str


class MoveTracker:
    """The Message IDs of a run that calls as *calling_ae_title*; thread-safe.

    A C-STORE refers to its C-MOVE by Move Originator AE Title and Message ID (PS3.7 Section 9.1.1.1). An archive may
    omit them, and an archive that makes another archive send may use a number of its own. Then the study in the data
    set determines the assignment.
    """

    def __init__(self, calling_ae_title: str) -> None:
        self._calling_ae_title = calling_ae_title
        self._free = deque(_MESSAGE_IDS)
        # A random start makes it unlikely that late instances of an earlier run match a C-MOVE of this run.
        self._free.rotate(secrets.randbelow(len(_MESSAGE_IDS)))
        self._attempts: dict[int, MoveAttempt] = {}
        # Number of instances by the study whose C-MOVE caused them, and their own study.
        self._misdirected: Counter[tuple[str | None, str | None]] = Counter()
        self._lock = threading.Lock()

    def allocate_message_ids(self, attempt: MoveAttempt) -> Generator[int]:
        """Yield Message IDs for the C-MOVE requests of *attempt*; close the generator after the last request.

        Request the next ID when the previous C-MOVE has ended. No active C-MOVE has the same ID. A used ID goes to the
        end of the queue, so that late instances are not assigned to another study.
        """
        while True:
            with self._lock:
                message_id = self._free.popleft()
                self._attempts[message_id] = attempt
            try:
                yield message_id
            finally:
                with self._lock:
                    # The ID keeps its attempt until its next use, so that a late instance is not assigned to a later
                    # attempt.
                    self._free.append(message_id)

    def is_sent_for(self, attempt: MoveAttempt, instance: ReceivedInstance) -> bool:
        """Return whether *instance* was sent for a C-MOVE of *attempt*, or without a known C-MOVE for its study."""
        named_attempt = self._find_attempt(instance)
        return named_attempt is attempt if named_attempt else instance.study_uid == attempt.study_uid

    def find_study_uid(self, instance: ReceivedInstance) -> str | None:
        """Return the study that *instance* was sent for: by its Move Originator, otherwise by its data set."""
        named_attempt = self._find_attempt(instance)
        return named_attempt.study_uid if named_attempt else instance.study_uid

    def record_received(self, attempt: MoveAttempt, instances: Iterable[ReceivedInstance]) -> None:
        """Record the *instances* received for *attempt* that belong to other studies."""
        misdirected = [
            (attempt.study_uid, each.study_uid) for each in instances if each.study_uid not in (None, attempt.study_uid)
        ]
        with self._lock:
            self._misdirected.update(misdirected)

    def describe_misdirected(self, attempt: MoveAttempt, uncollected: Iterable[ReceivedInstance]) -> Iterator[str]:
        """Yield descriptions of instances that were sent for one study but belong to another.

        One of the two studies is that of *attempt*. Both recorded and *uncollected* instances are described, then
        instances that arrived too late for an earlier attempt.
        """
        study_uid, waiting = attempt.study_uid, tuple(uncollected)
        with self._lock:
            recorded = self._misdirected.copy()
        counts = recorded + Counter((self.find_study_uid(each), each.study_uid) for each in waiting)
        for (sender_uid, own_uid), count in counts.items():
            if own_uid == study_uid != sender_uid:
                instances = format_instance_count(count)
                yield (
                    f"{instances} of this study arrived with the C-MOVE of study {sender_uid} "
                    f"(counted in the result of study {sender_uid})"
                )
        for (sender_uid, own_uid), count in recorded.items():
            if sender_uid == study_uid:
                yield (
                    f"{format_instance_count(count)} of another study ({own_uid}) arrived with the C-MOVE of this study"
                )
        if late := sum(
            self.find_study_uid(each) == study_uid and not self.is_sent_for(attempt, each) for each in waiting
        ):
            yield (
                f"{format_instance_count(late)} for an earlier C-MOVE of this study arrived too late; dcmcfg does not "
                "count late instances"
            )

    def _find_attempt(self, instance: ReceivedInstance) -> MoveAttempt | None:
        message_id = instance.move_originator_message_id
        if instance.move_originator_ae_title != self._calling_ae_title or message_id is None:
            return None
        return self._attempts.get(message_id)


class RunStopped(Exception):
    """The run was stopped; no more studies are requested."""


@dataclass(frozen=True)
class StudyEvidence:
    """The ``evidence`` about one study, with the timeline of its verification."""

    evidence: Evidence
    timeline: Timeline


@dataclass(frozen=True)
class CompletedAttempt:
    """The outcome of an attempt.

    ``attempt_number`` is its number in the store, or None if no C-MOVE was about to be sent. ``is_association_usable``
    is False if the association cannot be used again. ``study_evidence`` is the evidence to keep, if any.
    """

    result: AttemptResult
    next_action: NextAction
    attempt_number: int | None
    _: KW_ONLY
    is_association_usable: bool
    study_evidence: StudyEvidence | None = None

    @property
    def is_association_broken(self) -> bool:
        """Whether the association broke without any other result."""
        return self.next_action is NextAction.RETRY and not self.is_association_usable


def keep_verdict_unchanged(verdict: Verdict, _: Evidence) -> Verdict:
    """Return *verdict* unchanged."""
    return verdict


@dataclass(frozen=True, kw_only=True)
class StudyRequester:
    """Requests the studies of a run; holds the parameters that all of them share."""

    request: VerificationRequest  # without a study
    addresses: VerificationAddresses
    store: ResultStore
    cancellation: Cancellation
    move_tracker: MoveTracker
    tls: ssl.SSLContext | None = None
    receiver: Receiver | None = None
    evidence_sources: EvidenceSources = NO_EVIDENCE_SOURCES
    configuration_checksum: str = ""  # stored with each AttemptResult
    # Set immediately before the first C-MOVE.
    first_move_sent: threading.Event = field(default_factory=threading.Event)
    adjust_verdict: Callable[[Verdict, Evidence], Verdict] = keep_verdict_unchanged  # replaces next steps
    save_evidence: Callable[[StudyEvidence], None] | None = (
        None  # keeps the evidence of a final result; called in several threads
    )

    def open_association(self) -> AbstractContextManager[OpenAssociation]:
        """Return a context manager that opens an association with the archive."""
        return open_query_association(self.request, self.addresses, self.tls)

    def request_study(
        self, association: OpenAssociation, study_uid: str, on_pending: Callable[[], None]
    ) -> CompletedAttempt:
        """Request the study *study_uid*. The attempt is recorded before the C-MOVE is sent, its result is not.

        *on_pending* is called for each pending response. Raises :class:`RunStopped` if no more C-MOVE may be sent, and
        :class:`~dcmcfg.errors.DcmcfgError` if the store fails.
        """
        attempts: list[int] = []
        move_attempt = MoveAttempt(study_uid)
        timeline = Timeline()

        def on_sending() -> None:
            if attempts:  # below STUDY level, one attempt consists of several C-MOVE requests
                return
            if self.cancellation.is_requested:
                raise RunStopped
            if self.receiver is not None:
                # Instances that arrived before the request prove nothing.
                self.receiver.take(lambda each: self.move_tracker.find_study_uid(each) == study_uid)
            attempts.append(self.store.begin_attempt(study_uid))
            self.first_move_sent.set()

        try:
            # closing() returns the last ID at once, also after an error.
            with closing(self.move_tracker.allocate_message_ids(move_attempt)) as message_ids:
                evidence = gather_evidence_over(
                    association.with_message_ids(CommandField.C_MOVE, message_ids),
                    replace(self.request, study_uid=study_uid),
                    self.addresses,
                    receiver=self.receiver,
                    collect_received=self._make_instance_collector(move_attempt),
                    evidence_sources=self.evidence_sources,
                    cancellation=self.cancellation,
                    callbacks=timeline.record_calls(
                        VerificationCallbacks(on_sending=on_sending, on_pending=lambda _: on_pending())
                    ),
                )
        except (DicomError, NotFound) as error:
            result = replace(make_unsent_result(error), configuration_checksum=self.configuration_checksum)
            return CompletedAttempt(
                result, _decide_after_error(error), next(iter(attempts), None), is_association_usable=False
            )
        verdict = self.adjust_verdict(judge_evidence(evidence), evidence)
        is_usable = evidence.outcome.status is not None
        next_action = decide_next_action(evidence.outcome, accepted=verdict.is_accepted)
        result = make_attempt_result(verdict, evidence, self.addresses.warnings)
        misdirected = tuple(self._describe_misdirected(move_attempt))
        result = replace(
            result,
            headline="; ".join((result.headline, *misdirected)),
            configuration_checksum=self.configuration_checksum,
        )
        study_evidence = None
        if self.save_evidence is not None:
            study_evidence = StudyEvidence(replace(evidence, warnings=(*evidence.warnings, *misdirected)), timeline)
        return CompletedAttempt(
            result, next_action, attempts[0], is_association_usable=is_usable, study_evidence=study_evidence
        )

    def record_attempt(self, study_uid: str, completed: CompletedAttempt, *, final: bool) -> None:
        """Record the result of an attempt. Without a C-MOVE about to be sent, only a *final* result is recorded.

        The evidence is saved first: a study without a result is requested again, but a study with a result and without
        evidence would not be.
        """
        if final and self.save_evidence is not None and completed.study_evidence is not None:
            self.save_evidence(completed.study_evidence)
        attempt_number = completed.attempt_number
        if attempt_number is None and final:
            attempt_number = self.store.begin_attempt(study_uid)
        if attempt_number is not None:
            self.store.end_attempt(attempt_number, completed.result, final=final)

    def _make_instance_collector(self, attempt: MoveAttempt) -> ReceivedCollector:
        """Return a function that collects the instances sent for *attempt* from the receiver that all studies share.

        It waits a moment if the archive reports more instances than received. Later instances stay in the receiver.
        """

        def is_for(instance: ReceivedInstance) -> bool:
            return self.move_tracker.is_sent_for(attempt, instance)

        def collect(receiver: Receiver, outcome: MoveOutcome) -> tuple[ReceivedInstance, ...]:
            reported = outcome.completed or 0

            def has_enough(instances: Sequence[ReceivedInstance]) -> bool:
                return len({each.sop_instance_uid for each in instances if is_for(each)}) >= reported

            receiver.wait_until(has_enough, LATE_ARRIVAL_WAIT_S)
            taken = receiver.take(is_for)
            self.move_tracker.record_received(attempt, taken)
            return taken

        return collect

    def _describe_misdirected(self, attempt: MoveAttempt) -> Iterator[str]:
        return self.move_tracker.describe_misdirected(attempt, self.receiver.received if self.receiver else ())


def _decide_after_error(error: DicomError | NotFound) -> NextAction:
    match error:
        # OutOfResources is a TransientDicomError too, so its case comes first.
        case OutOfResources():
            return NextAction.RETRY_SLOWER
        case TransientDicomError():
            return NextAction.RETRY
        case _:
            return NextAction.ACCEPT_RESULT
