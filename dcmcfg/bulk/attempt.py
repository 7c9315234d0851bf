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
from dataclasses import dataclass, field, replace

from dcmcfg.bulk.schedule import Next, after
from dcmcfg.bulk.store import Store
from dcmcfg.bulk.study_result import Answer, Outcome, answer_of
from dcmcfg.dicom.move import Cancellation, MoveOutcome
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.storage.receiver import ReceivedInstance, Receiver
from dcmcfg.dicom.ul.command_set import Kind
from dcmcfg.errors import DicomError, NotFound, OutOfResources, TryLater
from dcmcfg.verify.addresses import Addresses
from dcmcfg.verify.evidence import Evidence, Question
from dcmcfg.verify.evidence_sources import NOBODY_ELSE, Witnesses
from dcmcfg.verify.judge import judge
from dcmcfg.verify.receiver_options import STRAGGLERS_S
from dcmcfg.verify.run import Arrived, Watcher, gather_on, opened_for
from dcmcfg.verify.timeline import Chronicle
from dcmcfg.verify.verdict import Verdict, counted

#: Message IDs of a run: far from those with which others begin to count.
_MESSAGE_IDS = range(0x1000, 0x8000)


@dataclass(frozen=True, eq=False)
class Try:
    """One time that a study is asked for, by one C-MOVE or by several."""

    study: str


class Requests:
    """The Message IDs of a run that calls as *calling*; several threads may use them.

    A C-STORE names the C-MOVE that it is for by Move Originator AE Title and Message ID (PS3.7 Section 9.1.1.1). An
    archive need not say so, and one that has another archive send may name a number of its own: then the study in the
    data set is what there is to go by.
    """

    def __init__(self, calling: str) -> None:
        self._calling = calling
        self._free = deque(_MESSAGE_IDS)
        self._free.rotate(secrets.randbelow(len(_MESSAGE_IDS)))
        self._tries: dict[int, Try] = {}
        self._astray: Counter[tuple[str | None, str | None]] = Counter()  # by the study it was sent for, and its own
        self._lock = threading.Lock()

    def of(self, asked: Try) -> Generator[int]:
        """Yield Message IDs for C-MOVEs of *asked*, each when the one before is over; close it when the last one is.

        None is that of another C-MOVE under way. One that is over is the last to be given out again: until then
        what comes late counts for nothing else.
        """
        while True:
            with self._lock:
                number = self._free.popleft()
                self._tries[number] = asked
            try:
                yield number
            finally:
                with self._lock:
                    self._free.append(number)

    def is_for(self, asked: Try, instance: ReceivedInstance) -> bool:
        """Tell whether it was sent for *asked*: for one of its C-MOVEs, or for none of ours and its study."""
        named = self._named_by(instance)
        return named is asked if named else instance.study_uid == asked.study

    def study_of(self, instance: ReceivedInstance) -> str | None:
        """Return the study for which it was sent: of the C-MOVE that it names, else the one that its data set names."""
        named = self._named_by(instance)
        return named.study if named else instance.study_uid

    def note(self, asked: Try, taken: Iterable[ReceivedInstance]) -> None:
        """Remember what is of other studies among that which was *taken* for *asked*."""
        others = [(asked.study, each.study_uid) for each in taken if each.study_uid not in (None, asked.study)]
        with self._lock:
            self._astray.update(others)

    def astray(self, asked: Try, waiting: Iterable[ReceivedInstance]) -> Iterator[str]:
        """Yield in words what was sent for one study and is of another, where one of them is that of *asked*.

        It was noted, or is still *waiting* to be taken. What came for an earlier try, and counts for none, is the last.
        """
        uid, waits = asked.study, tuple(waiting)
        with self._lock:
            noted = self._astray.copy()
        sent = noted + Counter((self.study_of(each), each.study_uid) for each in waits)
        for (sender, study), number in sent.items():
            if study == uid != sender:
                yield f"{counted(number)} of it came by the C-MOVE of study {sender}, for which it counts"
        for (sender, study), number in noted.items():
            if sender == uid:
                yield f"{counted(number)} of study {study} came by its C-MOVE"
        if late := sum(self.study_of(each) == uid and not self.is_for(asked, each) for each in waits):
            yield f"{counted(late)} came for an earlier C-MOVE of it, too late to count"

    def _named_by(self, instance: ReceivedInstance) -> Try | None:
        number = instance.move_originator_message_id
        if instance.move_originator_ae_title != self._calling or number is None:
            return None
        return self._tries.get(number)


class Stopped(Exception):
    """Nothing more is asked for."""


@dataclass(frozen=True)
class Proven:
    """The ``evidence`` on one study, and what happened when."""

    evidence: Evidence
    chronicle: Chronicle


@dataclass(frozen=True)
class Tried:
    """What came of it; ``attempt`` is its number in the store, None where no C-MOVE was about to be sent.

    ``usable`` tells whether the association can be used again, ``proven`` what is to be kept, if anything.
    """

    answer: Answer
    next: Next
    attempt: int | None
    usable: bool
    proven: Proven | None = None

    @property
    def broke(self) -> bool:
        """Whether the association broke, and nothing else is known."""
        return self.next is Next.AGAIN and not self.usable


