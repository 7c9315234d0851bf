"""TLS for associations: what is trusted, and what is shown (PS3.15 Annex B)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from dcmcfg.errors import DicomError
from dcmcfg.pem import holds_certificate, holds_private_key
from dcmcfg.tls_trust import SYSTEM_STORE_UNUSABLE, UnusableCaFile, create_ssl_context

#: All that a stock dcm4chee archive has to offer (TLS_RSA_WITH_AES_128_CBC_SHA, with TLS 1.2), and its like. Python
#: leaves them out, for want of forward secrecy; they come last, after what it takes by itself.
_STOCK_CIPHERS = ("AES128-SHA", "AES256-SHA")
#: What OpenSSL says of a key that is not the certificate's, of the same kind (RSA, EC) or of another.
_KEY_MISMATCH_REASONS = frozenset({"KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})


@dataclass(frozen=True)
class TlsFiles:
    """The files that secure associations, all in PEM form.

    ``ca`` holds who is trusted, by default whom this machine trusts; ``certificate`` is shown to the peer, ``key`` is
    its private key, by default in the same file. ``passphrase`` is called where the key is protected by one. Without
    ``check_host`` a certificate of a trusted authority is taken for any host. What ``require_crl`` does, and what
    revocation lists in ``ca`` do, says :func:`~dcmcfg.tls_trust.create_ssl_context`.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    passphrase: Callable[[], str] | None = field(default=None, repr=False)
    _: KW_ONLY
    check_host: bool = True
    require_crl: bool = False

    def client_context(self) -> ssl.SSLContext:
        """Return the context to open associations with; it verifies the peer.

        Raises :class:`DicomError` for a file that cannot be used, and what ``passphrase`` raises.
        """
        context = self._create_context(ssl.Purpose.SERVER_AUTH)
        context.check_hostname = self.check_host
        if self.certificate is not None:
            self._load_certificate(context, self.certificate)
        return context

    def server_context(self) -> ssl.SSLContext:
        """Return the context to accept associations with; with ``ca`` a client must show a certificate of it.

        Raises :class:`DicomError` without a certificate, or for a file that cannot be used, and what ``passphrase``
        raises.
        """
        if self.certificate is None:
            raise DicomError(
                "a server needs a certificate to accept TLS", next_step="--tls-cert and --tls-key name one and its key"
            )
        context = self._create_context(ssl.Purpose.CLIENT_AUTH)
        if self.ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        self._load_certificate(context, self.certificate)
        return context

    def _create_context(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        verifies = purpose is ssl.Purpose.SERVER_AUTH or self.ca is not None
        try:
            context = create_ssl_context(self.ca, require_crl=self.require_crl and verifies, purpose=purpose)
        except UnusableCaFile as error:
            raise _build_file_error(self.ca, str(error), "--tls-ca") from error
        ciphers = [each["name"] for each in context.get_ciphers()]
        context.set_ciphers(":".join((*ciphers, *_STOCK_CIPHERS)))
        return context

    def _load_certificate(self, context: ssl.SSLContext, certificate: Path) -> None:
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
                next_step="DCMCFG_TLS_KEY_PASSPHRASE_FILE names a file that holds it",
            ) from None
        except ssl.SSLError as error:
            raise _translate_key_error(error, certificate, key_file) from error


class _PassphraseRequiredError(Exception):
    pass


def _no_passphrase() -> str:
    """Raise, where OpenSSL would ask on the terminal."""
    raise _PassphraseRequiredError


def _require_readable(path: Path, option: str) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise _build_file_error(path, f"it cannot be read ({error.strerror})", option) from error


def _build_file_error(path: Path | None, problem: str, option: str) -> DicomError:
    if path is None:
        return DicomError(
            f"{SYSTEM_STORE_UNUSABLE}: {problem}", next_step=f"{option} names a file of CA certificates and CRLs"
        )
    return DicomError(f"the file cannot be used: {problem}", subject=str(path), next_step=f"it is named by {option}")


def _translate_key_error(error: ssl.SSLError, certificate: Path, key_file: Path) -> DicomError:
    if error.reason in _KEY_MISMATCH_REASONS:
        return DicomError(
            "the private key is not the one of the certificate",
            subject=str(key_file),
            next_step=f"--tls-key names the key that {certificate} was made for",
        )
    if holds_certificate(certificate.read_bytes()) and not holds_private_key(key_file.read_bytes()):
        return DicomError(
            "it holds no private key in PEM form",
            subject=str(key_file),
            next_step=f"--tls-key names the file with the private key of {certificate}",
        )
    return DicomError(
        "they are not a certificate and a private key in PEM form, or the passphrase is another one",
        subject=", ".join(dict.fromkeys((str(certificate), str(key_file)))),
        next_step="--tls-cert, --tls-key (the key may stand in the certificate's file)",
    )
