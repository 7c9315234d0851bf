"""One connection that was accepted: how long is waited for it, and how it is closed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable

from dcmcfg.dicom.closing import close

_LINUX = sys.platform == "linux"
_TIME = struct.Struct("@ll")  # struct timeval
#: How often it is looked whether waiting is over; to wake a TLS connection any other way would spoil it.
_LOOK_UP_S = 0.1


class ConnectionOver(Exception):
    """Nothing more comes; what became of the connection is said in words that follow its peer's name."""


class Line:
    """Octets back and forth.

    Each wait lasts *seconds* at most, or until the moment given to :meth:`hurry`, or until *is_over*. What does not
    come, or does not go, raises :class:`ConnectionOver`.
    """

    def __init__(self, connection: socket.socket, seconds: float, is_over: Callable[[], bool]) -> None:
        self.is_over = is_over
        self._connection = connection
        self._deadline: float | None = None
        self._has_own_timeouts = _LINUX and not isinstance(connection, ssl.SSLSocket)
        self._be_patient(seconds)
        self._acknowledge_at_once()

    def hurry(self, seconds: float) -> None:
        """Give all that is received from now on *seconds* together, however slowly it comes."""
        self._deadline = time.monotonic() + seconds

    def take_time(self) -> None:
        """Wait for each piece as long as before :meth:`hurry`."""
        self._deadline = None

    def receive_into(self, room: memoryview) -> int:
        """Wait for octets, put them into *room*, and return how many, at least one."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise ConnectionOver("was too slow")
        try:
            received = self._wait(room)
        except OSError as error:
            raise ConnectionOver(f"was lost ({error.strerror or error})") from error
        if not received:
            raise ConnectionOver("closed the connection without a release")
        return received

    def send(self, octets: bytes) -> None:
        """Send all of *octets*."""
        try:
            self._say(octets)
        except OSError as error:
            raise ConnectionOver("did not take the answer") from error
        self._acknowledge_at_once()

    def close(self, last_words: bytes = b"") -> None:
        """Send *last_words*, wait a moment for the peer to close, so that they are not lost, then close."""
        close(self._connection, last_words)

    def _wait(self, room: memoryview) -> int:
        """Return how many octets have come, 0 where no more can come."""
        until = self._deadline or time.monotonic() + self._seconds
        while not self.is_over():
            try:
                return self._connection.recv_into(room)
            except (TimeoutError, BlockingIOError):
                if time.monotonic() > until:
                    raise ConnectionOver("was silent for too long") from None
        raise ConnectionOver("was connected when we stopped")

    def _say(self, octets: bytes) -> None:
        if self._has_own_timeouts:
            self._connection.sendall(octets)
        else:
            self._connection.settimeout(self._seconds)
            self._connection.sendall(octets)
            self._connection.settimeout(self._look_up_s)

    def _be_patient(self, seconds: float) -> None:
        """Wait so long to send, and as long as is between two looks to receive.

        Where the system does that by itself, Python need not ask it before each piece whether there is one.
        """
        self._seconds, self._look_up_s = seconds, min(seconds, _LOOK_UP_S)
        if self._has_own_timeouts:
            self._connection.settimeout(None)
            for option, value in ((socket.SO_RCVTIMEO, self._look_up_s), (socket.SO_SNDTIMEO, seconds)):
                whole = int(value)
                self._connection.setsockopt(socket.SOL_SOCKET, option, _TIME.pack(whole, int((value - whole) * 1e6)))
        else:
            self._connection.settimeout(self._look_up_s)

    def _acknowledge_at_once(self) -> None:
        """Have what comes acknowledged when it is read, until we send again: dcmtk waits for that between pieces."""
        if _LINUX:
            with contextlib.suppress(OSError):
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
