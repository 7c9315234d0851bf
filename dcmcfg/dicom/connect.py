"""Opening a connection with a peer, and why there is none."""

from __future__ import annotations

import socket
import ssl
import time

from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.dicom.ul.tls_failure import no_handshake
from dcmcfg.errors import Unreachable
from dcmcfg.peer_certificate import shown_certificate


def reach(peer: Peer, timeouts: Timeouts) -> float:
    """Open a TCP connection and close it again; return the seconds it took.

    Raises :class:`Unreachable`.
    """
    started = time.monotonic()
    with connected(peer, timeouts):
        return time.monotonic() - started


def connected(peer: Peer, timeouts: Timeouts, tls: ssl.SSLContext | None = None) -> socket.socket:
    """Return a connection with *peer*, secured by *tls* where that is given.

    Raises :class:`Unreachable` when there is none, and :class:`~dcmcfg.errors.NotSecured` when it cannot be secured.
    """
    try:
        plain = socket.create_connection((peer.host, peer.port), timeout=timeouts.connect)
    except (socket.gaierror, UnicodeError) as error:
        raise _not_resolved(error, peer) from error
    except OSError as error:
        raise not_connected(error, peer, timeouts) from error
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is None:
        return plain
    return _secured(plain, tls, peer, timeouts)


def _secured(connection: socket.socket, tls: ssl.SSLContext, peer: Peer, timeouts: Timeouts) -> ssl.SSLSocket:
    try:
        connection = secured = tls.wrap_socket(connection, server_hostname=peer.host, do_handshake_on_connect=False)
        secured.do_handshake()
    except OSError as error:
        shown = shown_certificate(connection)
        connection.close()
        raise no_handshake(error, peer, timeouts.connect, shown) from error
    except BaseException:
        connection.close()
        raise
    return secured


def _not_resolved(error: socket.gaierror | UnicodeError, peer: Peer) -> Unreachable:
    """Return *error*, with which the peer's host has no address, as one of ours."""
    where = f"the host that {peer.named_by} gives" if peer.named_by else "dicomHostname of its connection in LDAP"
    reason = getattr(error, "strerror", "") or "not a host name"
    return Unreachable(
        f"the host name {peer.host} cannot be resolved ({reason})",
        on=str(peer),
        next_step=f"correct {where}, or the name service of this machine",
    )


def not_connected(error: OSError, peer: Peer, timeouts: Timeouts) -> Unreachable:
    """Return *error*, with which there is no connection, as one of ours."""
    match error:
        case ConnectionRefusedError():
            return Unreachable("connection refused: nothing listens there", on=str(peer), next_step=_address(peer))
        case TimeoutError():
            return Unreachable(
                f"no connection within {timeouts.connect:g} s",
                on=str(peer),
                next_step=f"{_address(peer)}; a firewall in between keeps silent like that",
            )
        case _:
            return Unreachable(f"no connection ({error.strerror or error})", on=str(peer), next_step=_address(peer))


def _address(peer: Peer) -> str:
    """Return what to compare the address of *peer* with."""
    if peer.named_by:
        return f"is it running? Check the host and port that {peer.named_by} gives"
    return "is it running? Compare its host and port in LDAP (dicomHostname, dicomPort)"
