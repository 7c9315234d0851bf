"""What pynetdicom lacks for associations that it requests.

The reason why one failed, an abort that is not waited for, a bound on the time that a PDU may take once it has begun,
a checkpoint at which its thread waits without losing a response, and silence unless its logger was given a level.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from pynetdicom import (
    _config,  # the documented place of pynetdicom's options, despite its name
    evt,
)
from pynetdicom.association import Association
from pynetdicom.dul import DULServiceProvider
from pynetdicom.events import EventHandlerType
from pynetdicom.transport import AssociationSocket

from dcmcfg.dicom import pydicom_lazy


class _PausableAssociation(Protocol):
    """An association of pynetdicom, as far as it matters here."""

    _is_paused: bool


class ReactorCheckpoint(threading.Event):
    """Takes the place of an association's ``_reactor_checkpoint``, and lets its thread pass only while it is set.

    The thread takes what has arrived off the queue, answers to our requests included, unless it is paused. pynetdicom
    3.0 clears the event and looks whether the thread has paused; the thread may have passed the event by then without
    having said so, and takes the answer: about one request in a thousand on a busy machine loses an answer, or waits
    for it until the time-out. Here the thread has said so before it is past the event.
    """

    def __init__(self, association: _PausableAssociation) -> None:
        super().__init__()
        self._assoc = association
        self._lock = threading.Lock()
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, and say that the thread is not paused while it still is."""
        while super().wait(timeout):
            with self._lock:
                if self.is_set():
                    self._assoc._is_paused = False  # noqa: SLF001 — what pynetdicom does next, too late
                    return True
        return False

    def clear(self) -> None:
        """Have the thread wait from now on: either it is past the event and has said so, or it waits."""
        with self._lock:
            super().clear()


_CHUNK_SIZE = 1 << 16


def limit_pdu_time(association: Association, timeout_s: float, on_stall: Callable[[], None]) -> None:
    """Have head and body of each PDU take at most *timeout_s* from their first octet to the last.

    pynetdicom would wait for ever, and with a time-out of the socket for each octet anew: a peer that sends one now
    and then would never be given up. Then the connection counts as lost, and *on_stall* is called before.
    """
    wrapper = association.dul.socket
    if wrapper is not None and wrapper.socket is not None:
        wrapper.socket.settimeout(timeout_s)
        wrapper.recv = partial(_receive, wrapper, timeout_s, on_stall)  # type: ignore[method-assign]


def _receive(wrapper: AssociationSocket, timeout_s: float, on_stall: Callable[[], None], number: int) -> bytearray:
    """Return *number* octets, fewer where the connection ends; raises :class:`TimeoutError`."""
    connection = wrapper.socket
    if connection is None:
        raise ConnectionError("the connection is closed")
    try:
        return _read(connection, timeout_s, number)
    except TimeoutError:
        on_stall()
        raise
    finally:
        with contextlib.suppress(OSError):  # it may be closed by now
            connection.settimeout(timeout_s)


def _read(connection: socket.socket, seconds: float, number: int) -> bytearray:
    deadline = time.monotonic() + seconds
    octets = bytearray()
    while len(octets) < number:
        piece = connection.recv(min(number - len(octets), _CHUNK_SIZE))
        if not piece:
            break
        octets += piece
        if len(octets) < number:
            _limit_wait(connection, deadline)
    return octets


def _limit_wait(connection: socket.socket, deadline: float) -> None:
    """Have the next octets take no longer than until *deadline*."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    connection.settimeout(remaining)


def disable_send_delay(association: Association) -> None:
    """Have what we send go out at once, however small it is: else the data set waits for the command's receipt."""
    if association.dul.socket is not None and association.dul.socket.socket is not None:
        association.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def disable_acknowledge_delay(association: Association) -> None:
    """Have the system acknowledge what comes next at once, until it forgets; does nothing where it cannot.

    A peer that does not send at once (dcmtk's) waits with the data set until it knows that its command was received:
    40 ms for each answer, since the system likes to send a receipt along with data of ours.
    """
    quick_ack = getattr(socket, "TCP_QUICKACK", None)  # Linux
    wrapper = association.dul.socket
    if quick_ack is not None and wrapper is not None and wrapper.socket is not None:
        with contextlib.suppress(OSError):  # the connection is gone, which is reported elsewhere
            wrapper.socket.setsockopt(socket.IPPROTO_TCP, quick_ack, 1)


class _RecordingSocket(socket.socket):
    """A socket that keeps why it could not connect."""

    connect_error: OSError | None = None

    def connect(self, address: object) -> None:
        try:
            super().connect(address)  # type: ignore[arg-type]  # as pynetdicom built it
        except OSError as error:
            self.connect_error = error
            raise


