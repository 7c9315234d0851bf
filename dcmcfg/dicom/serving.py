"""Listening sockets, and a thread for each connection to them."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time

from dcmcfg.dicom.line import Line
from dcmcfg.dicom.storage_association import StorageAssociation
from dcmcfg.dicom.storage_service import StorageScp

#: Associations at a time; more are rejected, and as many rejections are under way at a time.
MOST_ASSOCIATIONS = 100
_MOST_CONNECTIONS = 2 * MOST_ASSOCIATIONS
_BACKLOG = 128
#: How long an association may take to end, and how long one that is cut off.
_GRACE_S, _CUT_OFF_S = 1.5, 1.0
_NO_DESCRIPTORS_S = 0.01


class Server:
    """Serves a storage SCP on any number of addresses, from :meth:`start` to :meth:`stop`."""

    def __init__(self, scp: StorageScp, tls: ssl.SSLContext | None = None) -> None:
        self._scp = scp
        self._tls = tls
        self._listeners: list[socket.socket] = []
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake, self._waker = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept_all, name="accepting", daemon=True)

    def listen(self, address: str, port: int) -> int:
        """Listen on *port* of *address*, 0 for any free one; return which. Raises OSError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
        listener.settimeout(0)
        self._listeners.append(listener)
        return int(listener.getsockname()[1])

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def stop(self) -> None:
        """Listen no more, abort every association, and wait a moment for all threads to end."""
        self._stopping.set()
        self._waker.close()
        if self._acceptor.is_alive():
            self._acceptor.join()
        for listener in (*self._listeners, self._wake):
            listener.close()
        # Each notices, aborts, and waits for its peer to close; whoever cannot is cut off.
        self._await_all(_GRACE_S)
        with self._lock:
            left = tuple(self._connections)
        for connection in left:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would pull the rug from the thread
        self._await_all(_CUT_OFF_S)

    def _await_all(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._lock:
            threads = tuple(self._connections.values())
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listener in (*self._listeners, self._wake):
                selector.register(listener, selectors.EVENT_READ)
            while not self._stopping.is_set():
                for key, _ in selector.select():
                    if isinstance(key.fileobj, socket.socket) and key.fileobj is not self._wake:
                        self._accept(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:  # it is gone already, or there are no more descriptors
            self._stopping.wait(_NO_DESCRIPTORS_S)
            return
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._begin(connection)
        except (OSError, RuntimeError):  # it is gone already, or there can be no more threads
            connection.close()

    def _begin(self, connection: socket.socket) -> None:
        with self._lock:
            number = len(self._connections)
            if number >= _MOST_CONNECTIONS:
                raise OSError
            association = (connection, number >= MOST_ASSOCIATIONS)
            thread = threading.Thread(target=self._serve, args=association, name="receiving", daemon=True)
            thread.start()
            self._connections[connection] = thread

    def _serve(self, connection: socket.socket, too_many: bool) -> None:
        try:
            address = str(connection.getpeername()[0])
            connection.settimeout(self._scp.timeouts.acse)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if isinstance(connection, ssl.SSLSocket):
                self._shake_hands(connection, address)
            line = Line(connection, self._scp.timeouts.network, self._stopping.is_set)
            association = StorageAssociation(self._scp, line, address)
            line.close(association.serve(too_many=too_many))
        except OSError:  # it is gone already, or TLS is not what both sides speak
            pass
        finally:
            connection.close()
            with self._lock:
                del self._connections[connection]

    def _shake_hands(self, connection: ssl.SSLSocket, address: str) -> None:
        try:
            connection.do_handshake()
        except OSError as error:
            if not self._stopping.is_set():
                self._scp.on_trouble(f"{address} did not agree on TLS: {_in_words(error)}")
            raise


def _in_words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no handshake came"
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return str(reason).replace("_", " ").lower() if reason else "it closed the connection"
