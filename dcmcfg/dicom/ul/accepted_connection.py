"""Read PDUs from an accepted connection, with its time-outs and its end (PS3.8 Section 9.3)."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Iterator

from dcmcfg.dicom.ul.pdu import COMMAND_BIT, HEADER, LAST_FRAGMENT_BIT, MAX_PDU_OCTETS, PduType
from dcmcfg.dicom.ul.requested_connection import close_gracefully

_LINUX = sys.platform == "linux"
_TIME = struct.Struct("@ll")  # The kernel expects a struct timeval in native sizes.
#: Polling interval for the end of a wait; waking a TLS connection in another way would break it.
_POLL_INTERVAL_S = 0.1


class ConnectionEnded(Exception):
    """The connection has ended; the message is a phrase that follows the peer's name."""


class AcceptedConnection:
    """Sends and receives octets.

    Each wait lasts at most *seconds*, or until the time given to :meth:`set_deadline`, or until *is_stopping*. Octets
    that cannot be received or sent raise :class:`ConnectionEnded`.
    """

    def __init__(self, connection: socket.socket, seconds: float, is_stopping: Callable[[], bool]) -> None:
        self.is_stopping = is_stopping
        self._connection = connection
        self._deadline: float | None = None
        # Python's ssl module repeats a read that a kernel time-out has ended, so TLS connections use Python's time-out.
        self._has_own_timeouts = _LINUX and not isinstance(connection, ssl.SSLSocket)
        self._set_timeouts(seconds)
        self._enable_quick_ack()

    def set_deadline(self, seconds: float) -> None:
        """Limit everything that is received from now on to *seconds* in total."""
        self._deadline = time.monotonic() + seconds

    def clear_deadline(self) -> None:
        """Restore the time-out for each piece that applied before :meth:`set_deadline`."""
        self._deadline = None

    def receive_into(self, buffer: memoryview) -> int:
        """Wait for octets, write them to *buffer*, and return their number, at least one."""
        # A peer that sends octet by octet never reaches the time-out of a single wait.
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise ConnectionEnded("was too slow")
        try:
            received = self._wait(buffer)
        except OSError as error:
            raise ConnectionEnded(f"was lost ({error.strerror or error})") from error
        if not received:
            raise ConnectionEnded("closed the connection without a release")
        return received

    def send(self, octets: bytes) -> None:
        """Send all of *octets*."""
        try:
            self._send_all(octets)
        except OSError as error:
            raise ConnectionEnded("did not accept the response") from error
        self._enable_quick_ack()

    def close(self, final_pdu: bytes = b"") -> None:
        """Send *final_pdu*, wait a moment for the peer to close, so that it is not lost, then close."""
        close_gracefully(self._connection, final_pdu)

    def _wait(self, buffer: memoryview) -> int:
        """Return the number of received octets, 0 at the end of the connection."""
        deadline = self._deadline or time.monotonic() + self._seconds
        while not self.is_stopping():
            try:
                return self._connection.recv_into(buffer)
            except (TimeoutError, BlockingIOError):
                # Python's time-out raises TimeoutError; the kernel's raises BlockingIOError (EAGAIN).
                if time.monotonic() > deadline:
                    raise ConnectionEnded("sent nothing until the time-out") from None
        raise ConnectionEnded("was still connected when the receiver stopped")

    def _send_all(self, octets: bytes) -> None:
        if self._has_own_timeouts:
            self._connection.sendall(octets)
        else:
            self._connection.settimeout(self._seconds)
            self._connection.sendall(octets)
            self._connection.settimeout(self._poll_interval_s)

    def _set_timeouts(self, seconds: float) -> None:
        """Set the time-out for sending, and the polling interval for receiving.

        On Linux the kernel applies them, so Python does not have to poll before each piece.
        """
        self._seconds, self._poll_interval_s = seconds, min(seconds, _POLL_INTERVAL_S)
        if self._has_own_timeouts:
            # A Python time-out would make the socket non-blocking, and the kernel's time-outs would have no effect.
            self._connection.settimeout(None)
            for option, value in ((socket.SO_RCVTIMEO, self._poll_interval_s), (socket.SO_SNDTIMEO, seconds)):
                whole_seconds = int(value)
                self._connection.setsockopt(
                    socket.SOL_SOCKET, option, _TIME.pack(whole_seconds, int((value - whole_seconds) * 1e6))
                )
        else:
            self._connection.settimeout(self._poll_interval_s)

    def _enable_quick_ack(self) -> None:
        """Acknowledge received octets immediately, until the next send: dcmtk waits for that between pieces."""
        if _LINUX:
            with contextlib.suppress(OSError):
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


