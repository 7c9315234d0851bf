"""One C-MOVE, with what the archive says about it (PS3.4 §C.4.2).

The wish to end C-MOVEs that are under way (C-CANCEL, PS3.7 §9.3.2.3).
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.elements import texts
from dcmcfg.dicom.identifiers import decoded, encoded
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.retrieval import Priority, Retrieval
from dcmcfg.dicom.status import category_of
from dcmcfg.dicom.ul.association import Ended, NoAnswer
from dcmcfg.dicom.ul.command_set import (
    COMPLETED,
    FAILED,
    MOVE_DESTINATION,
    OFFENDING_ELEMENT,
    PRIORITY,
    REMAINING,
    WARNING,
    Command,
    Kind,
    us,
)
from dcmcfg.dicom.ul.request import Request, Response
from dcmcfg.limits import MOVE_RESPONSES

#: Seconds that a peer has for its final response once it was asked to end.
ANSWER_S = 10.0


class Cancellation:
    """Asked for from any thread, once; who moves meanwhile, or later, sends a C-CANCEL."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._under_way: list[Callable[[], None]] = []

    @property
    def asked(self) -> bool:
        """Whether the end was asked for."""
        return self._asked

    def now(self) -> None:
        """Ask for the end of what is under way."""
        with self._lock:
            self._asked = True
            callbacks = tuple(self._under_way)
        for callback in callbacks:
            callback()

    @contextmanager
    def heard_by(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call *callback* when the end is asked for while the block runs, or was before."""
        with self._lock:
            asked = self._asked
            self._under_way.append(callback)
        try:
            if asked:
                callback()
            yield
        finally:
            with self._lock:
                self._under_way.remove(callback)


#: How many times as long as silence a peer is borne with that says it goes on, with the same numbers each time.
STANDSTILL = 10


@dataclass(frozen=True)
class Progress:
    """The numbers of sub-operations in a response; None where the response does not say."""

    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None

    @property
    def done(self) -> int:
        """How many sub-operations have ended."""
        return (self.completed or 0) + (self.failed or 0) + (self.warning or 0)

    def is_beyond(self, other: Progress) -> bool:
        """Tell whether more is done than *other* says, or less remains: numbers that go to and fro are no progress."""
        if self.done != other.done or self.remaining is None:
            return self.done > other.done
        return other.remaining is None or self.remaining < other.remaining

    def furthest(self, other: Progress) -> Progress:
        """Return that of the two which is beyond the other."""
        return self if self.is_beyond(other) else other


@dataclass(frozen=True)
class MoveOutcome:
    """How a C-MOVE that was sent has ended.

    ``status`` is the final one, None when none came; then ``interrupted`` says why in words, ``""`` otherwise, and
    ``timed_out`` tells a peer that kept silent from one that ended the association. The numbers are those of the
    final response, or the last ones heard when there is none; an archive leaves out what is zero.
    ``offending_elements`` are tags such as ``(0020,000D)``. ``cancelled`` tells that we asked for the end. ``seconds``
    runs from the request to the end.
    """

    status: int | None
    comment: str = ""
    offending_elements: tuple[str, ...] = ()
    failed_sop_instance_uids: tuple[str, ...] = ()
    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    interrupted: str = ""
    timed_out: bool = False
    cancelled: bool = False
    seconds: float = 0.0


def _ignore(*_: object) -> None:
    """Take no notice."""


def move(
    opened: OpenAssociation,
    retrieval: Retrieval,
    destination: str,
    *,
    priority: Priority = Priority.MEDIUM,
    cancellation: Cancellation | None = None,
    on_sent: Callable[[], None] = _ignore,
    on_pending: Callable[[Progress], None] = _ignore,
) -> MoveOutcome:
    """Ask the peer to send what *retrieval* names to the AE *destination*; return how that ended.

    *on_sent* is called in this thread when the request is on its way, *on_pending* with each pending response;
    there may be none. Once the request is sent, nothing that the peer does raises: a failure status, an abort, a
    lost connection and a time-out are outcomes. So is the end that *cancellation* asks for, by C-CANCEL: the peer has
    :data:`~dcmcfg.dicom.move.ANSWER_S` seconds for its final response then. Before the request is sent,
    :class:`DicomError` when the association has ended or is not for this model, and :class:`MalformedInput` for an AE
    title that is none. Ctrl-C cancels too, aborts the association and is passed on.
    """
    parse_ae_title(destination)
    model = retrieval.model.move
    identifier = encoded(retrieval.identifier(), opened.encoding_of(model))
    values = {PRIORITY: us(priority.value), MOVE_DESTINATION: _even(destination)}
    request = opened.send(Kind.C_MOVE, model, values, identifier)
    under_way = _UnderWay(opened, request)
    try:
        on_sent()
        with (cancellation or Cancellation()).heard_by(under_way.cancel):
            return under_way.followed(on_pending)
    except BaseException:
        under_way.send_cancel()
        raise


class _UnderWay:
    """A C-MOVE that was sent."""

    def __init__(self, opened: OpenAssociation, request: Request) -> None:
        self._opened = opened
        self._request = request
        self._started = self._moved = time.monotonic()  # the numbers have been as they are since then
        self._progress = self._furthest = Progress()
        self._cancelled = threading.Event()  # the end was asked for, maybe in another thread
        self._patience_s = opened.timeouts.dimse

    def cancel(self) -> None:
        """Have the thread that waits send a C-CANCEL."""
        self._cancelled.set()
        self._opened.association.wake()

    def send_cancel(self) -> None:
        with contextlib.suppress(Ended):
            self._request.cancel()

    def followed(self, on_pending: Callable[[Progress], None]) -> MoveOutcome:
        """Return the outcome when it is there."""
        told = False
        pending = 0
        while True:
            if self._cancelled.is_set() and not told:
                told, self._patience_s = True, ANSWER_S
                self.send_cancel()
            try:
                response = self._request.response(self._patience_s)
            except Ended as end:
                return self._interrupted(timed_out=isinstance(end, NoAnswer), cancelled=told)
            if response is None:
                continue
            self._progress = _progress(response.command)
            if category_of(response.status) != "pending":
                return self._final(response)
            on_pending(self._progress)
            pending += 1
            if pending > MOVE_RESPONSES.most:
                return self._endless()
            if self._stands_still():
                return self._at_a_standstill()

    def _stands_still(self) -> bool:
        now = time.monotonic()
        self._moved = now if self._progress.is_beyond(self._furthest) else self._moved
        self._furthest = self._progress.furthest(self._furthest)
        return now - self._moved >= STANDSTILL * self._opened.timeouts.dimse

    def _at_a_standstill(self) -> MoveOutcome:
        """Return the outcome where the peer says again and again that it goes on, and nothing else; cancel it."""
        stood = STANDSTILL * self._opened.timeouts.dimse
        self.send_cancel()
        self._opened.association.abort(f"pending responses for {stood:g} s, with the same numbers each time")
        return self._interrupted(timed_out=True, cancelled=False)

    def _endless(self) -> MoveOutcome:
        """Return the outcome where the peer says that it goes on more often than it can have reason to; cancel it."""
        self.send_cancel()
        more = f"more than {MOVE_RESPONSES.spelt()} {MOVE_RESPONSES.what}"
        self._opened.association.abort(f"{more} ({MOVE_RESPONSES.next_step})")
        return self._interrupted(timed_out=False, cancelled=False)

    def _interrupted(self, *, timed_out: bool, cancelled: bool) -> MoveOutcome:
        """Return the outcome where no final response came."""
        why = self._opened.association.ending
        if timed_out and cancelled:
            why = f"no answer to C-CANCEL within {ANSWER_S:g} s"
        return replace(self._known(None), interrupted=why, timed_out=timed_out and not cancelled)

    def _final(self, response: Response) -> MoveOutcome:
        identifier = decoded(response.data_set) if response.data_set is not None else None
        return replace(
            self._known(response.status),
            comment=response.comment,
            offending_elements=_tags(response.command.elements.get(OFFENDING_ELEMENT, b"")),
            failed_sop_instance_uids=texts(identifier, "FailedSOPInstanceUIDList") if identifier is not None else (),
        )

    def _known(self, status: int | None) -> MoveOutcome:
        progress = self._progress
        return MoveOutcome(
            status=status,
            remaining=progress.remaining,
            completed=progress.completed,
            failed=progress.failed,
            warning=progress.warning,
            cancelled=self._cancelled.is_set(),
            seconds=time.monotonic() - self._started,
        )


def _even(title: str) -> bytes:
    return (title + " " * (len(title) % 2)).encode("ascii")


def _progress(command: Command) -> Progress:
    return Progress(*(command.number(each) for each in (REMAINING, COMPLETED, FAILED, WARNING)))


def _tags(value: bytes) -> tuple[str, ...]:
    """Return the tags of an AT element."""
    whole = len(value) // 4 * 4
    return tuple(f"({group:04X},{element:04X})" for group, element in struct.iter_unpack("<HH", value[:whole]))
