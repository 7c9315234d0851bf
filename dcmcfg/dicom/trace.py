"""What happened to one association, which pynetdicom itself only writes to its log."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import EventHandlerType
from pynetdicom.pdu import A_ABORT_RQ, A_RELEASE_RQ

from dcmcfg.dicom.checkpoint import Checkpoint
from dcmcfg.dicom.own_answers import OwnAnswers
from dcmcfg.dicom.tls_failure import ended_over_tls
from dcmcfg.dicom.tls_socket import TlsSocket
from dcmcfg.dicom.whole_pdus import bound_pdus

_PROVIDER_REASONS = {  # PS3.8 Table 9-26
    1: "unrecognised PDU",
    2: "unexpected PDU",
    4: "unrecognised PDU parameter",
    5: "unexpected PDU parameter",
    6: "invalid PDU parameter value",
}


def wait_for_rest_of_pdu(assoc: Association, seconds: float) -> None:
    """Bound the wait for the rest of a PDU that has begun to *seconds*; pynetdicom would wait for ever."""
    if assoc.dul.socket is not None and assoc.dul.socket.socket is not None:
        assoc.dul.socket.socket.settimeout(seconds)


def send_at_once(assoc: Association) -> None:
    """Have what we send go out at once, however small it is: else the data set waits for the command's receipt."""
    if assoc.dul.socket is not None and assoc.dul.socket.socket is not None:
        assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def acknowledge_at_once(assoc: Association) -> None:
    """Have the system acknowledge what comes next at once, until it forgets; does nothing where it cannot.

    A peer that does not send at once (dcmtk's) waits with the data set until it knows that its command was received:
    40 ms for each answer, since the system likes to send a receipt along with data of ours.
    """
    quick_ack = getattr(socket, "TCP_QUICKACK", None)  # Linux
    wrapper = assoc.dul.socket
    if quick_ack is not None and wrapper is not None and wrapper.socket is not None:
        with contextlib.suppress(OSError):  # the connection is gone, which is told elsewhere
            wrapper.socket.setsockopt(socket.IPPROTO_TCP, quick_ack, 1)


class _RecordingSocket(socket.socket):
    """A socket that keeps why it could not connect."""

    connect_error: OSError | None = None
    secure: Callable[[socket.socket], None] | None = None

    def connect(self, address: object) -> None:
        try:
            super().connect(address)  # type: ignore[arg-type]  # as pynetdicom built it
        except OSError as error:
            self.connect_error = error
            raise
        if self.secure:
            self.secure(self)


class Trace:
    """Notification handlers for one requested association, and what they saw.

    ``ending`` is the first thing that ended the association, in words; ``""`` while nothing has. ``answers`` knows
    which answer is waited for. *tls*, a context and
    the host that the peer's certificate must be for, secures the connection before anything is sent;
    ``tls_error`` is why it could not be.
    """

    def __init__(self, stall_seconds: float, tls: tuple[ssl.SSLContext, str] | None = None) -> None:
        self.assoc: Association | None = None
        self.opened = False
        self.ending = ""
        self.tls_error: OSError | None = None
        self.tls_socket: ssl.SSLSocket | None = None
        self.answers: OwnAnswers | None = None
        self._stall_seconds = stall_seconds
        self._tls = tls
        self._socket: _RecordingSocket | None = None

    @property
    def connect_error(self) -> OSError | None:
        """Why the TCP connection failed, if it did."""
        return self._socket.connect_error if self._socket else None

    @property
    def handlers(self) -> list[EventHandlerType]:
        """What to give to ``AE.associate`` as ``evt_handlers``."""
        return [
            (evt.EVT_ACSE_SENT, self.on_acse_sent),
            (evt.EVT_CONN_OPEN, self.on_open),
            (evt.EVT_CONN_CLOSE, self.on_close),
            (evt.EVT_PDU_RECV, self.on_pdu_received),
            (evt.EVT_PDU_SENT, self.on_pdu_sent),
        ]

    def on_acse_sent(self, event: evt.Event) -> None:
        """Take the place of the socket before the connection is tried: the first primitive asks for that."""
        wrapper = event.assoc.dul.socket
        if self.assoc is None and wrapper is not None and wrapper.socket is not None:
            self.assoc = event.assoc
            event.assoc._reactor_checkpoint = Checkpoint(event.assoc)  # noqa: SLF001 — nothing else can take its place
            self.answers = OwnAnswers(event.assoc.dimse)
            plain = wrapper.socket
            self._socket = _RecordingSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
            self._socket.secure = self._secure if self._tls else None
            wrapper.socket = self._socket

    def _secure(self, connected: socket.socket) -> None:
        """Put TLS in the place of the connected socket; pynetdicom's own way hides why a handshake failed."""
        if self._tls is None or self.assoc is None or self.assoc.dul.socket is None:
            return
        context, host = self._tls
        try:
            self.tls_socket = context.wrap_socket(connected, server_hostname=host)
        except OSError as error:
            self.tls_error = error
            raise
        self.assoc.dul.socket.socket = self.tls_socket

    def on_open(self, event: evt.Event) -> None:
        """Bound the wait for the rest of a PDU, and let nothing wait that need not."""
        self.opened = True
        send_at_once(event.assoc)
        bound_pdus(event.assoc, self._stall_seconds, self._on_stall)

    def _on_stall(self) -> None:
        self.ending = self.ending or f"the peer did not finish what it began to say within {self._stall_seconds:g} s"

    def on_close(self, event: evt.Event) -> None:  # noqa: ARG002 — a handler takes its event
        """Note that the connection is gone."""
        failure = self.tls_socket.failure if isinstance(self.tls_socket, TlsSocket) else None
        self.ending = self.ending or (ended_over_tls(failure) if failure else "the connection was lost")

    def on_pdu_received(self, event: evt.Event) -> None:
        """Note an abort or a release by the peer."""
        acknowledge_at_once(event.assoc)
        if isinstance(event.pdu, A_ABORT_RQ):
            reason = _PROVIDER_REASONS.get(event.pdu.reason_diagnostic or 0, "no reason given")
            by = f"its DICOM upper layer: {reason}" if event.pdu.source == 2 else "its application"
            self.ending = self.ending or f"the peer aborted the association ({by})"
        elif isinstance(event.pdu, A_RELEASE_RQ):
            self.ending = self.ending or "the peer released the association without an answer"
            self.wake()

    def on_pdu_sent(self, event: evt.Event) -> None:
        """Note an abort by ourselves: the peer's time was over, or what it sent made no sense."""
        acknowledge_at_once(event.assoc)
        if isinstance(event.pdu, A_ABORT_RQ):
            self.ending = self.ending or "the peer sent something that is not DICOM"
            self.wake()

    def wake(self) -> None:
        """End the wait for a response that will not come; pynetdicom does so for an abort only."""
        if self.assoc is not None:
            self.assoc.dimse.msg_queue.put((None, None))
