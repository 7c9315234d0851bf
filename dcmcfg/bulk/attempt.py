"""One study asked for once, on an association that is open.

Which C-MOVE of a run is about which study, so that what arrives counts for the one that had it sent.
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

#: Message IDs of a run: far from those with which others begin to count.
_MESSAGE_IDS = range(0x1000, 0x8000)


@dataclass(frozen=True, eq=False)
class MoveAttempt:
    """One time that a study is asked for, by one C-MOVE or by several."""

    study_uid: str


class MoveTracker:
    """The Message IDs of a run that calls as *calling_ae_title*; several threads may use them.

    A C-STORE names the C-MOVE that it is for by Move Originator AE Title and Message ID (PS3.7 Section 9.1.1.1). An
    archive need not say so, and one that has another archive send may name a number of its own: then the study in the
    data set is what there is to go by.
    """

    def __init__(self, calling_ae_title: str) -> None:
        self._calling_ae_title = calling_ae_title
        self._free = deque(_MESSAGE_IDS)
        self._free.rotate(secrets.randbelow(len(_MESSAGE_IDS)))
        self._attempts: dict[int, MoveAttempt] = {}
        # by the study it was sent for, and its own
        self._misdirected: Counter[tuple[str | None, str | None]] = Counter()
        self._lock = threading.Lock()

    def allocate_message_ids(self, attempt: MoveAttempt) -> Generator[int]:
        """Yield Message IDs for C-MOVEs of *attempt*, each when the one before is over; close it when the last one is.

        None is that of another C-MOVE under way. One that is over is the last to be given out again: until then
        what comes late counts for nothing else.
        """
        while True:
            with self._lock:
                message_id = self._free.popleft()
                self._attempts[message_id] = attempt
            try:
                yield message_id
            finally:
                with self._lock:
                    self._free.append(message_id)

    def is_sent_for(self, attempt: MoveAttempt, instance: ReceivedInstance) -> bool:
        """Tell whether it was sent for *attempt*: for one of its C-MOVEs, or for none of ours and its study."""
        named_attempt = self._find_attempt(instance)
        return named_attempt is attempt if named_attempt else instance.study_uid == attempt.study_uid

    def find_study_uid(self, instance: ReceivedInstance) -> str | None:
        """Return the study for which it was sent: of the C-MOVE that it names, else the one that its data set names."""
        named_attempt = self._find_attempt(instance)
        return named_attempt.study_uid if named_attempt else instance.study_uid

    def record_received(self, attempt: MoveAttempt, instances: Iterable[ReceivedInstance]) -> None:
        """Remember which of the *instances* that arrived for *attempt* belong to other studies."""
        misdirected = [
            (attempt.study_uid, each.study_uid) for each in instances if each.study_uid not in (None, attempt.study_uid)
        ]
        with self._lock:
            self._misdirected.update(misdirected)

    def describe_misdirected(self, attempt: MoveAttempt, uncollected: Iterable[ReceivedInstance]) -> Iterator[str]:
        """Yield in words what was sent for one study and is of another, where one of them is that of *attempt*.

        It was recorded, or is among the *uncollected* instances. What came too late, for an earlier attempt, is last.
        """
        study_uid, waiting = attempt.study_uid, tuple(uncollected)
        with self._lock:
            recorded = self._misdirected.copy()
        counts = recorded + Counter((self.find_study_uid(each), each.study_uid) for each in waiting)
        for (sender_uid, own_uid), count in counts.items():
            if own_uid == study_uid != sender_uid:
                instances = format_instance_count(count)
                yield f"{instances} of it came by the C-MOVE of study {sender_uid}, for which it counts"
        for (sender_uid, own_uid), count in recorded.items():
            if sender_uid == study_uid:
                yield f"{format_instance_count(count)} of study {own_uid} came by its C-MOVE"
        if late := sum(
            self.find_study_uid(each) == study_uid and not self.is_sent_for(attempt, each) for each in waiting
        ):
            yield f"{format_instance_count(late)} came for an earlier C-MOVE of it, too late to count"

    def _find_attempt(self, instance: ReceivedInstance) -> MoveAttempt | None:
        message_id = instance.move_originator_message_id
        if instance.move_originator_ae_title != self._calling_ae_title or message_id is None:
            return None
        return self._attempts.get(message_id)


class RunStopped(Exception):
    """Nothing more is asked for."""


@dataclass(frozen=True)
class StudyEvidence:
    """The ``evidence`` on one study, and what happened when."""

    evidence: Evidence
    timeline: Timeline


@dataclass(frozen=True)
class CompletedAttempt:
    """What came of it; ``attempt_number`` is its number in the store, None where no C-MOVE was about to be sent.

    ``is_association_usable`` tells whether the association can be used again, ``study_evidence`` what is to be kept, if
    anything.
    """

    result: AttemptResult
    next_action: NextAction
    attempt_number: int | None
    _: KW_ONLY
    is_association_usable: bool
    study_evidence: StudyEvidence | None = None

    @property
    def is_association_broken(self) -> bool:
        """Whether the association broke, and nothing else is known."""
        return self.next_action is NextAction.RETRY and not self.is_association_usable


def keep_verdict_unchanged(verdict: Verdict, _: Evidence) -> Verdict:
    """Return *verdict*."""
    return verdict


@dataclass(frozen=True, kw_only=True)
class StudyRequester:
    """Who is asked to send to whom, and what all studies of a run share."""

    request: VerificationRequest  # about no study yet
    addresses: VerificationAddresses
    store: ResultStore
    cancellation: Cancellation
    move_tracker: MoveTracker
    tls: ssl.SSLContext | None = None
    receiver: Receiver | None = None
    evidence_sources: EvidenceSources = NO_EVIDENCE_SOURCES
    configuration_checksum: str = ""  # stored with each AttemptResult
    # set when the first C-MOVE is about to go out
    first_move_sent: threading.Event = field(default_factory=threading.Event)
    adjust_verdict: Callable[[Verdict, Evidence], Verdict] = keep_verdict_unchanged  # with other next steps
    save_evidence: Callable[[StudyEvidence], None] | None = (
        None  # keeps the evidence of an answer that stands; in several threads
    )

    def open_association(self) -> AbstractContextManager[OpenAssociation]:
        """Return an association with the archive, as a context."""
        return open_query_association(self.request, self.addresses, self.tls)

    def request_study(
        self, association: OpenAssociation, study_uid: str, on_pending: Callable[[], None]
    ) -> CompletedAttempt:
        """Ask for the study *study_uid*; the attempt is on record before the C-MOVE goes out, its answer not yet.

        *on_pending* is called with each response that says that the archive is at it. Raises :class:`RunStopped` when
        no more C-MOVE is to go out, and :class:`~dcmcfg.errors.DcmcfgError` when the store does not work.
        """
        attempts: list[int] = []
        move_attempt = MoveAttempt(study_uid)
        timeline = Timeline()

        def on_sending() -> None:
            if attempts:  # below STUDY level several C-MOVEs are one attempt
                return
            if self.cancellation.is_requested:
                raise RunStopped
            if self.receiver is not None:
                # what came before it was asked for proves nothing
                self.receiver.take(lambda each: self.move_tracker.find_study_uid(each) == study_uid)
            attempts.append(self.store.begin_attempt(study_uid))
            self.first_move_sent.set()

        try:
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
        """Put on record what came of an attempt; where no C-MOVE was about to go out, only if that is *final*.

        Its evidence is kept before: a study without an answer is asked for again, one without evidence would not be.
        """
        if final and self.save_evidence is not None and completed.study_evidence is not None:
            self.save_evidence(completed.study_evidence)
        attempt_number = completed.attempt_number
        if attempt_number is None and final:
            attempt_number = self.store.begin_attempt(study_uid)
        if attempt_number is not None:
            self.store.end_attempt(attempt_number, completed.result, final=final)

    def _make_instance_collector(self, attempt: MoveAttempt) -> ReceivedCollector:
        """Return what takes the instances that were sent for *attempt* from a receiver that all studies share.

        It waits a moment where the archive says that more was sent. What comes later stays with the receiver.
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
        case OutOfResources():
            return NextAction.RETRY_SLOWER
        case TransientDicomError():
            return NextAction.RETRY
        case _:
            return NextAction.ACCEPT_RESULT
