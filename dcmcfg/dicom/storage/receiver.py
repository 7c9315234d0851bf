"""Run a storage SCP that counts received instances (PS3.4 Annex B), with its listening sockets and threads."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.storage.association import StorageAssociation
from dcmcfg.dicom.storage.files import InstanceFolder
from dcmcfg.dicom.storage.local_host import find_listen_addresses, find_listening_process
from dcmcfg.dicom.storage.received_instances import ReceivedInstance, ReceivedInstances
from dcmcfg.dicom.storage.service import StorageScp
from dcmcfg.dicom.ul.accepted_connection import AcceptedConnection
from dcmcfg.errors import DicomError

#: Simultaneous associations; more are rejected, with as many simultaneous rejections.
MAX_ASSOCIATIONS = 100
_MAX_CONNECTIONS = 2 * MAX_ASSOCIATIONS
_BACKLOG = 128
#: Seconds for associations to end by themselves, and after their connection is cut.
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
        """Listen on *port* of *address*, 0 for any free one; return the port. Raises OSError."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family, backlog=_BACKLOG)
        # A caller may be gone between select() and accept(), which must not block then.
        listener.settimeout(0)
        self._listeners.append(listener)
        return int(listener.getsockname()[1])

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def stop(self) -> None:
        """Stop listening, abort every association, and wait a moment for all threads to end."""
        self._stopping.set()
        # The other end becomes readable, which ends the acceptor's select().
        self._waker.close()
        if self._acceptor.is_alive():
            self._acceptor.join()
        for listener in (*self._listeners, self._wake):
            listener.close()
        # Each thread notices the stop, aborts, and waits for its peer to close. The remaining connections are cut.
        self._join_all(_GRACE_S)
        with self._lock:
            remaining = tuple(self._connections)
        for connection in remaining:
            with contextlib.suppress(OSError):
                # TLS's own shutdown would remove the TLS state from under the thread that uses it.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        self._join_all(_CUT_OFF_S)

    def _join_all(self, seconds: float) -> None:
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
        except OSError:  # The peer is gone, or there are no file descriptors left.
            self._stopping.wait(_NO_DESCRIPTORS_S)
            return
        try:
            if self._tls is not None:
                # The connection's own thread does the handshake, so a silent caller does not hold up the others.
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._begin(connection)
        except (OSError, RuntimeError):  # The peer is gone, or no more threads can be started.
            connection.close()

    def _begin(self, connection: socket.socket) -> None:
        with self._lock:
            connection_count = len(self._connections)
            if connection_count >= _MAX_CONNECTIONS:
                raise OSError
            arguments = (connection, connection_count >= MAX_ASSOCIATIONS)
            thread = threading.Thread(target=self._serve, args=arguments, name="receiving", daemon=True)
            # The lock is held until the thread is registered, because _serve removes it under the same lock.
            thread.start()
            self._connections[connection] = thread

    def _serve(self, connection: socket.socket, is_over_limit: bool) -> None:
        try:
            address = str(connection.getpeername()[0])
            connection.settimeout(self._scp.timeouts.acse)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if isinstance(connection, ssl.SSLSocket):
                self._do_tls_handshake(connection, address)
            accepted_connection = AcceptedConnection(connection, self._scp.timeouts.network, self._stopping.is_set)
            association = StorageAssociation(self._scp, accepted_connection, address)
            accepted_connection.close(association.serve(is_over_limit=is_over_limit))
        except OSError:  # The peer is gone, or the TLS handshake failed.
            pass
        finally:
            connection.close()
            with self._lock:
                del self._connections[connection]

    def _do_tls_handshake(self, connection: ssl.SSLSocket, address: str) -> None:
        try:
            connection.do_handshake()
        except OSError as error:
            if not self._stopping.is_set():
                self._scp.on_problem(f"TLS handshake with {address} failed: {_describe_tls_error(error)}")
            raise


