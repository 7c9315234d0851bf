"""One C-MOVE, with what the archive says about it (PS3.4 §C.4.2)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from pydicom import Dataset

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.associate import OpenAssociation, abort
from dcmcfg.dicom.cancel import ANSWER_S, Cancellation
from dcmcfg.dicom.elements import comment, texts
from dcmcfg.dicom.retrieval import Priority, Retrieval
from dcmcfg.dicom.status import category_of

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
    :data:`~dcmcfg.dicom.cancel.ANSWER_S` seconds for its final response then. Before the request is sent,
    :class:`DicomError` when the association has ended or is not for this model, and :class:`MalformedInput` for an AE
    title that is none. Ctrl-C cancels too, aborts the association and is passed on.
    """
    parse_ae_title(destination)
    model = retrieval.model.move
    message_id = opened.next_message_id(model)
    under_way = _UnderWay(opened, message_id, model)
    try:
        responses = opened.assoc.send_c_move(retrieval.identifier(), destination, model, message_id, priority.value)
    except RuntimeError as error:  # the association ended just now
        raise opened.failure(0) from error
    try:
        on_sent()
        with (cancellation or Cancellation()).heard_by(under_way.cancel):
            return _follow(under_way, responses, on_pending)
    except BaseException:
        under_way.send_cancel()
        raise
    finally:
        under_way.over()


class _UnderWay:
    """A C-MOVE that was sent, and when its end was asked for."""

    def __init__(self, opened: OpenAssociation, message_id: int, model: str) -> None:
        self.opened = opened
        self.cancelled = False
        self._message_id = message_id
        self._model = model
        self._given_up = False
        self._patience: threading.Timer | None = None

    def cancel(self) -> None:
        """Send a C-CANCEL; give up the wait for the final response after a while."""
        self.cancelled = True
        self._patience = threading.Timer(ANSWER_S, self._give_up)
        self._patience.daemon = True
        self._patience.start()
        self.send_cancel()

    def _give_up(self) -> None:
        self._given_up = not self.opened.trace.ending
        self.opened.trace.wake()

    def send_cancel(self) -> None:
        if self.opened.assoc.is_established:
            with contextlib.suppress(ValueError, RuntimeError):
                self.opened.assoc.send_c_cancel(self._message_id, query_model=self._model)

    def over(self) -> None:
        if self._patience:
            self._patience.cancel()

    def at_a_standstill(self, progress: Progress, stood: float, started: float) -> MoveOutcome:
        """Return the outcome where the peer says again and again that it goes on, and nothing else; cancel it."""
        self.send_cancel()
        outcome = self.interrupted(progress, self.opened.timeouts.dimse, started)
        abort(self.opened.assoc)
        return replace(outcome, interrupted=f"pending responses for {stood:.0f} s, with the same numbers each time")

    def interrupted(self, progress: Progress, waited: float, started: float) -> MoveOutcome:
        """Return the outcome where no final response came, *waited* seconds after the last one."""
        timed_out = waited >= self.opened.timeouts.dimse
        why = self.opened.ending(waited)
        if self._given_up:
            why = f"no answer to C-CANCEL within {ANSWER_S:g} s"
        return MoveOutcome(
            status=None,
            remaining=progress.remaining,
            completed=progress.completed,
            failed=progress.failed,
            warning=progress.warning,
            interrupted=why,
            timed_out=timed_out,
            cancelled=self.cancelled,
            seconds=time.monotonic() - started,
        )


def _follow(
    under_way: _UnderWay,
    responses: Iterator[tuple[Dataset, Dataset | None]],
    on_pending: Callable[[Progress], None],
) -> MoveOutcome:
    started = waiting_since = moved = time.monotonic()
    progress = furthest = Progress()
    if under_way.opened.trace.ending:  # it ended before the wait began, so nothing would end the wait
        return under_way.interrupted(progress, 0, started)
    for status, identifier in responses:
        if "Status" not in status:
            return under_way.interrupted(progress, time.monotonic() - waiting_since, started)
        progress = _progress(status)
        if category_of(status.Status) != "pending":
            return replace(_final(status, identifier, progress, started), cancelled=under_way.cancelled)
        on_pending(progress)
        waiting_since = time.monotonic()
        moved = waiting_since if progress.is_beyond(furthest) else moved
        furthest = progress.furthest(furthest)
        if waiting_since - moved >= STANDSTILL * under_way.opened.timeouts.dimse:
            return under_way.at_a_standstill(progress, waiting_since - moved, started)
    return under_way.interrupted(progress, 0, started)


def _final(status: Dataset, identifier: Dataset | None, progress: Progress, started: float) -> MoveOutcome:
    return MoveOutcome(
        status=int(status.Status),
        comment=comment(status),
        offending_elements=_tags(status.get("OffendingElement")),
        failed_sop_instance_uids=texts(identifier, "FailedSOPInstanceUIDList") if identifier is not None else (),
        remaining=progress.remaining,
        completed=progress.completed,
        failed=progress.failed,
        warning=progress.warning,
        seconds=time.monotonic() - started,
    )


def _progress(status: Dataset) -> Progress:
    return Progress(
        status.get("NumberOfRemainingSuboperations"),
        status.get("NumberOfCompletedSuboperations"),
        status.get("NumberOfFailedSuboperations"),
        status.get("NumberOfWarningSuboperations"),
    )


def _tags(value: int | Iterable[int] | None) -> tuple[str, ...]:
    """Return the tags of an AT element, which pydicom gives as one number or a list of them."""
    numbers = value if isinstance(value, Iterable) else () if value is None else (value,)
    return tuple(f"({int(number) >> 16:04X},{int(number) & 0xFFFF:04X})" for number in numbers)
