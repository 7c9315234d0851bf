"""Open a connection to an LDAP server: it is secured before any request, and bound before it is returned."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
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
#: The registered ports; ldap3 needs the port apart from the URL.
_PORTS = {"ldap": 389, "ldaps": 636}


def open_connection(server: LdapServerSettings) -> ldap3.Connection:
    """Return an open connection, bound with the settings *server*.

    With TLS, only the handshake (and the StartTLS request) is sent before the server's certificate is verified. Raises
    :class:`DirectoryError` if the server cannot be reached, has the wrong certificate, does not encrypt, or refuses the
    bind. A bind DN without a password is refused, because servers treat such a bind as anonymous (RFC 4513 §5.1.2).
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
    # An interrupt must close the connection too.
    except BaseException:
        close_connection(connection)
        raise
    return connection


def check_connection(server: LdapServerSettings) -> None:
    """Open a connection with the settings *server*, secure it and close it, without a bind.

    Raises :class:`DirectoryError` if the server cannot be reached, has the wrong certificate, or does not encrypt.
    """
    tls = _build_tls(server)
    connection = _build_connection(replace(server, bind_dn="", password=""), tls)
    try:
        with (
            translate_ldap_errors(server.url, request_sent=False),
            _translate_non_ldap(server),
            _log_request(f"connect {server.url}"),
        ):
            _secure_connection(connection, server, tls)
    finally:
        close_connection(connection)


@contextmanager
def _log_request(request: str, connection: ldap3.Connection | None = None) -> Iterator[None]:
    """Log the request of the block as *request*, with its duration and the result that *connection* has after it."""
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
    """Close *connection* in any state."""
    if PROTOCOL_LOG.level and not connection.closed:
        PROTOCOL_LOG.log(LDAP, "unbind")
    with suppress(LDAPExceptionError, OSError):  # the peer may have closed the connection already
        connection.unbind()


def _format_identity(server: LdapServerSettings) -> str:
    return "SASL EXTERNAL" if server.sasl_external else server.bind_dn or "anonymous"


def _build_tls(server: LdapServerSettings) -> VerifiedTls | None:
    address = urlsplit(server.url)
    if address.scheme != "ldaps" and not server.starttls:
        return None
    return VerifiedTls(create_client_context(server), address.hostname or "")


def _build_connection(server: LdapServerSettings, tls: VerifiedTls | None) -> ldap3.Connection:
    """Return the unopened ldap3 connection; the ``Server`` of ldap3 accepts neither a port nor a DN in a URL."""
    address = urlsplit(server.url)
    # urlsplit removes the brackets of an IPv6 address, which ldap3 requires.
    name = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
    is_local = address.scheme == "ldapi"
    host = ldap3.Server(
        server.url if is_local else f"{address.scheme}://{name}",
        port=None if is_local else address.port or _PORTS[address.scheme],
        use_ssl=address.scheme == "ldaps",
        tls=tls,
        # By default, ldap3 reads the server's schema on each new connection.
        get_info=ldap3.NONE,
        connect_timeout=server.connect_timeout_s,
    )
    sasl = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL, "sasl_credentials": ""}
    simple = {"user": server.bind_dn or None, "password": server.password or None}
    return ldap3.Connection(
        host,
        # ldap3 would open connections to servers that the user has not specified.
        auto_referrals=False,
        # dcmcfg has its own schema, and passes values as octets.
        check_names=False,
        auto_encode=False,
        receive_timeout=server.receive_timeout_s,
        return_empty_attributes=False,
        **(sasl if server.sasl_external else simple),
    )


def _secure_connection(connection: ldap3.Connection, server: LdapServerSettings, tls: VerifiedTls | None) -> None:
    """Open *connection*; with *tls*, encrypt it and verify the server's certificate."""
    try:
        connection.open(read_server_info=False)
        if server.starttls:
            with _log_request(_STARTTLS, connection), _limit_received(connection, server):
                connection.start_tls(read_server_info=False)
    # ldap3 reports a failed handshake as text only, so VerifiedTls keeps the reason.
    except LDAPExceptionError as error:
        if tls is not None and tls.failure is not None:
            raise tls.failure from error
        if isinstance(error, LDAPStartTLSError) and connection.result and connection.result["result"] != SUCCESS:
            raise _build_no_starttls_error(server) from error
        if server.starttls and isinstance(error, LDAPSessionTerminatedByServerError):
            raise _build_ended_error("after the StartTLS request", server) from error
        raise
    if tls is not None and not tls.is_secured(connection):  # ldap3's start_tls may return False without doing anything
        raise _build_no_starttls_error(server)


def _bind(connection: ldap3.Connection, server: LdapServerSettings, tls: VerifiedTls | None) -> dict[str, Any]:
    """Return the response to the bind.

    With TLS 1.3, a server checks the client's certificate after the client has finished its handshake, so a refusal
    arrives here. slapd with GnuTLS closes the connection in this case.
    """
    try:
        with _limit_received(connection, server):
            connection.bind(read_server_info=False)
    except LDAPCommunicationError as error:
        # A slow server has not refused anything.
        if "timed out" in str(error):
            raise
        if tls is not None:
            raise build_handshake_ended_error(str(error), server.url) from error
        raise _build_ended_error("after the bind request", server) from error
    response: dict[str, Any] = connection.result
    return response


@contextmanager
def _limit_received(connection: ldap3.Connection, server: LdapServerSettings) -> Iterator[None]:
    """Limit the octets that ldap3 receives inside the block."""
    bounded = BoundedSocket(connection.socket, LDAP_SETUP, server.url)
    connection.socket = bounded
    try:
        yield
    finally:
        if connection.socket is bounded:  # otherwise, ldap3 has closed or encrypted it
            connection.socket = bounded.wrapped_socket


@contextmanager
def _translate_non_ldap(server: LdapServerSettings) -> Iterator[None]:
    """Translate ldap3's exceptions for octets that are not LDAP messages into :class:`DirectoryError`."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise DirectoryError(
            "the peer is not an LDAP server",
            subject=server.url,
            next_step="check the host and port; for a TLS port, use an ldaps:// URL",
        ) from error


def _build_ended_error(when: str, server: LdapServerSettings) -> DirectoryError:
    return DirectoryError(
        f"the server ended the connection {when}",
        subject=server.url,
        next_step="for a TLS port, use an ldaps:// URL",
    )


def _build_no_starttls_error(server: LdapServerSettings) -> DirectoryError:
    return DirectoryError(
        "the server does not offer StartTLS, and dcmcfg does not send data unencrypted",
        subject=server.url,
        next_step="use ldaps:// if the server has a TLS port, or enable StartTLS on the server",
    )


class BoundedSocket:
    """A wrapper of a socket that raises :class:`DirectoryError` after it has received more than *limit*."""

    def __init__(self, wrapped_socket: socket.socket, limit: Limit, url: str) -> None:
        self.wrapped_socket = wrapped_socket
        self._limit = limit
        self._remaining = limit.maximum
        self._url = url

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped_socket, name)

    def recv(self, size: int) -> bytes:
        """Return received octets, as the socket does."""
        received = self.wrapped_socket.recv(size)
        self._remaining -= len(received)
        if self._remaining < 0:
            raise DirectoryError(
                f"the directory server sent too much: more than {self._limit.format_maximum()} "
                f"{self._limit.description}",
                subject=self._url,
                next_step=self._limit.next_step,
            )
        return received
