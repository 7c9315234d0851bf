"""A connection to an LDAP server, secured before anything is said and bound before it is handed out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import (
    LDAPCommunicationError,
    LDAPExceptionError,
    LDAPSessionTerminatedByServerError,
    LDAPStartTLSError,
)

from dcmcfg.directory.failures import SUCCESS, raise_for_result, translate_ldap_errors
from dcmcfg.directory.request_log import LDAP, format_result
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.directory.tls import VerifiedTls, build_handshake_ended_error, create_client_context
from dcmcfg.errors import DirectoryError
from dcmcfg.limits import LDAP_SETUP, Limit
from dcmcfg.protocol_log import PROTOCOL_LOG

#: The extended operation "Who am I?" (RFC 4532).
WHO_AM_I = "1.3.6.1.4.1.4203.1.11.3"
_STARTTLS = "extended 1.3.6.1.4.1.1466.20037 (StartTLS)"
_PORTS = {"ldap": 389, "ldaps": 636}


def open_connection(server: LdapServerSettings) -> ldap3.Connection:
    """Return an open connection, bound as *server* says.

    With TLS nothing but the handshake (for StartTLS: the request for it) is sent before the server's certificate was
    verified. Raises :class:`DirectoryError` when the server cannot be reached, is not who it should be, does not
    encrypt, or refuses the bind. A password-less bind with a DN is refused here: servers treat it as anonymous
    (RFC 4513 §5.1.2).
    """
    if server.bind_dn and not server.password:
        raise DirectoryError(
            "no password was given for the bind DN", subject=server.bind_dn, next_step="set DCMCFG_BIND_PASSWORD_FILE"
        )
    tls = _build_tls(server)
    connection = _build_connection(server, tls)
    try:
        with translate_ldap_errors(server.url, request_sent=False), _translate_non_ldap(server):
            with _log_request(f"connect {server.url}"):
                _secure_connection(connection, server, tls)
            with _log_request(f"bind {_format_identity(server)}", connection):
                response = _bind(connection, server, tls)
        raise_for_result(response, f"{_format_identity(server)} @ {server.url}")
    except BaseException:
        close_connection(connection)
        raise
    return connection


@contextmanager
def _log_request(request: str, connection: ldap3.Connection | None = None) -> Iterator[None]:
    """Log what is asked meanwhile as *request*, with the result that *connection* has then."""
    if not PROTOCOL_LOG.level:
        yield
        return
    started, result = time.monotonic(), "failed"
    try:
        yield
        result = "done" if connection is None else format_result(connection.result["result"])
    finally:
        PROTOCOL_LOG.log(LDAP, request, result, started)


def close_connection(connection: ldap3.Connection) -> None:
    """Close *connection*, whatever state it is in."""
    if PROTOCOL_LOG.level and not connection.closed:
        PROTOCOL_LOG.log(LDAP, "unbind")
    with suppress(LDAPExceptionError, OSError):  # the peer may be gone already; there is nothing left to lose
        connection.unbind()


def _format_identity(server: LdapServerSettings) -> str:
    return "SASL EXTERNAL" if server.sasl_external else server.bind_dn or "anonymous"


def _build_tls(server: LdapServerSettings) -> VerifiedTls | None:
    address = urlsplit(server.url)
    if address.scheme != "ldaps" and not server.starttls:
        return None
    return VerifiedTls(create_client_context(server), address.hostname or "")


def _build_connection(server: LdapServerSettings, tls: VerifiedTls | None) -> ldap3.Connection:
    """Return what ldap3 needs to know, no connection made yet; its ``Server`` takes neither port nor DN in a URL."""
    address = urlsplit(server.url)
    name = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    is_local = address.scheme == "ldapi"
    host = ldap3.Server(
        server.url if is_local else f"{address.scheme}://{name}",
        port=None if is_local else address.port or _PORTS[address.scheme],
        use_ssl=address.scheme == "ldaps",
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=server.connect_timeout_s,
    )
    sasl = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL, "sasl_credentials": ""}
    simple = {"user": server.bind_dn or None, "password": server.password or None}
    return ldap3.Connection(
        host,
        auto_referrals=False,
        check_names=False,
        auto_encode=False,
        receive_timeout=server.receive_timeout_s,
        return_empty_attributes=False,
        **(sasl if server.sasl_external else simple),
    )


def _secure_connection(connection: ldap3.Connection, server: LdapServerSettings, tls: VerifiedTls | None) -> None:
    """Open *connection*; with *tls*, return only once it is encrypted and the server's certificate verified."""
    try:
        connection.open(read_server_info=False)
        if server.starttls:
            with _log_request(_STARTTLS, connection), _limit_received(connection, server):
                connection.start_tls(read_server_info=False)
    except LDAPExceptionError as error:
        if tls is not None and tls.failure is not None:
            raise tls.failure from error
        if isinstance(error, LDAPStartTLSError) and connection.result and connection.result["result"] != SUCCESS:
            raise _build_no_starttls_error(server) from error
        if server.starttls and isinstance(error, LDAPSessionTerminatedByServerError):
            raise _build_ended_error("when it was asked for StartTLS", server) from error
        raise
    if tls is not None and not tls.is_secured(connection):  # ldap3's start_tls returns False where it did nothing
        raise _build_no_starttls_error(server)


