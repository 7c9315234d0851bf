"""TLS to a directory server, with its certificate verified by name and authority."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any

import ldap3

from dcmcfg.directory.server import LdapServer
from dcmcfg.errors import DirectoryError
from dcmcfg.tls_trust import THIS_MACHINE, UnusableCaFile, refusal, shown_with, trusting, version_problem

#: OpenSSL's verify code (X509_V_ERR_…) → what is wrong with the server's certificate, and the next step.
_TRUST = "--ca-file (DCMCFG_CA_FILE) names the certificate of the authority that signed it"
_RENEW = "the server needs a new certificate; is the clock of this machine right?"
_VERIFY_ERRORS = {
    9: ("the server's certificate is not valid yet", _RENEW),
    10: ("the server's certificate has expired", _RENEW),
    18: ("the server's certificate is self-signed", "--ca-file names this very certificate, once you trust it"),
    19: ("the server's certificate comes from an authority that is not trusted here", _TRUST),
    20: ("the server's certificate comes from an authority that is not trusted here", _TRUST),
    21: ("the server's certificate comes from an authority that is not trusted here", _TRUST),
    62: ("the server's certificate is for another host name", "use a name that stands in the certificate"),
    64: ("the server's certificate is for another address", "use a name that stands in the certificate"),
}
_ALERT = re.compile(r"alert [a-z ]*[a-z]")


class VerifiedTls(ldap3.Tls):
    """TLS as ldap3 takes it, with Python's own check of the host name in place of ldap3's.

    ldap3 verifies nothing by default, and its check of the name knows no addresses. ``failure`` says why a handshake
    failed, which ldap3 reports as text only.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host
        self.failure: DirectoryError | None = None

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002 — ldap3's signature
        """Encrypt the socket of *connection*: with a handshake whatever was asked, so that nothing comes before it."""
        plain: Any = getattr(connection.socket, "whole", connection.socket)  # of a BoundedSocket
        try:
            connection.socket = self._context.wrap_socket(plain, server_hostname=self._host)
        except OSError as error:
            plain.close()
            self.failure = _handshake_failure(error, connection.server.name)
            raise

    def holds(self, connection: ldap3.Connection) -> bool:
        """Tell whether *connection* is encrypted by this context, and its certificate verified."""
        socket: Any = connection.socket
        return isinstance(socket, ssl.SSLSocket) and socket.context is self._context and socket.version() is not None


def client_context(server: LdapServer) -> ssl.SSLContext:
    """Return what is trusted and shown when connecting to *server*.

    Raises :class:`DirectoryError` when the CA file, the client certificate or its key cannot be used.
    """
    try:
        context = trusting(server.ca_file, require_crl=server.require_crl)
    except UnusableCaFile as error:
        raise _unusable(server.ca_file, str(error), "--ca-file") from error
    if server.client_cert is not None:
        _show(context, server.client_cert, server.client_key)
    return context


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for path, option in ((certificate, "--client-cert"), (key, "--client-key")):
        if path is None:
            continue
        try:
            path.open("rb").close()
        except OSError as error:
            raise _unusable(path, f"it cannot be read ({error.strerror})", option) from error
    holder = key or certificate
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except _PassphraseWantedError:
        raise DirectoryError(
            "the private key is protected by a passphrase, which is not asked for",
            on=str(holder),
            next_step="openssl pkey -in KEY -out PLAIN writes one without; keep that file to yourself (chmod 600)",
        ) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise DirectoryError(
                "the private key is not the one of the certificate",
                on=str(holder),
                next_step=f"--client-key names the key that {certificate} was made for",
            ) from error
        what = "they are not a certificate and a private key in PEM form"
        raise DirectoryError(
            what,
            on=", ".join(dict.fromkeys((str(certificate), str(holder)))),
            next_step="--client-cert, --client-key (the key may stand in the certificate's file)",
        ) from error


class _PassphraseWantedError(Exception):
    pass


def _no_passphrase() -> str:
    """Raise, where OpenSSL would ask on the terminal."""
    raise _PassphraseWantedError


def _unusable(path: Path | None, what: str, option: str) -> DirectoryError:
    if path is None:
        return DirectoryError(f"{THIS_MACHINE}: {what}", next_step=f"{option} names a file of CA certificates and CRLs")
    return DirectoryError(f"the file cannot be used: {what}", on=str(path), next_step=f"it is named by {option}")


def _handshake_failure(error: OSError, url: str) -> DirectoryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        if refused := refusal(error, shown_with(error)):
            what, next_step = refused
            return DirectoryError(
                f"the server's certificate is not trusted: {what}; nothing was sent", on=url, next_step=next_step
            )
        other = (f"the server's certificate is not trusted: {error.verify_message}", _TRUST)
        what, next_step = _VERIFY_ERRORS.get(error.verify_code, other)
        return DirectoryError(f"{what}; nothing was sent", on=url, next_step=next_step)
    if isinstance(error, TimeoutError):
        return DirectoryError("no answer to the TLS handshake in time", on=url, next_step="is it a TLS port?")
    if problem := version_problem(error):
        return DirectoryError(
            f"{problem}; nothing was sent",
            on=url,
            next_step="the server has to offer TLS 1.2 or newer (slapd: TLSProtocolMin 3.3)",
        )
    if "alert" in str(error):
        return ended_after_handshake(str(error), url)
    return DirectoryError(
        "the server does not speak TLS there; nothing was sent",
        on=url,
        next_step="ldaps:// wants a TLS port (636), ldap:// with --starttls the other one (389)",
    )


def ended_after_handshake(text: str, url: str) -> DirectoryError:
    """Return the error for a connection that the server ended over the handshake; *text* may name its alert.

    Alerts: RFC 8446 §6, in OpenSSL's words ("tlsv13 alert certificate required").
    """
    alert = _ALERT.search(text)
    said = f" ({alert[0]})" if alert else ""
    return DirectoryError(
        f"the server ended the connection over the TLS handshake{said}: it may want another client certificate",
        on=url,
        next_step="--client-cert and --client-key name one of an authority that the server trusts",
    )
