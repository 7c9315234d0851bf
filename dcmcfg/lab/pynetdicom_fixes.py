"""Additions to pynetdicom for requested associations.

They provide the reason of a failure, an abort without waiting, a limit for the duration of a PDU, a checkpoint at which
the thread waits without losing a response, and no log output unless its logger has a level.
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
    """The part of pynetdicom's association that is used here."""

    _is_paused: bool


class ReactorCheckpoint(threading.Event):
    """Replacement of an association's ``_reactor_checkpoint`` that lets its thread pass only while it is set.

    Unless paused, the thread takes received messages off the queue, including responses to dcmcfg's requests.
    pynetdicom 3.0 clears the event and checks whether the thread has paused. The thread may already have passed the
    event without updating its state, and then takes the response: on a busy machine, about one request in a thousand
    loses its response or waits until the time-out. Here the thread updates its state before it passes the event.
    """

    def __init__(self, association: _PausableAssociation) -> None:
        super().__init__()
        self._assoc = association
        self._lock = threading.Lock()
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set, and mark the thread as not paused before passing it."""
        while super().wait(timeout):
            with self._lock:
                if self.is_set():
                    self._assoc._is_paused = False  # noqa: SLF001 — pynetdicom does this too, but too late
                    return True
        return False

    def clear(self) -> None:
        """Make the thread wait from now on. It either has passed the event and is marked so, or it waits."""
        with self._lock:
            super().clear()


#: ``recv`` allocates as many octets as requested, and a peer may announce a PDU of 4 GB.
_CHUNK_SIZE = 1 << 16


def limit_pdu_time(association: Association, timeout_s: float, on_stall: Callable[[], None]) -> None:
    """Limit the time for head and body of each PDU to *timeout_s*, from the first octet to the last.

    pynetdicom would wait forever, and a socket time-out restarts with each octet, so a peer that sends single octets
    would never time out. After the time-out, *on_stall* is called and the connection counts as lost.
    """
    wrapper = association.dul.socket
    if wrapper is not None and wrapper.socket is not None:
        wrapper.socket.settimeout(timeout_s)
        wrapper.recv = partial(_receive, wrapper, timeout_s, on_stall)  # type: ignore[method-assign]


def _receive(wrapper: AssociationSocket, timeout_s: float, on_stall: Callable[[], None], number: int) -> bytearray:
    """Return *number* octets, or fewer if the connection ends; raises :class:`TimeoutError`."""
    connection = wrapper.socket
    if connection is None:
        raise ConnectionError("the connection is closed")
    try:
        return _read(connection, timeout_s, number)
    except TimeoutError:
        on_stall()
        raise
    finally:
        with contextlib.suppress(OSError):  # the connection may already be closed
            # The next PDU gets the full time again.
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
    """Set the socket's time-out to the time until *deadline*."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    connection.settimeout(remaining)


def disable_send_delay(association: Association) -> None:
    """Send small packets immediately; otherwise the data set waits for the acknowledgement of the command."""
    if association.dul.socket is not None and association.dul.socket.socket is not None:
        association.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def disable_acknowledge_delay(association: Association) -> None:
    """Make the system acknowledge the next packets immediately; no effect on systems without this option.

    A peer that does not disable the send delay (dcmtk) sends the data set only after the acknowledgement of the
    command. This takes 40 ms for each response, because the system delays acknowledgements to combine them with data.
    """
    quick_ack = getattr(socket, "TCP_QUICKACK", None)  # Linux
    wrapper = association.dul.socket
    if quick_ack is not None and wrapper is not None and wrapper.socket is not None:
        with contextlib.suppress(OSError):  # the connection has ended, which is reported elsewhere
            wrapper.socket.setsockopt(socket.IPPROTO_TCP, quick_ack, 1)


class _RecordingSocket(socket.socket):
    """A socket that records the reason of a failed connection."""

    connect_error: OSError | None = None

    def connect(self, address: object) -> None:
        try:
            super().connect(address)  # type: ignore[arg-type]  # as pynetdicom built it
        except OSError as error:
            self.connect_error = error
            raise


