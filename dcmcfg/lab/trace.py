"""What happened to an association that pynetdicom requested, which it only writes to its log."""

from __future__ import annotations

import contextlib
import socket
import ssl

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import EventHandlerType

from dcmcfg.lab.checkpoint import Checkpoint
from dcmcfg.lab.whole_pdus import bound_pdus


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

    def connect(self, address: object) -> None:
        try:
            super().connect(address)  # type: ignore[arg-type]  # as pynetdicom built it
        except OSError as error:
            self.connect_error = error
            raise


class Trace:
    """Notification handlers for one requested association; ``opened`` tells whether there was a connection."""

    def __init__(self, stall_seconds: float) -> None:
        self.opened = False
        self._seen = False
        self._stall_seconds = stall_seconds
        self._socket: _RecordingSocket | None = None
        self._tls_error: OSError | None = None

    @property
    def connect_error(self) -> OSError | None:
        """Why the TCP connection failed, or the TLS handshake on it, if one did."""
        return self._tls_error or (self._socket.connect_error if self._socket else None)

    def traced(self, context: ssl.SSLContext) -> ssl.SSLContext:
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
        if not self._seen and wrapper is not None and wrapper.socket is not None:
            self._seen = True
            event.assoc._reactor_checkpoint = Checkpoint(event.assoc)  # noqa: SLF001 — nothing else can take its place
            plain = wrapper.socket
            self._socket = _RecordingSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
            wrapper.socket = self._socket

    def on_open(self, event: evt.Event) -> None:
        """Bound the wait for the rest of a PDU, and let nothing wait that need not."""
        self.opened = True
        send_at_once(event.assoc)
        bound_pdus(event.assoc, self._stall_seconds, lambda: None)

    def on_pdu(self, event: evt.Event) -> None:
        """Ask for receipts anew: the system forgets."""
        acknowledge_at_once(event.assoc)
