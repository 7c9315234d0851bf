"""Open connections with a peer, and explain failures to connect."""

from __future__ import annotations

import socket
import ssl
import time

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.ul.tls_failure import translate_handshake_error
from dcmcfg.errors import Unreachable
from dcmcfg.peer_certificate import read_peer_certificate
from dcmcfg.route.command import format_address_command


def measure_connect_time(peer: Peer, timeouts: DicomTimeouts) -> float:
    """Open a TCP connection and close it again; return the seconds it took.

    Raises :class:`Unreachable`.
    """
    started = time.monotonic()
    with open_socket(peer, timeouts):
        return time.monotonic() - started


def open_socket(peer: Peer, timeouts: DicomTimeouts, tls: ssl.SSLContext | None = None) -> socket.socket:
    """Return a connection with *peer*, secured by *tls* if given.

    Raises :class:`Unreachable` if it fails, and :class:`~dcmcfg.errors.TlsHandshakeFailed` if the TLS handshake fails.
    """
    try:
        connection = socket.create_connection((peer.host, peer.port), timeout=timeouts.connect)
    except (socket.gaierror, UnicodeError) as error:
        # Python raises UnicodeError for a host name that it cannot encode for DNS, such as one with an empty label.
        raise _translate_resolution_error(error, peer) from error
    except OSError as error:
        raise translate_connect_error(error, peer, timeouts) from error
    # Without this option, a small request may wait for the peer's delayed acknowledgement of the previous one.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls is None:
        return connection
    return _start_tls(connection, tls, peer, timeouts)


def _start_tls(connection: socket.socket, tls: ssl.SSLContext, peer: Peer, timeouts: DicomTimeouts) -> ssl.SSLSocket:
    try:
        # The handshake is separate, so that the refused certificate can be read from the socket after a failure.
        connection = secured_connection = tls.wrap_socket(
            connection, server_hostname=peer.host, do_handshake_on_connect=False
        )
        secured_connection.do_handshake()
    except OSError as error:
        certificate = read_peer_certificate(connection)
        connection.close()
        raise translate_handshake_error(error, peer, timeouts.connect, certificate) from error
    except BaseException:
        connection.close()
        raise
    return secured_connection


def _translate_resolution_error(error: socket.gaierror | UnicodeError, peer: Peer) -> Unreachable:
    """Return the :class:`Unreachable` for a host name without an address."""
    source = (
        f"the host in {peer.address_source}"
        if peer.address_source
        else "dicomHostname of the peer's connection in LDAP"
    )
    reason = getattr(error, "strerror", "") or "not a host name"
    return Unreachable(
        f"the host name {peer.host} cannot be resolved ({reason})",
        subject=str(peer),
        next_step=f"correct {source}, or the name resolution on this machine{_suggest_address_command(peer)}",
    )


def translate_connect_error(error: OSError, peer: Peer, timeouts: DicomTimeouts) -> Unreachable:
    """Return the :class:`Unreachable` for a connection that failed with *error*."""
    match error:
        case ConnectionRefusedError():
            return Unreachable(
                "connection refused: nothing listens at this address",
                subject=str(peer),
                next_step=_suggest_address_check(peer),
            )
        case TimeoutError():
            return Unreachable(
                f"no connection within {timeouts.connect:g} s",
                subject=str(peer),
                next_step=f"{_suggest_address_check(peer)}; a firewall between this machine and the peer might drop "
                "the packets",
            )
        case _:
            return Unreachable(
                f"no connection ({error.strerror or error})", subject=str(peer), next_step=_suggest_address_check(peer)
            )


def _suggest_address_check(peer: Peer) -> str:
    """Return the configuration to compare the address of *peer* with."""
    if peer.address_source:
        return f"check that the peer runs, and check the host and port in {peer.address_source}"
    return (
        "check that the peer runs, and check its host and port in LDAP (dicomHostname, dicomPort)"
        f"{_suggest_address_command(peer)}"
    )


def _suggest_address_command(peer: Peer) -> str:
    """Return the end of a next step with the command that changes the address of *peer*; "" if it is unknown."""
    return f"; to change the address: {format_address_command(peer.connection_name)}" if peer.connection_name else ""
