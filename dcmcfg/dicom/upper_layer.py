"""PDUs read straight off a connection, for the accepting side (PS3.8 Section 9.3)."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable, Iterator
from enum import IntEnum

_HEADER = struct.Struct(">BxL")
_ABORT = struct.Struct(">BxLxxBB")
#: Small enough for the memory of a processor, large enough that there are few calls to the system.
_BUFFER_OCTETS = 1 << 19
_LINGER_S = 1.0
#: How often it is looked whether waiting is over; to wake a TLS connection any other way would spoil it.
_LOOK_UP_S = 0.1
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux
RELEASE_REPLY = b"\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"
#: By the service user, for no reason that there is a number for.
ABORT = b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00"


class PduType(IntEnum):
    """The types of PDU (PS3.8 Section 9.3)."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class Reason(IntEnum):
    """Why the upper layer aborts (PS3.8 Table 9-26)."""

    NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    INVALID_VALUE = 6


class Violation(Exception):
    """The peer broke the protocol, so that the association is aborted; *reason* is None where DIMSE was broken.

    ``pdu`` is the A-ABORT to send: from the service provider with its reason, else from the service user.
    """

    def __init__(self, reason: Reason | None, what: str) -> None:
        super().__init__(what)
        self.pdu = _ABORT.pack(PduType.ABORT, 4, 0 if reason is None else 2, reason or 0)


class ConnectionOver(Exception):
    """Nothing more comes; what became of the connection is said in words that follow its peer's name."""


class PduStream:
    """The octets of one connection, in pieces that are read once and copied nowhere.

    Each wait for octets lasts *seconds* at most, or until the moment given to :meth:`hurry`, or until *is_over*. What
    does not come raises :class:`ConnectionOver`.
    """

    def __init__(self, connection: socket.socket, seconds: float, is_over: Callable[[], bool]) -> None:
        self.is_over = is_over
        self._connection = connection
        self._seconds = seconds
        self._deadline: float | None = None
        self._patience: float | None = None  # of the socket
        self._buffer = bytearray(_BUFFER_OCTETS)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    def hurry(self, seconds: float) -> None:
        """Give all that is read from now on *seconds* together, however slowly it comes."""
        self._deadline = time.monotonic() + seconds

    def take_time(self) -> None:
        """Wait for each piece as long as before :meth:`hurry`."""
        self._deadline = None

    def header(self) -> tuple[int, int]:
        """Return the type of the next PDU, and the length of the rest of it."""
        kind, length = _HEADER.unpack(self.octets(_HEADER.size))
        return kind, length

    def octets(self, number: int) -> memoryview:
        """Return the next *number* octets, at most as many as the buffer holds; they are good until the next call."""
        if self._end - self._start < number:
            self._gather(number)
        start = self._start
        self._start += number
        return self._view[start : self._start]

    def pieces(self, number: int) -> Iterator[memoryview]:
        """Yield the next *number* octets in pieces as they come; each is good until the next one."""
        while number:
            if self._start == self._end:
                self._start = self._end = 0
                self._receive()
            start = self._start
            self._start = min(self._end, start + number)
            number -= self._start - start
            yield self._view[start : self._start]

    def send(self, octets: bytes) -> None:
        """Send all of *octets*."""
        try:
            self._be_patient(self._seconds)
            self._connection.sendall(octets)
        except OSError as error:
            raise ConnectionOver("did not take the answer") from error

    def close(self, last_words: bytes = b"") -> None:
        """Send *last_words*, wait a moment for the peer to close, so that they are not lost, then close."""
        self.is_over = lambda: False  # until it is all said
        with contextlib.suppress(OSError), self._connection:
            if last_words:
                self._be_patient(_LINGER_S)
                self._connection.sendall(last_words)
                socket.socket.shutdown(self._connection, socket.SHUT_WR)  # TLS's own would forget how to read
                self._drain()

    def _drain(self) -> None:
        """Throw away what the peer still sends, until it closes or the time is over."""
        self.hurry(_LINGER_S)
        with contextlib.suppress(ConnectionOver):
            while True:
                self._start = self._end = 0
                self._receive()

    def _gather(self, number: int) -> None:
        """Have *number* octets in one piece."""
        left = self._end - self._start
        self._view[:left] = self._view[self._start : self._end]
        self._start, self._end = 0, left
        while self._end < number:
            self._receive()

    def _receive(self) -> None:
        """Add what has come to the buffer, waiting for it."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise ConnectionOver("was too slow")
        try:
            received = self._wait()
        except OSError as error:
            raise ConnectionOver(f"was lost ({error.strerror or error})") from error
        if not received:
            raise ConnectionOver("closed the connection without a release")
        self._end += received

    def _wait(self) -> int:
        """Return how many octets have come, 0 where no more can come."""
        until = self._deadline or time.monotonic() + self._seconds
        self._be_patient(min(self._seconds, _LOOK_UP_S))
        if _QUICK_ACK is not None:  # dcmtk waits for the receipt of one piece before it sends the next
            self._connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        while not self.is_over():
            try:
                return self._connection.recv_into(self._view[self._end :])
            except TimeoutError:
                if time.monotonic() > until:
                    raise ConnectionOver("was silent for too long") from None
        raise ConnectionOver("was connected when we stopped")

    def _be_patient(self, seconds: float) -> None:
        """Have the socket wait so long; to say so again costs a call to the system."""
        if seconds != self._patience:
            self._connection.settimeout(seconds)
            self._patience = seconds