class ConnectionTrace:
    """Notification handlers for one requested association; ``was_opened`` tells whether there was a connection."""

    def __init__(self, pdu_timeout_s: float) -> None:
        self.was_opened = False
        self._is_socket_replaced = False
        self._pdu_timeout_s = pdu_timeout_s
        self._socket: _RecordingSocket | None = None
        self._tls_error: OSError | None = None

    @property
    def connect_error(self) -> OSError | None:
        """Why the TCP connection failed, or the TLS handshake on it, if one did."""
        return self._tls_error or (self._socket.connect_error if self._socket else None)

    def record_tls_errors(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Return *context*, whose sockets keep from now on why they could not connect."""

        class RecordingSocket(ssl.SSLSocket):
            def connect(socket, address: object) -> None:  # noqa: N805 — self is the trace
                try:
                    super().connect(address)  # type: ignore[arg-type]  # as pynetdicom built it
                except OSError as error:
                    self._tls_error = error
                    raise

        context.sslsocket_class = RecordingSocket
        return context

    @property
    def handlers(self) -> list[EventHandlerType]:
        """What to give to ``AE.associate`` as ``evt_handlers``."""
        return [
            (evt.EVT_ACSE_SENT, self.on_acse_sent),
            (evt.EVT_CONN_OPEN, self.on_open),
            (evt.EVT_PDU_RECV, self.on_pdu),
            (evt.EVT_PDU_SENT, self.on_pdu),
        ]

    def on_acse_sent(self, event: evt.Event) -> None:
        """Take the place of the socket before the connection is tried: the first primitive asks for that."""
        wrapper = event.assoc.dul.socket
        if not self._is_socket_replaced and wrapper is not None and wrapper.socket is not None:
            self._is_socket_replaced = True
            event.assoc._reactor_checkpoint = ReactorCheckpoint(event.assoc)  # noqa: SLF001 — nothing else can take its place
            plain = wrapper.socket
            self._socket = _RecordingSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
            wrapper.socket = self._socket

    def on_open(self, event: evt.Event) -> None:
        """Bound the wait for the rest of a PDU, and let nothing wait that need not."""
        self.was_opened = True
        disable_send_delay(event.assoc)
        limit_pdu_time(event.assoc, self._pdu_timeout_s, lambda: None)

    def on_pdu(self, event: evt.Event) -> None:
        """Ask for receipts anew: the system forgets."""
        disable_acknowledge_delay(event.assoc)


_ABORT_TIMEOUT_S = 1.0
_IDLE = "Sta1"  # PS3.8 Table 9-1


def abort_association(association: Association) -> None:
    """Abort *association*, in about a second at most even where the peer stopped in the middle of a PDU."""
    association.abort(block=False)
    deadline = time.monotonic() + _ABORT_TIMEOUT_S
    while (
        association.dul.is_alive()
        and association.dul.state_machine.current_state != _IDLE
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    if association.dul.is_alive() and association.dul.socket and association.dul.socket.socket:
        # pynetdicom's thread may be waiting for the rest of a PDU; only the end of the connection wakes it.
        with contextlib.suppress(OSError):
            association.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    association.kill()


_LOGGER = logging.getLogger("pynetdicom")
_previous_excepthook = threading.excepthook


def silence_pynetdicom() -> None:
    """Keep the DICOM libraries from writing to stderr, and from decoding answers only to log them.

    Whoever wants pynetdicom's log sets the level of the logger ``pynetdicom`` beforehand. May be called any number of
    times.
    """
    global _previous_excepthook
    pydicom_lazy.silence_pydicom()
    if _LOGGER.level == logging.NOTSET:
        _LOGGER.setLevel(logging.CRITICAL)
        _config.LOG_HANDLER_LEVEL = "none"
    # Printing an answer to the log decodes each value: one broken value would lose the whole answer.
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.LOG_REQUEST_IDENTIFIERS = False
    if threading.excepthook is not _log_pynetdicom_thread_failure:
        _previous_excepthook = threading.excepthook
        threading.excepthook = _log_pynetdicom_thread_failure


def _log_pynetdicom_thread_failure(failure: threading.ExceptHookArgs) -> None:
    """Leave what ends a thread of pynetdicom to its log: some PDUs from a broken peer do (``fsm.py``, AE_4)."""
    if isinstance(failure.thread, Association | DULServiceProvider):
        _LOGGER.error("a thread ended: %s", failure.exc_value)
    else:
        _previous_excepthook(failure)