def as_judged(verdict: Verdict, _: Evidence) -> Verdict:
    """Return *verdict*."""
    return verdict


@dataclass(frozen=True)
class Asking:
    """Who is asked to send to whom, and what all studies of a run share."""

    question: Question  # about no study yet
    addresses: Addresses
    store: Store
    cancellation: Cancellation
    requests: Requests
    tls: ssl.SSLContext | None = None
    receiver: Receiver | None = None
    witnesses: Witnesses = NOBODY_ELSE
    tree: str = ""  # what is kept with each answer as Answer.tree
    sent: threading.Event = field(default_factory=threading.Event)  # set when the first C-MOVE is about to go out
    advised: Callable[[Verdict, Evidence], Verdict] = as_judged  # with other next steps
    keep: Callable[[Proven], None] | None = None  # keeps the evidence of an answer that stands; in several threads

    def associated(self) -> AbstractContextManager[OpenAssociation]:
        """Return an association with the archive, as a context."""
        return opened_for(self.question, self.addresses, self.tls)

    def ask(self, opened: OpenAssociation, uid: str, on_life: Callable[[], None]) -> Tried:
        """Ask for the study *uid*; the attempt is on record before the C-MOVE goes out, its answer not yet.

        *on_life* is called with each response that says that the archive is at it.
        Raises :class:`Stopped` when no more C-MOVE is to go out, and :class:`~dcmcfg.errors.DcmcfgError` when the store
        does not work.
        """
        attempts: list[int] = []
        asked = Try(uid)
        chronicle = Chronicle()

        def on_asking() -> None:
            if attempts:  # below STUDY level several C-MOVEs are one attempt
                return
            if self.cancellation.asked:
                raise Stopped
            if self.receiver is not None:
                # what came before it was asked for proves nothing
                self.receiver.take(lambda each: self.requests.study_of(each) == uid)
            attempts.append(self.store.begin(uid))
            self.sent.set()

        try:
            with closing(self.requests.of(asked)) as numbers:
                evidence = gather_on(
                    opened.numbering(Kind.C_MOVE, numbers),
                    replace(self.question, study_uid=uid),
                    self.addresses,
                    receiver=self.receiver,
                    arrived=self._arrived_for(asked),
                    witnesses=self.witnesses,
                    cancellation=self.cancellation,
                    watcher=chronicle.of(Watcher(on_asking=on_asking, on_pending=lambda _: on_life())),
                )
        except (DicomError, NotFound) as error:
            answer = replace(_not_asked(error), tree=self.tree)
            return Tried(answer, _after(error), next(iter(attempts), None), usable=False)
        verdict = self.advised(judge(evidence), evidence)
        usable = evidence.outcome.status is not None
        follows = after(evidence.outcome, accepted=verdict.accepted)
        answer = answer_of(verdict, evidence, self.addresses.warnings)
        astray = tuple(self._astray(asked))
        answer = replace(answer, headline="; ".join((answer.headline, *astray)), tree=self.tree)
        proven = None
        if self.keep is not None:
            proven = Proven(replace(evidence, warnings=(*evidence.warnings, *astray)), chronicle)
        return Tried(answer, follows, attempts[0], usable=usable, proven=proven)

    def record(self, uid: str, tried: Tried, *, final: bool) -> None:
        """Put on record what came of an attempt; where no C-MOVE was about to go out, only if that is *final*.

        Its evidence is kept before: a study without an answer is asked for again, one without evidence would not be.
        """
        if final and self.keep is not None and tried.proven is not None:
            self.keep(tried.proven)
        attempt = tried.attempt
        if attempt is None and final:
            attempt = self.store.begin(uid)
        if attempt is not None:
            self.store.end(attempt, tried.answer, final=final)

    def _arrived_for(self, asked: Try) -> Arrived:
        """Return what takes the instances that were sent for *asked* from a receiver that all studies share.

        It waits a moment where the archive says that more was sent. What comes later stays with the receiver.
        """

        def is_for(instance: ReceivedInstance) -> bool:
            return self.requests.is_for(asked, instance)

        def arrived(receiver: Receiver, outcome: MoveOutcome) -> tuple[ReceivedInstance, ...]:
            reported = outcome.completed or 0

            def enough(all_: Sequence[ReceivedInstance]) -> bool:
                return len({each.sop_instance_uid for each in all_ if is_for(each)}) >= reported

            receiver.wait_until(enough, STRAGGLERS_S)
            taken = receiver.take(is_for)
            self.requests.note(asked, taken)
            return taken

        return arrived

    def _astray(self, asked: Try) -> Iterator[str]:
        return self.requests.astray(asked, self.receiver.received if self.receiver else ())


def _not_asked(error: DicomError | NotFound) -> Answer:
    return Answer(Outcome.NOT_ASKED, f"no C-MOVE was sent: {error.what}", next_step=error.next_step)


def _after(error: DicomError | NotFound) -> Next:
    match error:
        case OutOfResources():
            return Next.AGAIN_GENTLY
        case TryLater():
            return Next.AGAIN
        case _:
            return Next.NOTHING
