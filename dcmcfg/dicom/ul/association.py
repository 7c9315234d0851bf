"""Use a requested association from one thread, without a background thread (PS3.8 Section 9.2).

Messages are assembled from P-DATA-TF (PS3.8 Section 9.3.5, PS3.7 Section 6.3).
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
import weakref
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dcmcfg.dicom.ul.association_log import MessageLog
from dcmcfg.dicom.ul.command_set import MESSAGE_ID_BEING_RESPONDED_TO, CommandSet, decode_command_set
from dcmcfg.dicom.ul.negotiation import Acceptance
from dcmcfg.dicom.ul.pdu import (
    ABORT_PDU,
    COMMAND_BIT,
    LAST_FRAGMENT_BIT,
    RELEASE_RP_PDU,
    AbortReason,
    PduType,
    ProtocolViolation,
    build_unexpected_pdu_violation,
    encode_message,
)
from dcmcfg.dicom.ul.requested_connection import ConnectionClosed, PduTimeout, RequestedConnection
from dcmcfg.dicom.ul.tls_failure import describe_lost_connection

#: Upper limits: no valid identifier or command set is longer.
_MAX_DATA_SET_OCTETS, _MAX_COMMAND_SET_OCTETS = 1 << 24, 1 << 16
_PDV = struct.Struct(">LBB")


@dataclass(frozen=True)
class DimseMessage:
    """A command with its data set as encoded (None if there is none), in the presentation context ``context_id``."""

    command: CommandSet
    data_set: bytes | None
    context_id: int


class MessageAssembler:
    """Assembles the next message from its fragments, in one of *context_ids*."""

    def __init__(self, context_ids: Collection[int]) -> None:
        self._context_ids = context_ids
        self._command: CommandSet | None = None  # whose data set is incoming
        self._context_id = 0
        self._octets = bytearray()

    def add_pdu(self, content: bytes) -> Iterator[DimseMessage]:
        """Add the *content* of a P-DATA-TF; yield the messages that it completes.

        Raises :class:`ProtocolViolation`.
        """
        if not content:
            # The connection returns a PDU that is too long as an empty one, and leaves its content unread.
            raise ProtocolViolation(
                AbortReason.INVALID_VALUE, "a data PDU is empty, or longer than the accepted maximum"
            )
        position = 0
        while position < len(content):
            if len(content) - position < _PDV.size:
                raise ProtocolViolation(AbortReason.INVALID_VALUE, "a presentation data value is truncated")
            size, context_id, control = _PDV.unpack_from(content, position)
            start, position = position + _PDV.size, position + size + 4
            if position > len(content) or size < 2:
                raise ProtocolViolation(AbortReason.INVALID_VALUE, "a presentation data value is longer than its PDU")
            self._add(content[start:position], context_id, is_command=bool(control & COMMAND_BIT))
            if control & LAST_FRAGMENT_BIT and (message := self._complete_message()) is not None:
                yield message

    def _add(self, octets: bytes, context_id: int, *, is_command: bool) -> None:
        if is_command != (self._command is None):
            raise ProtocolViolation(None, "the peer sent a data set without a command, or a command within a data set")
        if context_id not in self._context_ids:
            raise ProtocolViolation(AbortReason.INVALID_VALUE, "the presentation context was not accepted")
        if len(self._octets) + len(octets) > (_MAX_COMMAND_SET_OCTETS if is_command else _MAX_DATA_SET_OCTETS):
            raise ProtocolViolation(None, "the message is too long")
        self._context_id = context_id
        self._octets += octets

    def _complete_message(self) -> DimseMessage | None:
        octets = bytes(self._octets)
        self._octets.clear()
        if self._command is not None:
            command, self._command = self._command, None
            return DimseMessage(command, octets, self._context_id)
        command = decode_command_set(octets)
        if not command.has_data_set:
            return DimseMessage(command, None, self._context_id)
        self._command = command
        return None


RELEASE_REQUEST = b"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"
NOT_DICOM = "the peer sent data that is not DICOM"
NOT_A_RESPONSE = "the peer sent a response that is not DICOM"
_PROVIDER_REASONS = {  # PS3.8 Table 9-26
    1: "unrecognised PDU",
    2: "unexpected PDU",
    4: "unrecognised PDU parameter",
    5: "unexpected PDU parameter",
    6: "invalid PDU parameter value",
}
#: Unrequested responses that are accepted before the next request, such as those after a C-CANCEL.
_MAX_UNREQUESTED = 1000
_OPEN: weakref.WeakSet[Association] = weakref.WeakSet()
_OPEN_LOCK = threading.Lock()  # Associations may be opened while force_close_all cuts all of them.


class AssociationEnded(Exception):
    """The association has ended; :attr:`Association.end_reason` has the reason."""


class DimseResponseTimeout(AssociationEnded):
    """The association has ended because no response came in time."""


class Association:
    """An established association on *connection*; *message_log* logs its messages, if given.

    ``end_reason`` is the first reason why it ended, in words; ``""`` while it is open. The peer must complete a PDU
    that it began within *stall_timeout_s* seconds, and a release within *release_timeout_s*. Other threads may call
    :meth:`wake` and :meth:`force_close` only.
    """

    def __init__(
        self,
        connection: RequestedConnection,
        acceptance: Acceptance,
        stall_timeout_s: float,
        release_timeout_s: float,
        *,
        message_log: MessageLog | None = None,
    ) -> None:
        self.connection = connection
        self.acceptance = acceptance
        self.end_reason = ""
        self.stray_message_id: int | None = None  # Message ID of the last response to an unknown request
        self._stall_s, self._release_s = stall_timeout_s, release_timeout_s
        self._is_releasing = False
        self._incoming = MessageAssembler(acceptance.contexts.keys())
        self._messages: deque[DimseMessage] = deque()
        self._log = message_log
        with _OPEN_LOCK:
            _OPEN.add(self)

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent, after PDUs that the peer sent since the last request are processed."""
        # A peer that sends without a request must not hold up the caller.
        deadline = time.monotonic() + self._stall_s
        with contextlib.suppress(AssociationEnded):
            while self._has_octets(0):
                self._take_pdu()
                self._messages = deque(
                    replace(each, data_set=None) for each in self._messages
                )  # Free unread data sets.
                if time.monotonic() > deadline or len(self._messages) > _MAX_UNREQUESTED:
                    self.abort("the peer keeps sending data that dcmcfg did not request")
        return not self.end_reason

    def send(self, context_id: int, command_set: bytes, data_set: bytes | None = None) -> None:
        """Send a message; raises :class:`AssociationEnded`."""
        if self._log is not None:
            self._log.log_sent(command_set, data_set)
        self._send(encode_message(command_set, data_set, context_id, self.acceptance.maximum_length))

    def wait_for_response(self, message_id: int, seconds: float) -> DimseMessage | None:
        """Return the next response to *message_id* within *seconds*; None after :meth:`wake`.

        Responses to other requests are ignored. Raises :class:`AssociationEnded`, or :class:`DimseResponseTimeout` if
        none comes in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            if (message := self._take_response(message_id)) is not None:
                return message
            remaining_s = deadline - time.monotonic()  # Other messages without end do not extend the time-out.
            if remaining_s > 0 and self._has_octets(remaining_s):
                self._take_pdu()
            elif self.connection.was_woken():  # The wait for octets ends in the same way at the time-out.
                return None
            else:
                self.abort(self._describe_timeout(seconds))
                raise DimseResponseTimeout

    def release(self) -> None:
        """Release the association if it is open, and close the connection."""
        # The peer's reply ends the association too, so the suppressed exception is the normal end.
        with contextlib.suppress(AssociationEnded):
            if self.is_open:
                self._send(RELEASE_REQUEST)
                self._is_releasing = True
                deadline = time.monotonic() + self._release_s
                while (remaining_s := deadline - time.monotonic()) > 0:
                    if self._has_octets(remaining_s):
                        self._take_pdu()
                    self._messages.clear()  # No caller waits for them.
                    self.connection.was_woken()  # Ignore a cancellation that came too late.
        self.abort("the peer did not release the association in time")

    def abort(self, reason: str) -> None:
        """End the association with *reason* and an A-ABORT; do nothing if it has ended."""
        if not self.end_reason:
            self._end(reason, ABORT_PDU)

    def wake(self) -> None:
        """Wake the thread that waits in :meth:`wait_for_response`."""
        self.connection.wake()

    def force_close(self) -> None:
        """Cut the connection while another thread uses it."""
        self.connection.force_close(ABORT_PDU)

    def _take_response(self, message_id: int) -> DimseMessage | None:
        while self._messages:
            message = self._messages.popleft()
            # dcmcfg negotiates no SCP role, so a requestor receives responses only (PS3.7 Section D.3.3.4).
            if not message.command.is_response:
                raise self._end(NOT_DICOM, ABORT_PDU)
            if self._log is not None:
                self._log.log_received(message.command, message.data_set)
            # A late response to an earlier request must not count for this one.
            answered_message_id = message.command.number(MESSAGE_ID_BEING_RESPONDED_TO)
            if answered_message_id == message_id:
                return message
            self.stray_message_id = answered_message_id
        return None

    def _send(self, octets: bytes) -> None:
        if self.end_reason:
            raise AssociationEnded
        try:
            self.connection.send(octets, self._stall_s)
        except ConnectionClosed as closed:
            raise self._end(describe_lost_connection(closed)) from closed

    def _has_octets(self, seconds: float) -> bool:
        if self.end_reason:
            raise AssociationEnded
        try:
            return self.connection.wait_for_octets(seconds)
        except ConnectionClosed as closed:
            raise self._end(describe_lost_connection(closed)) from closed

    def _take_pdu(self) -> None:
        """Read one PDU; raises :class:`AssociationEnded` if it ends the association."""
        try:
            kind, content = self.connection.read_pdu(self._stall_s)
            if kind == PduType.P_DATA:
                self._messages.extend(self._incoming.add_pdu(content))
                return
        except ProtocolViolation as violation:
            raise self._end(NOT_DICOM, violation.abort_pdu) from violation
        except PduTimeout as timeout:
            reason = f"the peer did not complete a PDU within {self._stall_s:g} s"
            self._end(reason, ABORT_PDU)
            raise DimseResponseTimeout(reason) from timeout
        except ConnectionClosed as closed:
            raise self._end(describe_lost_connection(closed)) from closed
        raise self._end_after_pdu(kind, content)

    def _end_after_pdu(self, kind: int, body: bytes) -> AssociationEnded:
        """End the association after a PDU that is not data; return the exception to raise."""
        match kind:
            case PduType.ABORT:
                return self._end(describe_abort(body))
            case PduType.RELEASE_RQ:
                return self._end("the peer released the association without a response", RELEASE_RP_PDU)
            # An A-RELEASE-RP without a request is a protocol error (PS3.8 Section 9.2), not a release.
            case PduType.RELEASE_RP if self._is_releasing:
                return self._end("released")
            case _:
                return self._end(NOT_DICOM, build_unexpected_pdu_violation(kind).abort_pdu)

    def _describe_timeout(self, seconds: float) -> str:
        if self.stray_message_id is None:
            return f"no response within {seconds:g} s"
        stray = f"dcmcfg ignored a response with the unknown Message ID {self.stray_message_id}"
        return f"no response to this request within {seconds:g} s; {stray}"

    def _end(self, reason: str, final_pdu: bytes = b"") -> AssociationEnded:
        """Close the connection after *final_pdu*; return the exception to raise."""
        self.end_reason = reason
        if self._log is not None:
            self._log.log_end(reason)
        with _OPEN_LOCK:
            _OPEN.discard(self)
        self.connection.close(final_pdu)
        return AssociationEnded(reason)


def describe_abort(body: bytes) -> str:
    """Return the meaning of an A-ABORT in words; *body* are its octets after the header."""
    # The first two octets are reserved. A reason counts only from the service provider, source 2 (PS3.8 Table 9-26).
    source, reason = (body[2], body[3]) if len(body) >= 4 else (0, 0)
    source_text = (
        f"source: DICOM upper layer, reason: {_PROVIDER_REASONS.get(reason, 'not given')}"
        if source == 2
        else "source: application"
    )
    return f"the peer aborted the association ({source_text})"


def force_close_all() -> None:
    """Cut every association of this process, regardless of the thread that uses it."""
    with _OPEN_LOCK:
        associations = tuple(_OPEN)
    for each in associations:
        each.force_close()
