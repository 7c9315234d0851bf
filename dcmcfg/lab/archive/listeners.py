"""The listeners of the stand-in archive: bound at the start, and bound again on a reload after a changed setting.

Simulates ``Device.bindConnections``, ``Device.rebindConnections`` and ``TCPListener``, on loopback only.
"""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import ExitStack

from dcmcfg.dn import NormalDN
from dcmcfg.errors import LabError
from dcmcfg.lab.archive.configuration import Connection, Device
from dcmcfg.lab.archive.java_exceptions import (
    BindException,
    IllegalArgumentException,
    IllegalStateException,
    UnableToStart,
    UnknownHostException,
)
from dcmcfg.lab.archive.securing import make_server_context
from dcmcfg.lab.archive.server import DicomServer
from dcmcfg.lab.site import LOOPBACK, Site

#: Prefixes of the names of all cipher suites that Java knows.
_JAVA_SUITES = ("TLS_", "SSL_")
_LOOPBACK_ALIASES = ("0.0.0.0", "::", "localhost")  # noqa: S104 — values in the tree; only loopback is bound


class Listeners:
    """The listeners of the connections of the archive's device in the lab's *site*.

    :meth:`set_device` keeps the old listeners; :meth:`rebind` binds those with changed settings.
    """

    def __init__(self, site: Site, server: DicomServer, device: Device) -> None:
        self._site = site
        self._server = server
        self._connections = {each.dn: each for each in device.connections}
        self._open_listeners: dict[NormalDN, ExitStack] = {}
        self._pending: set[NormalDN] = set()

    def bind(self) -> None:
        """Open all listeners; raises as :meth:`rebind`, and :class:`IllegalStateException` if a listener is open."""
        for connection in self._connections.values():
            self._bind(connection)
        self._pending.clear()

    def close(self) -> None:
        """Close all listeners; open associations continue."""
        for dn in tuple(self._open_listeners):
            self._close(dn)

    def set_device(self, device: Device) -> None:
        """Use the connections of *device* from now on, and close the listeners of removed connections."""
        after = {each.dn: each for each in device.connections}
        for dn in self._connections.keys() - after.keys():
            self._close(dn)
            self._pending.discard(dn)
        before = self._connections
        # A listener that failed before stays pending, so the next reload tries it again.
        self._pending |= {dn for dn, each in after.items() if dn not in before or each.needs_rebind(before[dn])}
        # A reload keeps the order of the live connections and adds new ones at the end.
        remaining = {dn: after[dn] for dn in before if dn in after}
        self._connections = remaining | after

    def rebind(self) -> None:
        """Reopen the listeners with changed settings, and open those that could not be opened before.

        The first listener that cannot be opened stays closed and ends the operation; later ones stay unchanged until
        the next call. Raises :class:`UnableToStart`, and :class:`IllegalArgumentException` for a cipher suite that Java
        does not know.
        """
        for dn, connection in self._connections.items():
            if dn in self._pending:
                self._close(dn)
                self._bind(connection)
                self._pending.discard(dn)

    def _bind(self, connection: Connection) -> None:
        if not connection.installed or not connection.port or connection.protocol != "DICOM":
            return
        if connection.dn in self._open_listeners:
            # The archive's text ends with Java's object identity.
            listener = f"org.dcm4che3.net.TCPListener@{id(self._open_listeners[connection.dn]) & 0xFFFFFFFF:x}"
            raise IllegalStateException(f"Already listening - {listener}")
        tls = self._make_tls_context(connection)
        # A lab without certificates has no TLS ports.
        if connection.tls and tls is None:
            return
        failed = UnableToStart(f"{connection.host}:{connection.port}")
        with ExitStack() as stack:
            try:
                address = resolve_loopback_address(connection.bind_address or connection.host)
                # All nodes have the same configuration, so each one listens on its own address instead.
                address = self._site.node_address if address == LOOPBACK else address
                stack.enter_context(self._server.serve(connection, address, tls))
            except LabError as error:
                reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else None
                raise failed from BindException(reason or error.message)
            except (BindException, UnknownHostException) as error:
                raise failed from error
            # pop_all() keeps the listener open. After an exception, the stack closes it.
            self._open_listeners[connection.dn] = stack.pop_all()

    def _make_tls_context(self, connection: Connection) -> ssl.SSLContext | None:
        """Return the TLS context of *connection*; None if it is plain, or in a lab without certificates."""
        if not connection.tls or not self._site.tls_folder.exists():
            return None
        for suite in connection.cipher_suites:
            if not suite.startswith(_JAVA_SUITES):
                raise IllegalArgumentException(f"Unsupported CipherSuite: {suite}")
        return make_server_context(self._site, connection)

    def _close(self, dn: NormalDN) -> None:
        if (listener := self._open_listeners.pop(dn, None)) is not None:
            listener.close()


def resolve_loopback_address(text: str) -> str:
    """Return the address in 127.0.0.0/8 on which the lab listens for the bind address *text*.

    No other address is ever bound: other addresses count as addresses of another machine (:class:`BindException`),
    names other than ``localhost`` as unknown (:class:`UnknownHostException`). Names are not resolved.
    """
    if text.lower() in _LOOPBACK_ALIASES:
        return LOOPBACK
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise UnknownHostException(f"{text}: Name or service not known") from None
    if address.version == 4 and address.is_loopback:
        return text
    raise BindException("Cannot assign requested address")