def _describe_tls_error(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no handshake received"
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return str(reason).replace("_", " ").lower() if reason else "the peer closed the connection"


__all__ = ["ReceivedInstance", "Receiver"]


def _ignore_instance(instance: ReceivedInstance) -> None:
    """Do nothing (default callback)."""


class Receiver:
    """Listens as an AE from ``__enter__`` to ``__exit__``, and answers C-ECHO and C-STORE.

    Accepts every storage SOP class, including private ones, in the transfer syntax that the sender proposes first, and
    answers each C-STORE with 0000. Calls to another AE title are rejected (1/1/7). With *save_folder*, each instance is
    written to that folder, and answered with A700 if that fails; otherwise nothing is saved. With *tls*, callers must
    use it. With *sha256*, the digest of each data set is computed. *on_received* is called in the association's thread.

    ``__enter__`` raises :class:`DicomError` if *host* is another machine, if the port is in use (the error names the
    process) or not allowed, or if *save_folder* cannot be written, and :class:`~dcmcfg.errors.MalformedInput` for an
    invalid AE title. Port 0 selects any free port; ``port`` has its number.
    """

    def __init__(
        self,
        ae_title: str,
        host: str,
        port: int,
        timeouts: DicomTimeouts,
        *,
        on_received: Callable[[ReceivedInstance], None] = _ignore_instance,
        save_folder: Path | None = None,
        sha256: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ae_title = parse_ae_title(ae_title)
        self.host = host
        self.port = port
        self._timeouts = timeouts
        self._on_received = on_received
        self._save_folder = save_folder
        self._sha256 = sha256
        self._tls = tls
        self._received_instances = ReceivedInstances()
        self._server: Server | None = None
        #: Start time of listening; None before.
        self.listening_since: datetime | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"

    @property
    def received(self) -> tuple[ReceivedInstance, ...]:
        """The instances received so far, in order; an instance that arrived twice is listed twice."""
        return self._received_instances.to_tuple()

    @property
    def received_count(self) -> int:
        """Number of instances received so far, including repetitions."""
        return self._received_instances.count()

    @property
    def problems(self) -> tuple[str, ...]:
        """Rejected or aborted callers with the reason; each line once."""
        return self._received_instances.list_problems()

    def take(self, predicate: Callable[[ReceivedInstance], bool]) -> tuple[ReceivedInstance, ...]:
        """Remove the instances for which *predicate* is true, and return them in order; arrivals wait for this."""
        return self._received_instances.take(predicate)

    def wait_until(self, condition: Callable[[Sequence[ReceivedInstance]], bool], seconds: float) -> bool:
        """Wait at most *seconds* until *condition* is true for the received instances; return whether it is.

        *condition* is evaluated at each arrival, which waits for it. Do not keep the list that it gets.
        """
        return self._received_instances.wait_until(condition, seconds)

    def __enter__(self) -> Self:
        addresses = find_listen_addresses(self.host)
        if not addresses:
            raise DicomError(
                "the host of the destination is not this machine, so dcmcfg cannot receive instances for the "
                "destination",
                subject=str(self),
                next_step=(
                    "run dcmcfg on the destination's machine, or correct dicomHostname of the AE's connection in LDAP"
                ),
            )
        folder = None if self._save_folder is None else InstanceFolder(self._save_folder)
        scp = StorageScp(
            self.ae_title,
            self._timeouts,
            self._add,
            self._received_instances.record_problem,
            sha256=self._sha256,
            folder=folder,
            count_received=self._received_instances.count,
        )
        server = Server(scp, self._tls)
        try:
            for address in addresses:
                # If the port is 0, the first address selects it, and the others get the same one.
                self.port = server.listen(address, self.port)
        except OSError as error:
            server.stop()
            raise self._translate_listen_error(error) from error
        server.start()
        self._server = server
        self.listening_since = datetime.now(UTC)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.stop()

    def _translate_listen_error(self, error: OSError) -> DicomError:
        if error.errno == errno.EADDRINUSE:
            return DicomError(
                f"port {self.port} is already in use by {find_listening_process(self.port) or 'another process'}",
                subject=str(self),
                next_step="if the destination itself uses this port, use --temporary-dest instead of --dest, or omit "
                "--receive",
            )
        if error.errno == errno.EACCES:
            return DicomError(
                f"no permission to listen on port {self.port}",
                subject=str(self),
                next_step="only root can listen on a port below 1024: set a higher port for the AE in LDAP",
            )
        return DicomError(
            f"cannot listen ({error.strerror or error})",
            subject=str(self),
            next_step="check the host and the port of the destination",
        )

    def _add(self, instance: ReceivedInstance) -> None:
        self._received_instances.add(instance)
        self._on_received(instance)
