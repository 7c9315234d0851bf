"""TLS connections to a directory server, with verification of its certificate by name and authority."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any

import ldap3

from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.errors import DirectoryError
from dcmcfg.tls_trust import (
    SYSTEM_STORE_UNUSABLE,
    UnusableCaFile,
    create_ssl_context,
    explain_certificate_refusal,
    explain_version_failure,
    get_refused_certificate,
)

_TRUST_HINT = "specify the CA certificate with --ca-file (DCMCFG_CA_FILE)"
_RENEW_HINT = "install a new certificate on the server, or check the clock of this machine"
#: OpenSSL's verify code (X509_V_ERR_…) → the problem of the server's certificate, and the next step.
_VERIFY_ERRORS = {
    9: ("the server's certificate is not yet valid", _RENEW_HINT),
    10: ("the server's certificate has expired", _RENEW_HINT),
    18: ("the server's certificate is self-signed", "if you trust this certificate, specify it with --ca-file"),
    19: ("the server's certificate comes from an authority that is not trusted", _TRUST_HINT),
    20: ("the server's certificate comes from an authority that is not trusted", _TRUST_HINT),
    21: ("the server's certificate comes from an authority that is not trusted", _TRUST_HINT),
    62: ("the server's certificate is for another host name", "use a name that the certificate contains"),
    64: ("the server's certificate is for another address", "use a name that the certificate contains"),
}
_ALERT = re.compile(r"alert [a-z ]*[a-z]")


class VerifiedTls(ldap3.Tls):
    """The TLS settings for ldap3, with Python's check of the host name instead of ldap3's.

    ldap3 verifies nothing by default, and its check of the host name does not support IP addresses. ``failure`` is the
    reason of a failed handshake, which ldap3 reports as text only.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self._host = host
        self.failure: DirectoryError | None = None

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002 — ldap3's signature
        """Encrypt the socket of *connection*; the handshake is done at once, so that nothing is sent before it."""
        plain_socket: Any = getattr(connection.socket, "wrapped_socket", connection.socket)  # of a BoundedSocket
        try:
            connection.socket = self._context.wrap_socket(plain_socket, server_hostname=self._host)
        except OSError as error:
            plain_socket.close()
            self.failure = _build_handshake_error(error, connection.server.name)
            raise

    def is_secured(self, connection: ldap3.Connection) -> bool:
        """Return whether *connection* is encrypted with this context, which verified the certificate."""
        socket: Any = connection.socket
        # ``version()`` is None until the handshake has finished.
        return isinstance(socket, ssl.SSLSocket) and socket.context is self._context and socket.version() is not None


def create_client_context(server: LdapServerSettings) -> ssl.SSLContext:
    """Return the TLS context for *server*, with its trusted authorities and its client certificate.

    Raises :class:`DirectoryError` if the CA file, the client certificate or its key cannot be used.
    """
    try:
        context = create_ssl_context(server.ca_file, require_crl=server.require_crl)
    except UnusableCaFile as error:
        raise _build_unusable_error(server.ca_file, str(error), "--ca-file") from error
    if server.client_cert is not None:
        _load_client_certificate(context, server.client_cert, server.client_key)
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for path, option in ((certificate, "--client-cert"), (key, "--client-key")):
        if path is None:
            continue
        try:
            # OpenSSL's error does not name the file that it could not read.
            path.open("rb").close()
        except OSError as error:
            raise _build_unusable_error(path, f"it cannot be read ({error.strerror})", option) from error
    key_file = key or certificate
    try:
        context.load_cert_chain(certificate, key, password=_refuse_passphrase)
    except _PassphraseRequiredError:
        raise DirectoryError(
            "for the directory server, dcmcfg supports only private keys without a passphrase",
            subject=str(key_file),
            next_step="to write a key without a passphrase: openssl pkey -in KEY -out PLAIN; then protect the "
            "file PLAIN: chmod 600 PLAIN",
        ) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise DirectoryError(
                "the private key does not match the certificate",
                subject=str(key_file),
                next_step=f"specify the key of {certificate} with --client-key",
            ) from error
        message = "not a certificate and a private key in PEM format"
        raise DirectoryError(
            message,
            subject=", ".join(dict.fromkeys((str(certificate), str(key_file)))),
            next_step="check --client-cert and --client-key (the certificate file may contain the key)",
        ) from error


class _PassphraseRequiredError(Exception):
    pass


def _refuse_passphrase() -> str:
    """Raise instead of the passphrase prompt of OpenSSL on the terminal."""
    raise _PassphraseRequiredError


def _build_unusable_error(path: Path | None, problem: str, option: str) -> DirectoryError:
    if path is None:
        return DirectoryError(
            f"{SYSTEM_STORE_UNUSABLE}: {problem}",
            next_step=(f"set {option} to a file that contains CA certificates and CRLs"),
        )
    return DirectoryError(f"the file cannot be used: {problem}", subject=str(path), next_step=f"check {option}")


def _build_handshake_error(error: OSError, url: str) -> DirectoryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        if explanation := explain_certificate_refusal(error, get_refused_certificate(error)):
            problem, next_step = explanation
            return DirectoryError(
                f"the server's certificate is not trusted: {problem}; nothing was sent",
                subject=url,
                next_step=next_step,
            )
        default = (f"the server's certificate is not trusted: {error.verify_message}", _TRUST_HINT)
        problem, next_step = _VERIFY_ERRORS.get(error.verify_code, default)
        return DirectoryError(f"{problem}; nothing was sent", subject=url, next_step=next_step)
    if isinstance(error, TimeoutError):
        return DirectoryError(
            "time-out in the TLS handshake", subject=url, next_step="check that the port is a TLS port"
        )
    if problem := explain_version_failure(error):
        return DirectoryError(
            f"{problem}; nothing was sent",
            subject=url,
            next_step="enable TLS 1.2 or later on the server (slapd: TLSProtocolMin 3.3)",
        )
    if "alert" in str(error):
        return build_handshake_ended_error(str(error), url)
    return DirectoryError(
        "the server does not use TLS on this port; nothing was sent",
        subject=url,
        next_step="use ldaps:// with a TLS port (636), or ldap:// and --starttls with a plain port (389)",
    )


def build_handshake_ended_error(text: str, url: str) -> DirectoryError:
    """Return the error for a connection that the server closed in the handshake; *text* may contain its alert.

    Alerts are those of RFC 8446 §6, with the names of OpenSSL ("tlsv13 alert certificate required").
    """
    alert = _ALERT.search(text)
    alert_text = f" ({alert[0]})" if alert else ""
    return DirectoryError(
        f"the server closed the connection during the TLS handshake{alert_text}. The server might require another "
        "client certificate",
        subject=url,
        next_step="specify a client certificate from an authority that the server trusts: --client-cert and "
        "--client-key",
    )
