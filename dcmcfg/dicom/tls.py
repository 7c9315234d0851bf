"""TLS for associations: trusted authorities and own certificates (PS3.15 Annex B)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from dcmcfg.errors import DicomError
from dcmcfg.pem import holds_certificate, holds_private_key
from dcmcfg.tls_trust import SYSTEM_STORE_UNUSABLE, UnusableCaFile, create_ssl_context

#: The cipher suites of a stock dcm4chee archive (TLS_RSA_WITH_AES_128_CBC_SHA, with TLS 1.2). Python disables them,
#: because they have no forward secrecy; they come last, after Python's default suites.
_STOCK_CIPHERS = ("AES128-SHA", "AES256-SHA")
#: OpenSSL's reasons for a key that does not belong to the certificate, of the same kind (RSA, EC) or of another.
_KEY_MISMATCH_REASONS = frozenset({"KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})


@dataclass(frozen=True)
class TlsFiles:
    """The files that secure associations, all in PEM form.

    ``ca`` has the trusted authorities, by default those of this machine. ``certificate`` is sent to the peer; ``key``
    is its private key, by default in the same file. ``passphrase`` is called if the key is protected by one. Without
    ``check_host``, a certificate of a trusted authority is accepted for any host. For ``require_crl`` and revocation
    lists in ``ca`` see :func:`~dcmcfg.tls_trust.create_ssl_context`.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    passphrase: Callable[[], str] | None = field(default=None, repr=False)
    _: KW_ONLY
    check_host: bool = True
    require_crl: bool = False

    def client_context(self) -> ssl.SSLContext:
        """Return the context for opening associations; it verifies the peer.

        Raises :class:`DicomError` for an unusable file, and the errors of ``passphrase``.
        """
        context = self._create_context(ssl.Purpose.SERVER_AUTH)
        context.check_hostname = self.check_host
        if self.certificate is not None:
            self._load_certificate(context, self.certificate)
        return context

    def server_context(self) -> ssl.SSLContext:
        """Return the context for accepting associations; with ``ca``, clients must send a certificate of it.

        Raises :class:`DicomError` without a certificate or for an unusable file, and the errors of ``passphrase``.
        """
        if self.certificate is None:
            raise DicomError(
                "a TLS server requires a certificate",
                next_step="specify the certificate with --tls-cert and its private key with --tls-key",
            )
        context = self._create_context(ssl.Purpose.CLIENT_AUTH)
        if self.ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        self._load_certificate(context, self.certificate)
        return context

    def _create_context(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        # A server without a CA requests no certificate from its clients, so it has no use for revocation lists.
        verifies = purpose is ssl.Purpose.SERVER_AUTH or self.ca is not None
        try:
            context = create_ssl_context(self.ca, require_crl=self.require_crl and verifies, purpose=purpose)
        except UnusableCaFile as error:
            raise _build_file_error(self.ca, str(error), "--tls-ca") from error
        ciphers = [each["name"] for each in context.get_ciphers()]
        context.set_ciphers(":".join((*ciphers, *_STOCK_CIPHERS)))
        return context

    def _load_certificate(self, context: ssl.SSLContext, certificate: Path) -> None:
        # The error of load_cert_chain does not show which of the two files cannot be read.
        _require_readable(certificate, "--tls-cert")
        if self.key is not None:
            _require_readable(self.key, "--tls-key")
        key_file = self.key or certificate
        try:
            context.load_cert_chain(certificate, self.key, password=self.passphrase or _no_passphrase)
        except _PassphraseRequiredError:
            raise DicomError(
                "the private key is protected by a passphrase",
                subject=str(key_file),
                next_step="set DCMCFG_TLS_KEY_PASSPHRASE_FILE to the path of a file that contains the passphrase",
            ) from None
        except ssl.SSLError as error:
            raise _translate_key_error(error, certificate, key_file) from error


class _PassphraseRequiredError(Exception):
    pass


def _no_passphrase() -> str:
    """Raise, because OpenSSL would otherwise ask on the terminal."""
    raise _PassphraseRequiredError


def _require_readable(path: Path, option: str) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise _build_file_error(path, f"it cannot be read ({error.strerror})", option) from error


def _build_file_error(path: Path | None, problem: str, option: str) -> DicomError:
    if path is None:
        return DicomError(
            f"{SYSTEM_STORE_UNUSABLE}: {problem}",
            next_step=(f"set {option} to a file that contains CA certificates and CRLs"),
        )
    return DicomError(
        f"the file cannot be used: {problem}",
        subject=str(path),
        next_step=f"correct the file, or specify another file with {option}",
    )


def _translate_key_error(error: ssl.SSLError, certificate: Path, key_file: Path) -> DicomError:
    if error.reason in _KEY_MISMATCH_REASONS:
        return DicomError(
            "the private key does not belong to the certificate",
            subject=str(key_file),
            next_step=f"specify the private key of {certificate} with --tls-key",
        )
    if holds_certificate(certificate.read_bytes()) and not holds_private_key(key_file.read_bytes()):
        return DicomError(
            "the file has no private key in PEM form",
            subject=str(key_file),
            next_step=f"specify the file with the private key of {certificate} with --tls-key",
        )
    return DicomError(
        "the files are not a certificate and a private key in PEM form, or the passphrase is wrong",
        subject=", ".join(dict.fromkeys((str(certificate), str(key_file)))),
        next_step="check --tls-cert and --tls-key (one file may contain both)",
    )
