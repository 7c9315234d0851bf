"""Send a C-MOVE and read its responses (PS3.4 §C.4.2), or cancel it (C-CANCEL, PS3.7 §9.3.2.3)."""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.elements import read_texts
from dcmcfg.dicom.identifiers import decode_identifier, encode_identifier
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.retrieval import Priority, Retrieval
from dcmcfg.dicom.status import get_category
from dcmcfg.dicom.ul.association import AssociationEnded, DimseResponseTimeout
from dcmcfg.dicom.ul.command_set import (
    COMPLETED_SUB_OPERATIONS,
    FAILED_SUB_OPERATIONS,
    MOVE_DESTINATION,
    OFFENDING_ELEMENT,
    PRIORITY,
    REMAINING_SUB_OPERATIONS,
    WARNING_SUB_OPERATIONS,
    CommandField,
    CommandSet,
    encode_us,
)
from dcmcfg.dicom.ul.request import DimseRequest, DimseResponse
from dcmcfg.limits import MOVE_RESPONSES

#: Seconds that a peer has for its final response after a C-CANCEL.
CANCEL_TIMEOUT_S = 10.0


class Cancellation:
    """A cancellation request from any thread, made once; a C-MOVE that runs then, or later, sends a C-CANCEL."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_requested = False
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_requested(self) -> bool:
        """Whether a cancellation was requested."""
        return self._is_requested

    def request(self) -> None:
        """Cancel the current operation."""
        with self._lock:
            self._is_requested = True
            callbacks = tuple(self._callbacks)
        # The lock is free again here, because a callback may block while other threads subscribe.
        for callback in callbacks:
            callback()

    @contextmanager
    def subscribe(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call *callback* if a cancellation is requested while the block runs, or was requested before."""
        with self._lock:
            # Under the same lock as request(), a cancellation calls each callback exactly once.
            is_requested = self._is_requested
            self._callbacks.append(callback)
        try:
            if is_requested:
                callback()
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


#: Factor on the DIMSE time-out: how long pending responses with unchanged numbers are accepted.
STANDSTILL_FACTOR = 10


@dataclass(frozen=True)
class MoveProgress:
    """The numbers of sub-operations in a response; None if the response does not contain them."""

    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None

    @property
    def ended(self) -> int:
        """Number of sub-operations that have ended."""
        return (self.completed or 0) + (self.failed or 0) + (self.warning or 0)

    def is_ahead_of(self, other: MoveProgress) -> bool:
        """Return whether more has ended, or less remains, than in *other*; alternating numbers are no progress."""
        if self.ended != other.ended or self.remaining is None:
            return self.ended > other.ended
        return other.remaining is None or self.remaining < other.remaining

    def select_furthest(self, other: MoveProgress) -> MoveProgress:
        """Return the one of the two that is ahead of the other."""
        return self if self.is_ahead_of(other) else other


@dataclass(frozen=True)
class MoveOutcome:
    """The result of a C-MOVE that was sent.

    ``status`` is the final one, None if there was none. Then ``interruption`` has the reason in words (otherwise
    ``""``), and ``timed_out`` distinguishes a silent peer from an ended association. The numbers are those of the final
    response, or the last ones received; archives leave out zeros. ``offending_elements`` are tags such as
    ``(0020,000D)``. ``cancelled`` is True if dcmcfg requested the end. ``seconds`` is the time from the request to the
    end.
    """

    status: int | None
    comment: str = ""
    offending_elements: tuple[str, ...] = ()
    failed_sop_instance_uids: tuple[str, ...] = ()
    _: KW_ONLY
    remaining: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    interruption: str = ""
    timed_out: bool = False
    cancelled: bool = False
    seconds: float = 0.0


def _ignore_progress(*_: object) -> None:
    """Do nothing (default callback)."""


def send_move(
    association: OpenAssociation,
    retrieval: Retrieval,
    destination_ae_title: str,
    *,
    priority: Priority = Priority.MEDIUM,
    cancellation: Cancellation | None = None,
    on_sent: Callable[[], None] = _ignore_progress,
    on_pending: Callable[[MoveProgress], None] = _ignore_progress,
) -> MoveOutcome:
    """Request the peer to send *retrieval* to the AE *destination_ae_title*; return the outcome.

    *on_sent* is called in this thread after the request is sent, *on_pending* with each pending response (there may be
    none). After that, nothing that the peer does raises: a failure status, an abort, a lost connection and a time-out
    are outcomes. A *cancellation* sends a C-CANCEL and is an outcome too: the peer then has
    :data:`~dcmcfg.dicom.move.CANCEL_TIMEOUT_S` seconds for its final response. Before the request is sent, raises
    :class:`~dcmcfg.errors.DicomError` if the association has ended or does not have this model, and
    :class:`~dcmcfg.errors.MalformedInput` for an invalid AE title. Ctrl-C also cancels, aborts the association and is
    passed on.
    """
    parse_ae_title(destination_ae_title)
    model = retrieval.model.move_sop_class
    identifier = encode_identifier(retrieval.build_identifier(), association.get_transfer_syntax(model))
    values = {PRIORITY: encode_us(priority.value), MOVE_DESTINATION: _encode_ae_title(destination_ae_title)}
    request = association.send(CommandField.C_MOVE, model, values, identifier)
    move_in_progress = _MoveInProgress(association, request)
    try:
        on_sent()
        with (cancellation or Cancellation()).subscribe(move_in_progress.cancel):
            return move_in_progress.wait_for_outcome(on_pending)
    except BaseException:
        # After Ctrl-C, the archive would otherwise go on sending.
        move_in_progress.send_cancel()
        raise


