"""The syslog server of a site: this machine's own, or a server that is reached by UDP, TCP or TLS."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dcmcfg.errors import DcmcfgError, MalformedInput
from dcmcfg.network_address import format_host_port
from dcmcfg.tls_trust import UnusableCaFile, create_ssl_context

LOCAL = "syslog"
_LOCAL_SOCKET = "/dev/log"
#: RFC 5426 §3.3 (UDP; RFC 6587 leaves the port of TCP open) and RFC 5425 §4.1 (TLS).
_UDP_PORT, _TLS_PORT = 514, 6514
_TIMEOUT_S = 3.0
#: A closed UDP port on this machine or in the same network answers in this time.
_REFUSAL_S = 0.05
_EXAMPLES = (
    "for example syslog, syslog://log.example.org, syslog+tcp://log.example.org:514 or syslog+tls://log.example.org"
)


class Transport(Enum):
    """How messages reach the server."""

    LOCAL = "local"
    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


_TRANSPORTS = {"syslog": Transport.UDP, "syslog+tcp": Transport.TCP, "syslog+tls": Transport.TLS}


@dataclass(frozen=True)
class SyslogTarget:
    """A syslog server: the path of a socket on this machine (``LOCAL``), or a host and a port."""

    transport: Transport
    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.transport is Transport.LOCAL:
            return LOCAL if self.path == _LOCAL_SOCKET else f"syslog://{self.path}"
        scheme = next(name for name, transport in _TRANSPORTS.items() if transport is self.transport)
        return f"{scheme}://{format_host_port(self.host, self.port)}"

    def send(self, message: bytes, ca_file: Path | None = None) -> None:
        """Send *message*; with TLS, *ca_file* has the trusted authorities, else those of the system.

        Success does not mean that the server has stored the message: syslog has no acknowledgement. Raises
        :class:`DcmcfgError` if the message cannot be sent.
        """
        try:
            self._send(message, ca_file)
        except UnusableCaFile as error:
            raise DcmcfgError(f"the CA file cannot be used: {error}", subject=str(self)) from error
        except ssl.SSLCertVerificationError as error:
            raise DcmcfgError(
                f"dcmcfg refused the certificate of the server ({error.verify_message})", subject=str(self)
            ) from error
        except OSError as error:  # including ssl.SSLError and a name that cannot be resolved
            raise DcmcfgError(error.strerror or str(error) or "no response", subject=str(self)) from error

    def _send(self, message: bytes, ca_file: Path | None) -> None:
        match self.transport:
            case Transport.LOCAL:
                try:
                    self._send_locally(message)
                except (FileNotFoundError, ConnectionRefusedError) as error:
                    raise DcmcfgError(
                        f"no syslog server on this machine listens on the socket {self.path}", subject=str(self)
                    ) from error
            case Transport.UDP:
                self._send_datagram(message)
            case Transport.TCP:
                with self._connect() as connection:
                    connection.sendall(_frame(message))
                    connection.shutdown(socket.SHUT_WR)
            case Transport.TLS:
                context = create_ssl_context(ca_file)
                with context.wrap_socket(self._connect(), server_hostname=self.host) as connection:
                    connection.sendall(_frame(message))
                    with suppress(OSError):  # the server may close the connection without an answer
                        connection.unwrap()

    def _connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=_TIMEOUT_S)

    def _send_locally(self, message: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(self.path)
            connection.send(message)

    def _send_datagram(self, message: bytes) -> None:
        family, kind, protocol, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as connection:
            connection.connect(address)
            connection.send(message)
            connection.settimeout(_REFUSAL_S)
            try:
                connection.recv(1)  # raises ConnectionRefusedError if the port is closed
            except TimeoutError:
                return


def _frame(message: bytes) -> bytes:
    """Return *message* with its length before it: a stream has no other end of a message (RFC 5425 §4.3)."""
    return b"%d %b" % (len(message), message)


def parse_syslog_target(text: str, origin: str) -> SyslogTarget:
    """Return the server that *text* names; errors name *origin*.

    The forms are ``syslog`` (this machine), ``syslog:///PATH`` (another socket on this machine), ``syslog://HOST:PORT``
    (UDP), ``syslog+tcp://HOST:PORT`` and ``syslog+tls://HOST:PORT``. Raises :class:`MalformedInput`.
    """
    if text == LOCAL:
        return SyslogTarget(Transport.LOCAL, _LOCAL_SOCKET)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _build_error(str(error), text, origin) from None
    transport = _TRANSPORTS.get(parts.scheme)
    if transport is None or not text.isascii() or not text.isprintable() or "://" not in text:
        raise _build_error(
            "the value must be syslog, or start with syslog://, syslog+tcp:// or syslog+tls://", text, origin
        )
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise _build_error("the value must not contain a user name, '?' or '#'", text.rpartition("@")[2], origin)
    if transport is Transport.UDP and not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1:
        return SyslogTarget(Transport.LOCAL, unquote(parts.path))
    if not parts.hostname or parts.path not in ("", "/") or port == 0:
        raise _build_error("the value must contain a host, and nothing after the port", text, origin)
    default_port = _TLS_PORT if transport is Transport.TLS else _UDP_PORT
    return SyslogTarget(transport, host=parts.hostname, port=port or default_port)


def _build_error(problem: str, text: str, origin: str) -> MalformedInput:
    return MalformedInput(f"invalid syslog server: {problem}", subject=f"{origin} {text!r}", next_step=_EXAMPLES)