def _bind(connection: ldap3.Connection, server: LdapServerSettings, tls: VerifiedTls | None) -> dict[str, Any]:
    """Return the answer to the bind.

    In TLS 1.3 a server judges the client's certificate after the client's handshake is over, so that its refusal is
    met here; slapd with GnuTLS says it by closing the connection.
    """
    try:
        with _limit_received(connection, server):
            connection.bind(read_server_info=False)
    except LDAPCommunicationError as error:
        if "timed out" in str(error):
            raise
        if tls is not None:
            raise build_handshake_ended_error(str(error), server.url) from error
        raise _build_ended_error("when it was asked to bind", server) from error
    response: dict[str, Any] = connection.result
    return response


@contextmanager
def _limit_received(connection: ldap3.Connection, server: LdapServerSettings) -> Iterator[None]:
    """Let ldap3 receive no more than a limit."""
    bounded = BoundedSocket(connection.socket, LDAP_SETUP, server.url)
    connection.socket = bounded
    try:
        yield
    finally:
        if connection.socket is bounded:  # not closed, nor encrypted
            connection.socket = bounded.wrapped_socket


@contextmanager
def _translate_non_ldap(server: LdapServerSettings) -> Iterator[None]:
    """Turn what ldap3 raises over octets that are no LDAP message into :class:`DirectoryError`."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise DirectoryError(
            "what answers there is no LDAP server",
            subject=server.url,
            next_step="check host and port; if that is a TLS port, the URL starts with ldaps://",
        ) from error


def _build_ended_error(when: str, server: LdapServerSettings) -> DirectoryError:
    return DirectoryError(
        f"the server ended the connection {when}",
        subject=server.url,
        next_step="if that is a TLS port, the URL starts with ldaps://",
    )


def _build_no_starttls_error(server: LdapServerSettings) -> DirectoryError:
    return DirectoryError(
        "the server does not offer StartTLS, and nothing is sent unencrypted",
        subject=server.url,
        next_step="use ldaps:// if it has a TLS port, or have the server offer StartTLS",
    )


class BoundedSocket:
    """Everything that the socket *whole* is, but that receiving more than *limit* raises :class:`DirectoryError`."""

    def __init__(self, wrapped_socket: socket.socket, limit: Limit, url: str) -> None:
        self.wrapped_socket = wrapped_socket
        self._limit = limit
        self._remaining = limit.maximum
        self._url = url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped_socket, name)

    def recv(self, size: int) -> bytes:
        """Return what has come, as the socket does."""
        received = self.wrapped_socket.recv(size)
        self._remaining -= len(received)
        if self._remaining < 0:
            raise DirectoryError(
                f"the directory server does not come to an end: more than {self._limit.format_maximum()} "
                f"{self._limit.description}",
                subject=self._url,
                next_step=self._limit.next_step,
            )
        return received