_FRAGMENT = struct.Struct(">BxLLBB")
_P_DATA = int(PduType.P_DATA)  # Comparing plain numbers is faster than comparing enum members.
#: The buffer fits into a processor cache, and is large enough for few system calls.
_BUFFER_OCTETS = 1 << 19


class PduReader:
    """Reads the octets of one connection, in pieces that are not copied."""

    def __init__(self, connection: AcceptedConnection) -> None:
        self._connection = connection
        self._buffer = bytearray(_BUFFER_OCTETS)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def read_header(self) -> tuple[int, int]:
        """Return the type of the next PDU, and the length of the rest of it."""
        kind, length = HEADER.unpack(self.read_octets(HEADER.size))
        return kind, length

    def read_octets(self, number: int) -> memoryview:
        """Return the next *number* octets, at most the size of the buffer; they are valid until the next call."""
        if self._end - self._start < number:
            self._gather(number)
        start = self._start
        self._start += number
        return self._view[start : self._start]

    def iterate_fragments(self, context_id: int) -> Iterator[tuple[memoryview, bool]]:
        """Yield pieces of a data set in *context_id*, with a flag for the last one; each is valid until the next one.

        This is the fast path for P-DATA-TF with a single fragment, which nearly all have. It stops before anything
        else, and if the header of the next PDU is incomplete.
        """
        view = self._view
        while self._end - self._start >= _FRAGMENT.size:
            kind, length, item_length, context, control = _FRAGMENT.unpack_from(view, self._start)
            if kind != _P_DATA or context != context_id or control & COMMAND_BIT:
                return
            # The caller reads PDUs with several values, and reports invalid lengths.
            if item_length + 4 != length or length > MAX_PDU_OCTETS or item_length < 2:
                return
            begin = self._start + _FRAGMENT.size
            end = begin + item_length - 2
            if end <= self._end:
                # The position moves before the yield, because the caller may drop the generator after a last fragment.
                self._start = end
                yield view[begin:end], control & LAST_FRAGMENT_BIT != 0
            else:
                self._start = begin
                yield from self._iterate_rest_of_fragment(item_length - 2, control & LAST_FRAGMENT_BIT != 0)

    def _iterate_rest_of_fragment(self, remaining: int, is_last: bool) -> Iterator[tuple[memoryview, bool]]:
        """Yield the next *remaining* octets as they arrive, with a flag for the last ones of a data set."""
        for piece in self.iterate_pieces(remaining):
            remaining -= len(piece)
            yield piece, is_last and not remaining

    def iterate_pieces(self, number: int) -> Iterator[memoryview]:
        """Yield the next *number* octets in pieces as they arrive; each is valid until the next one."""
        while number:
            if self._start == self._end:
                self._start = self._end = 0
                self._receive()
            start = self._start
            self._start = min(self._end, start + number)
            number -= self._start - start
            yield self._view[start : self._start]

    def _gather(self, number: int) -> None:
        """Move *number* octets into one piece."""
        remaining = self._end - self._start
        self._view[:remaining] = self._view[self._start : self._end]
        self._start, self._end = 0, remaining
        while self._end < number:
            self._receive()

    def _receive(self) -> None:
        """Wait for octets and add them to the buffer."""
        self._end += self._connection.receive_into(self._view[self._end :])
