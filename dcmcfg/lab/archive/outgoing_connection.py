"""Select the connections for a call of another AE: remote and local connection, plain or TLS.

Simulates ``ApplicationEntity.connect`` and ``Connection.connect``.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.archive.configuration import Connection, NetworkAE
from dcmcfg.lab.archive.java_exceptions import IllegalStateException, IncompatibleConnectionException
from dcmcfg.lab.archive.securing import make_client_context
from dcmcfg.lab.site import Site


@dataclass(frozen=True)
class OutgoingConnection:
    """The address to call, the archive's own connection (with the time-outs), and the TLS context, if any."""

    peer: Peer
    local_connection: Connection
    tls: ssl.SSLContext | None = None


def select_connection(site: Site, remote: NetworkAE, local: NetworkAE) -> OutgoingConnection:
    """Return the connection from *local* to *remote*: the first compatible pair of connections.

    The remote connection must be installed and have a port, the local one must be installed. A lab without certificates
    has no TLS. Raises :class:`IllegalStateException` if *local* is not installed, and
    :class:`IncompatibleConnectionException` if no pair is compatible.
    """
    if not local.installed:
        raise IllegalStateException("Not installed")
    # The remote connections are the outer loop, as in ApplicationEntity.connect: their order takes precedence.
    for remote_connection in remote.connections:
        for local_connection in local.connections:
            if remote_connection.port is None or not (
                remote_connection.installed
                and local_connection.installed
                and local_connection.is_compatible(remote_connection)
            ):
                continue
            peer = Peer(remote.title, remote_connection.host, remote_connection.port)
            if not local_connection.tls:
                return OutgoingConnection(peer, local_connection)
            if (tls := make_client_context(site, local_connection, remote_connection)) is not None:
                return OutgoingConnection(peer, local_connection, tls)
    raise IncompatibleConnectionException(f"No compatible connection to {remote.title} available on {local.title}")