class ConnectionTrace:
    """Notification handlers for one requested association; ``was_opened`` is True if there was a connection."""

    def __init__(self, pdu_timeout_s: float) -> None:
        self.was_opened = False
        self._is_socket_replaced = False
        self._pdu_timeout_s = pdu_timeout_s
        self._socket: _RecordingSocket | None = None
        self._tls_error: OSError | None = None

    @property
    def connect_error(self) -> OSError | None:
        """The error of the TCP connection or TLS handshake, or None."""
        return self._tls_error or (self._socket.connect_error if self._socket else None)

    def record_tls_errors(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Return *context*; its sockets record the reason of a failed connection from now on."""

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
        """The value for ``evt_handlers`` of ``AE.associate``."""
        return [
            (evt.EVT_ACSE_SENT, self.on_acse_sent),
            (evt.EVT_CONN_OPEN, self.on_open),
            (evt.EVT_PDU_RECV, self.on_pdu),
            (evt.EVT_PDU_SENT, self.on_pdu),
        ]

    def on_acse_sent(self, event: evt.Event) -> None:
        """Replace the socket before the connection attempt; the first primitive requests the connection."""
        wrapper = event.assoc.dul.socket
        if not self._is_socket_replaced and wrapper is not None and wrapper.socket is not None:
            self._is_socket_replaced = True
            event.assoc._reactor_checkpoint = ReactorCheckpoint(event.assoc)  # noqa: SLF001 — there is no public way to replace it
            plain = wrapper.socket
            self._socket = _RecordingSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
            wrapper.socket = self._socket

    def on_open(self, event: evt.Event) -> None:
        """Limit the time for a PDU, and disable delays of sending and acknowledging."""
        self.was_opened = True
        disable_send_delay(event.assoc)
        limit_pdu_time(event.assoc, self._pdu_timeout_s, lambda: None)

    def on_pdu(self, event: evt.Event) -> None:
        """Disable the delay of acknowledgements again, because the system re-enables it."""
        disable_acknowledge_delay(event.assoc)


_ABORT_TIMEOUT_S = 1.0
_IDLE = "Sta1"  # PS3.8 Table 9-1


def abort_association(association: Association) -> None:
    """Abort *association* within about a second, even if the peer stopped in the middle of a PDU.

    A thread that waits for a DIMSE response on it gets no response.
    """
    association.abort(block=False)
    deadline = time.monotonic() + _ABORT_TIMEOUT_S
    while (
        association.dul.is_alive()
        and association.dul.state_machine.current_state != _IDLE
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    if association.dul.is_alive() and association.dul.socket and association.dul.socket.socket:
        # pynetdicom's thread may be waiting for the rest of a PDU. Only the end of the connection wakes it.
        with contextlib.suppress(OSError):
            association.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    association.kill()
    # pynetdicom wakes a waiting thread only when the peer ends the association, not after a local abort.
    association.dimse.msg_queue.put((None, None))


_LOGGER = logging.getLogger("pynetdicom")
_previous_excepthook = threading.excepthook


def silence_pynetdicom() -> None:
    """Prevent the DICOM libraries from writing to stderr and from decoding responses only for logging.

    To see pynetdicom's log, set the level of the logger ``pynetdicom`` before. This function may be called repeatedly.
    """
    global _previous_excepthook
    pydicom_lazy.silence_pydicom()
    if _LOGGER.level == logging.NOTSET:
        _LOGGER.setLevel(logging.CRITICAL)
        _config.LOG_HANDLER_LEVEL = "none"
    # Logging a response decodes each value: one invalid value would lose the whole response.
    _config.LOG_RESPONSE_IDENTIFIERS = False
    _config.LOG_REQUEST_IDENTIFIERS = False
    if threading.excepthook is not _log_pynetdicom_thread_failure:
        _previous_excepthook = threading.excepthook
        threading.excepthook = _log_pynetdicom_thread_failure


def _log_pynetdicom_thread_failure(failure: threading.ExceptHookArgs) -> None:
    """Write exceptions of pynetdicom's threads to its log; some invalid PDUs cause them (``fsm.py``, AE_4)."""
    if isinstance(failure.thread, Association | DULServiceProvider):
        _LOGGER.error("a thread ended: %s", failure.exc_value)
    else:
        _previous_excepthook(failure)
