"""How the archive calls another AE: at which of its connections, from which of its own, plain or over TLS.

Imitates ``ApplicationEntity.connect`` and ``Connection.connect``.
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
    """The address to call, the archive's own connection, which has the time-outs, and what secures the line if TLS."""

    peer: Peer
    local_connection: Connection
    tls: ssl.SSLContext | None = None


def select_connection(site: Site, remote: NetworkAE, local: NetworkAE) -> OutgoingConnection:
    """Return how *local* calls *remote*: by the first pair of connections that fit together.

    The remote one is installed and has a port, the local one is installed. A lab without certificates has no TLS.
    Raises :class:`IllegalStateException` when *local* is not installed and :class:`IncompatibleConnectionException`
    when no connections fit together.
    """
    if not local.installed:
        raise IllegalStateException("Not installed")
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
