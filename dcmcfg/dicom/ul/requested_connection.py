"""The connection of an association that dcmcfg requested: whole PDUs, each in bounded time (PS3.8 Section 9.3).

The connection is closed so that the peer still receives the last PDU.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time

from dcmcfg.dicom.ul.association_log import log_pdu, log_pdus
from dcmcfg.dicom.ul.pdu import HEADER, MAX_PDU_OCTETS
from dcmcfg.protocol_log import PROTOCOL_LOG

#: Seconds in which the peer can read the last PDU and close its side.
_LINGER_S = 1.0


def close_gracefully(connection: socket.socket, final_pdu: bytes = b"") -> None:
    """Send *final_pdu*, wait a moment for the peer to close, so that it is not lost, then close. Never raises."""
    with contextlib.suppress(OSError), connection:
        if final_pdu:
            connection.settimeout(_LINGER_S)
            connection.sendall(final_pdu)
            socket.socket.shutdown(connection, socket.SHUT_WR)  # TLS's own shutdown would prevent reading.
            # If octets are left unread, TCP resets the connection (RFC 1122 4.2.2.13), and the last PDU may be lost.
            _drain(connection)


def _drain(connection: socket.socket) -> None:
    """Discard the octets that the peer still sends, until it closes or the time is over."""
    deadline = time.monotonic() + _LINGER_S
    while (remaining_s := deadline - time.monotonic()) > 0:
        connection.settimeout(remaining_s)
        if not connection.recv(_PIECE):
            return


_PIECE = 1 << 16
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Only Linux has this option.


class ConnectionClosed(Exception):
    """The connection has ended; its cause may have the reason."""


class PduTimeout(Exception):
    """The expected octets did not arrive in time."""


class RequestedConnection:
    """Sends and receives octets; another thread may call :meth:`wake` and :meth:`force_close`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._octets = bytearray()
        # A selector can wait for this pair together with the connection, so another thread can end the wait.
        self._awake, self._waker = socket.socketpair()
        for end in (self._awake, self._waker):
            end.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._selector.register(self._awake, selectors.EVENT_READ)

    def wait_for_octets(self, seconds: float) -> bool:
        """Wait until octets arrive, :meth:`wake` is called, or *seconds* are over; return whether octets arrived.

        Raises :class:`ConnectionClosed`.
        """
        deadline = time.monotonic() + seconds
        while not self._octets:
            # The selector does not see octets that OpenSSL has already read from the socket.
            if not self._is_pending() and not self._is_ready(deadline - time.monotonic()):
                return False
            self._receive(0)
        return True

    def was_woken(self) -> bool:
        """Return whether :meth:`wake` was called since the last call of this method."""
        try:
            return bool(self._awake.recv(1024))
        except BlockingIOError:
            return False

    def read_pdu(self, seconds: float) -> tuple[int, bytes]:
        """Return type and content of the next PDU; the content of a too long PDU is empty.

        Raises :class:`PduTimeout` if it is not complete within *seconds*, and :class:`ConnectionClosed`.
        """
        deadline = time.monotonic() + seconds
        kind, length = HEADER.unpack(self._take(HEADER.size, deadline))
        if PROTOCOL_LOG.level:
            log_pdu("received", kind, length)
        # The content of a longer PDU stays unread, so the caller must end the association.
        return kind, self._take(length, deadline) if length <= MAX_PDU_OCTETS else b""

    def send(self, octets: bytes, seconds: float) -> None:
        """Send all of *octets*; raises :class:`ConnectionClosed`."""
        if PROTOCOL_LOG.level:
            log_pdus("sent", octets)
        try:
            self.connection.settimeout(seconds)
            self.connection.sendall(octets)
        except OSError as error:
            raise ConnectionClosed from error

    def close(self, final_pdu: bytes = b"") -> None:
        """Send *final_pdu*, wait a moment for the peer to close, so that it is not lost, then close."""
        if PROTOCOL_LOG.level:
            log_pdus("sent", final_pdu)
        close_gracefully(self.connection, final_pdu)
        self._selector.close()
        self._awake.close()
        self._waker.close()

    def wake(self) -> None:
        """Wake the thread that waits in :meth:`wait_for_octets`."""
        with contextlib.suppress(OSError):
            self._waker.send(b"!")

    def force_close(self, final_pdu: bytes) -> None:
        """Cut the connection while another thread uses it, after *final_pdu* if the connection is not encrypted."""
        # OpenSSL does not allow two threads to use one TLS connection at the same time.
        if not isinstance(self.connection, ssl.SSLSocket):
            with contextlib.suppress(OSError):  # Cut the connection even if the peer accepts nothing more.
                self.connection.sendall(final_pdu)
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def _take(self, number: int, deadline: float) -> bytes:
        while len(self._octets) < number:
            self._receive(self._get_remaining_seconds(deadline))
        taken = bytes(self._octets[:number])
        del self._octets[:number]
        return taken

    @staticmethod
    def _get_remaining_seconds(deadline: float) -> float:
        remaining_s = deadline - time.monotonic()
        if remaining_s <= 0:
            raise PduTimeout
        return remaining_s

    def _receive(self, seconds: float) -> None:
        """Wait for octets and add them; with 0 seconds there may be none, because TLS has messages of its own."""
        try:
            self.connection.settimeout(seconds)
            if _QUICK_ACK is not None:  # dcmtk waits for the acknowledgement of one piece before it sends the next.
                self.connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
            received = self.connection.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except TimeoutError as error:
            raise PduTimeout from error
        except OSError as error:
            raise ConnectionClosed from error
        if not received:
            raise ConnectionClosed
        self._octets += received

    def _is_pending(self) -> bool:
        return isinstance(self.connection, ssl.SSLSocket) and self.connection.pending() > 0

    def _is_ready(self, seconds: float) -> bool:
        ready = self._selector.select(max(0.0, seconds))
        return any(key.fileobj is self.connection for key, _ in ready)
