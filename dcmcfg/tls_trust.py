"""What TLS takes for trustworthy, alike for LDAP, HTTPS and DICOM: authorities, revocation lists, names, versions."""

from __future__ import annotations

import ssl
from pathlib import Path

from dcmcfg.peer_certificate import PeerCertificate, read_peer_certificate

#: In place of a CA file, where none is named.
SYSTEM_STORE_UNUSABLE = "what this machine trusts cannot be used"
#: OpenSSL's reasons for a handshake that failed over the versions: a peer of TLS 1.0 or 1.1 chooses its own, or refuses
#: ours by an alert.
_VERSION_REASONS = frozenset({"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION"})
#: OpenSSL's verify codes (X509_V_ERR_…) about revocation lists → what is wrong with a certificate, and the next step.
_REVOCATION = {
    3: (
        "the CA file has revocation lists (CRLs), but none of its authority",
        "add that authority's CRL to the CA file; openssl crl -inform DER -in FILE writes one as PEM",
    ),
    11: ("the revocation list (CRL) of its authority is not valid yet", "is the clock of this machine right?"),
    12: (
        "the revocation list (CRL) of its authority has expired",
        "put the authority's current CRL into the CA file; is the clock of this machine right?",
    ),
    23: ("its authority has revoked it", "the peer needs a new certificate"),
}
_NAME_MISMATCH_CODES = frozenset({62, 64})  # for another host, for another address
_NO_SUBJECT_ALT_NAME_HINT = "the peer needs a certificate with a subjectAltName (DNS or IP) for the host that is called"


class UnusableCaFile(Exception):
    """A CA file that nothing can be verified with; the text says why."""


class _CertificateCapturingSocket(ssl.SSLSocket):
    """A socket that keeps a refused certificate with the error: afterwards it cannot be read any more."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            error.__dict__["shown"] = read_peer_certificate(self)
            raise


def create_ssl_context(
    ca_file: Path | None, *, require_crl: bool = False, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH
) -> ssl.SSLContext:
    """Return a context that takes the certificates of the authorities in *ca_file*, by default this machine's.

    Where the file holds revocation lists (CRLs) too, a certificate is taken only if its authority has one there and
    has not revoked it; with *require_crl* the file must hold some, and each authority between a certificate and the
    trusted one is held to it as well. A name is compared with the subjectAltName alone (RFC 9525 §6.3). Raises
    :class:`UnusableCaFile`.
    """
    try:
        context = ssl.create_default_context(purpose, cafile=str(ca_file) if ca_file else None)
    except ssl.SSLError as error:
        raise UnusableCaFile("it holds no certificate in PEM form") from error
    except OSError as error:
        raise UnusableCaFile(f"it cannot be read ({error.strerror})") from error
    stats = context.cert_store_stats()
    if ca_file is not None and not stats["x509"]:
        raise UnusableCaFile("it holds no certificate in PEM form")
    if require_crl and not stats["crl"]:
        raise UnusableCaFile("it holds no revocation list (CRL) in PEM form, and --require-crl wants one")
    if stats["crl"]:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN if require_crl else ssl.VERIFY_CRL_CHECK_LEAF
    context.hostname_checks_common_name = False
    context.sslsocket_class = _CertificateCapturingSocket
    return context


def get_refused_certificate(error: BaseException) -> PeerCertificate | None:
    """Return the certificate that was refused with *error*; None where it is not known."""
    certificate = error.__dict__.get("shown")
    return certificate if isinstance(certificate, PeerCertificate) else None


def explain_certificate_refusal(
    error: ssl.SSLCertVerificationError, certificate: PeerCertificate | None
) -> tuple[str, str] | None:
    """Return what is wrong with *certificate*, and the next step.

    None where the caller has its own message.
    """
    if error.verify_code in _NAME_MISMATCH_CODES and certificate is not None and not certificate.has_host_names:
        return f"{certificate.subject or 'it'} has no subjectAltName, so it is for no host", _NO_SUBJECT_ALT_NAME_HINT
    return _REVOCATION.get(error.verify_code)


def explain_version_failure(error: BaseException) -> str:
    """Return why a handshake failed over the versions of TLS; ``""`` where that is not the reason for *error*."""
    if not isinstance(error, ssl.SSLError) or error.reason not in _VERSION_REASONS:
        return ""
    return "the peer offers neither TLS 1.2 nor 1.3; TLS 1.0 and 1.1 are not secure and are refused"