class _MoveInProgress:
    """A C-MOVE request that was sent, and its responses so far."""

    def __init__(self, association: OpenAssociation, request: DimseRequest) -> None:
        self._association = association
        self._request = request
        self._started = self._progressed_at = time.monotonic()  # the time of the last change of the numbers
        self._progress = self._furthest = MoveProgress()
        self._cancelled = threading.Event()  # set by a cancellation, possibly in another thread
        self._response_timeout_s = association.timeouts.dimse

    def cancel(self) -> None:
        """Make the waiting thread send a C-CANCEL."""
        # The event is set before the wake-up, because the waiting thread reads it as soon as it wakes.
        self._cancelled.set()
        self._association.ul_association.wake()

    def send_cancel(self) -> None:
        with contextlib.suppress(AssociationEnded):
            self._request.cancel()

    def wait_for_outcome(self, on_pending: Callable[[MoveProgress], None]) -> MoveOutcome:
        """Wait for the outcome and return it."""
        cancel_sent = False
        pending = 0
        while True:
            if self._cancelled.is_set() and not cancel_sent:
                cancel_sent, self._response_timeout_s = True, CANCEL_TIMEOUT_S
                self.send_cancel()
            try:
                response = self._request.wait_for_response(self._response_timeout_s)
            except AssociationEnded as end:
                return self._build_interrupted_outcome(
                    timed_out=isinstance(end, DimseResponseTimeout), cancelled=cancel_sent
                )
            if response is None:
                # A wake-up returns no response; the next turn of the loop sends the C-CANCEL.
                continue
            self._progress = _read_progress(response.command)
            if get_category(response.status) != "pending":
                return self._build_final_outcome(response)
            on_pending(self._progress)
            pending += 1
            if pending > MOVE_RESPONSES.maximum:
                return self._end_at_response_limit()
            if self._stands_still():
                return self._end_standstill()

    def _stands_still(self) -> bool:
        now = time.monotonic()
        self._progressed_at = now if self._progress.is_ahead_of(self._furthest) else self._progressed_at
        self._furthest = self._progress.select_furthest(self._furthest)
        return now - self._progressed_at >= STANDSTILL_FACTOR * self._association.timeouts.dimse

    def _end_standstill(self) -> MoveOutcome:
        """Cancel, and return the outcome for a peer that sends pending responses without any progress."""
        duration_s = STANDSTILL_FACTOR * self._association.timeouts.dimse
        self.send_cancel()
        self._association.ul_association.abort(f"the pending responses showed no progress for {duration_s:g} s")
        return self._build_interrupted_outcome(timed_out=True, cancelled=False)

    def _end_at_response_limit(self) -> MoveOutcome:
        """Cancel, and return the outcome for a peer that sends more pending responses than it can have reason to."""
        self.send_cancel()
        limit = f"more than {MOVE_RESPONSES.format_maximum()} {MOVE_RESPONSES.description}"
        self._association.ul_association.abort(f"{limit} ({MOVE_RESPONSES.next_step})")
        return self._build_interrupted_outcome(timed_out=False, cancelled=False)

    def _build_interrupted_outcome(self, *, timed_out: bool, cancelled: bool) -> MoveOutcome:
        """Return the outcome without a final response."""
        reason = self._association.ul_association.end_reason
        if timed_out and cancelled:
            reason = f"no response to C-CANCEL within {CANCEL_TIMEOUT_S:g} s"
        return replace(self._build_outcome(None), interruption=reason, timed_out=timed_out and not cancelled)

    def _build_final_outcome(self, response: DimseResponse) -> MoveOutcome:
        identifier = decode_identifier(response.data_set) if response.data_set is not None else None
        return replace(
            self._build_outcome(response.status),
            comment=response.comment,
            offending_elements=_format_tags(response.command.elements.get(OFFENDING_ELEMENT, b"")),
            failed_sop_instance_uids=read_texts(identifier, "FailedSOPInstanceUIDList")
            if identifier is not None
            else (),
        )

    def _build_outcome(self, status: int | None) -> MoveOutcome:
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


def _encode_ae_title(title: str) -> bytes:
    # AE titles are padded with a blank (PS3.5 Section 6.2); encode_command_set adds a NUL to odd lengths.
    return (title + " " * (len(title) % 2)).encode("ascii")


def _read_progress(command: CommandSet) -> MoveProgress:
    return MoveProgress(
        *(
            command.number(each)
            for each in (
                REMAINING_SUB_OPERATIONS,
                COMPLETED_SUB_OPERATIONS,
                FAILED_SUB_OPERATIONS,
                WARNING_SUB_OPERATIONS,
            )
        )
    )


def _format_tags(value: bytes) -> tuple[str, ...]:
    """Return the tags in an AT element as text."""
    # iter_unpack raises for a value that is not a multiple of four octets, which a peer may send.
    complete_length = len(value) // 4 * 4
    return tuple(
        f"({group:04X},{element:04X})" for group, element in struct.iter_unpack("<HH", value[:complete_length])
    )
