"""The TLS trust settings for LDAP, HTTPS and DICOM: authorities, revocation lists, names and versions."""

from __future__ import annotations

import ssl
from pathlib import Path

from dcmcfg.peer_certificate import PeerCertificate, read_peer_certificate

#: The problem of the system's trust store, which is used without a CA file.
SYSTEM_STORE_UNUSABLE = "the CA certificates of this system cannot be used"
#: OpenSSL's reasons for a handshake that failed because of the TLS version: a peer with TLS 1.0 or 1.1 chooses its own
#: version, or refuses ours with an alert.
_VERSION_REASONS = frozenset({"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION"})
#: OpenSSL's verify codes (X509_V_ERR_…) for revocation lists → the problem of the certificate, and the next step.
_REVOCATION = {
    3: (
        "the CA file contains revocation lists (CRLs), but no CRL of the authority that issued this certificate",
        "add the CRL of this authority to the CA file; to convert a CRL to PEM: openssl crl -inform DER -in FILE",
    ),
    11: (
        "the revocation list (CRL) of the certificate's authority is not yet valid",
        "check the clock of this machine",
    ),
    12: (
        "the revocation list (CRL) of the certificate's authority has expired",
        "put the authority's current CRL into the CA file, and check the clock of this machine",
    ),
    23: ("the authority has revoked this certificate", "install a new certificate on the peer"),
}
_NAME_MISMATCH_CODES = frozenset({62, 64})  # for another host, for another address
_NO_SUBJECT_ALT_NAME_HINT = "on the peer, install a certificate with a subjectAltName (DNS or IP) for this host"


class UnusableCaFile(Exception):
    """A CA file that cannot be used for verification; the text is the reason."""


class _CertificateCapturingSocket(ssl.SSLSocket):
    """A socket that attaches a refused certificate to the error, because it cannot be read after the handshake."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            # SSLError has no attribute for a certificate.
            error.__dict__["shown"] = read_peer_certificate(self)
            raise


def create_ssl_context(
    ca_file: Path | None, *, require_crl: bool = False, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH
) -> ssl.SSLContext:
    """Return a context that trusts the authorities in *ca_file*, or without one those of the system.

    If the file also contains revocation lists (CRLs), a certificate is accepted only if the file has a CRL of its
    authority that does not revoke it. With *require_crl*, the file must contain CRLs, and all intermediate authorities
    are checked too. The oldest version is TLS 1.2. Host names are compared with the subjectAltName only (RFC 9525
    §6.3). Raises :class:`UnusableCaFile`.
    """
    try:
        context = ssl.create_default_context(purpose, cafile=str(ca_file) if ca_file else None)
    except ssl.SSLError as error:
        raise UnusableCaFile("no certificate in PEM format was found") from error
    except OSError as error:
        raise UnusableCaFile(f"it cannot be read ({error.strerror})") from error
    # CPython sets this itself, but Debian's Python leaves it to the configuration of OpenSSL.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    stats = context.cert_store_stats()
    # OpenSSL also loads a file that contains CRLs only.
    if ca_file is not None and not stats["x509"]:
        raise UnusableCaFile("no certificate in PEM format was found")
    if require_crl and not stats["crl"]:
        raise UnusableCaFile("no revocation list (CRL) in PEM format was found, but --require-crl requires a CRL")
    if stats["crl"]:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN if require_crl else ssl.VERIFY_CRL_CHECK_LEAF
    context.hostname_checks_common_name = False
    context.sslsocket_class = _CertificateCapturingSocket
    return context


def get_refused_certificate(error: BaseException) -> PeerCertificate | None:
    """Return the certificate that was refused with *error*; None if it is unknown."""
    certificate = error.__dict__.get("shown")
    return certificate if isinstance(certificate, PeerCertificate) else None


def explain_certificate_refusal(
    error: ssl.SSLCertVerificationError, certificate: PeerCertificate | None
) -> tuple[str, str] | None:
    """Return the problem of the refused *certificate*, and the next step.

    Returns None for errors for which the caller has its own message.
    """
    if error.verify_code in _NAME_MISMATCH_CODES and certificate is not None and not certificate.has_host_names:
        return (
            f"{certificate.subject or 'the certificate'} has no subjectAltName, so no host name can match",
            _NO_SUBJECT_ALT_NAME_HINT,
        )
    return _REVOCATION.get(error.verify_code)


def explain_version_failure(error: BaseException) -> str:
    """Return the message for a handshake that failed because of the TLS version; empty for any other *error*."""
    if not isinstance(error, ssl.SSLError) or error.reason not in _VERSION_REASONS:
        return ""
    return "the peer supports only TLS 1.1 or older, which is not secure; dcmcfg requires TLS 1.2 or 1.3"
