"""Why there is no TLS with a peer, in words with the next step."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import TlsHandshakeFailed
from dcmcfg.peer_certificate import PeerCertificate
from dcmcfg.tls_trust import explain_certificate_refusal, explain_version_failure

#: What ends the words for a handshake that failed.
NOTHING_SENT = "; nothing was sent"
_TRUST = "--tls-ca names the certificate of the authority that signed it"
_RENEW = "the peer needs a new certificate; is the clock of this machine right?"
_WAIT = "is the clock of this machine right? Else the peer has to show a certificate that is valid already"
_ANY_HOST = "--tls-any-host takes it for any"
_NAME = (
    "its certificate must name the host that is called (dicomHostname in LDAP, or --connect HOST of verify); "
    f"{_ANY_HOST}"
)
_HOST_MISMATCH_CODES = frozenset({62, 64})
_UNKNOWN_AUTHORITY = "its authority is not one that is trusted here"
#: OpenSSL's verify code (X509_V_ERR_…) → what is wrong with the peer's certificate, and the next step.
_VERIFY_ERRORS = {
    9: ("it is not valid yet", _WAIT),
    10: ("it has expired", _RENEW),
    18: ("it is self-signed", "--tls-ca names this very certificate, once you trust it"),
    19: (_UNKNOWN_AUTHORITY, _TRUST),
    20: (_UNKNOWN_AUTHORITY, _TRUST),
    21: (_UNKNOWN_AUTHORITY, _TRUST),
    62: ("it is for another host than the one that was called", _NAME),
    64: ("it is for another host than the one that was called", _NAME),
}
_TLS_PORT_HINT = "is that its TLS port, and not the plain one?"
_CLIENT_CERTIFICATE = (
    "--tls-cert and --tls-key name a certificate of an authority that the peer trusts, and its key. On a dcm4chee "
    "archive: dicomAuthorizedNodeCertificateReference, or its trust store"
)
_NOTHING_IN_COMMON = (
    "on a dcm4chee archive: dcmTLSProtocol and dicomTLSCipherSuite of its connection. This machine's OpenSSL takes "
    "TLS 1.2 and 1.3 with ciphers that are not broken"
)
_ALERT = re.compile(r"alert ([a-z ]*[a-z])")
#: Alerts by which a server refuses what the client showed (RFC 8446 §6.2), in OpenSSL's words.
_CLIENT_CERTIFICATE_ALERTS = (
    "certificate required",
    "bad certificate",
    "unsupported certificate",
    "certificate revoked",
    "certificate expired",
    "certificate unknown",
    "unknown ca",
    "access denied",
)


def translate_handshake_error(
    error: OSError, peer: Peer, seconds: float, certificate: PeerCertificate | None = None
) -> TlsHandshakeFailed:
    """Return *error*, with which the TLS handshake with *peer* failed within *seconds*, as one of ours.

    *certificate* is the certificate that it showed, where that is known.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        explanation: tuple[str, str] | None = _explain_untrusted_certificate(error, peer, certificate)
    else:
        explanation = _explain_handshake_failure(error)
    if explanation is not None:
        problem, next_step = explanation
    elif isinstance(error, TimeoutError):
        problem, next_step = f"no answer to the TLS handshake within {seconds:g} s", _TLS_PORT_HINT
    else:
        problem, next_step = "the peer does not speak TLS there", _TLS_PORT_HINT
    return TlsHandshakeFailed(
        f"{problem}{NOTHING_SENT}", subject=str(peer), next_step=next_step, speaks_tls=explanation is not None
    )


def _explain_untrusted_certificate(
    error: ssl.SSLCertVerificationError, peer: Peer, certificate: PeerCertificate | None
) -> tuple[str, str]:
    """Return what is wrong with the certificate of *peer*, and the next step."""
    problem, next_step = explain_certificate_refusal(error, certificate) or _VERIFY_ERRORS.get(
        error.verify_code, (error.verify_message, _TRUST)
    )
    if certificate is not None and error.verify_code in _HOST_MISMATCH_CODES and not certificate.has_host_names:
        return f"certificate not trusted: {problem}", f"{next_step}; {_ANY_HOST}"
    certificate_problem = (
        _explain_by_certificate(error.verify_code, peer.host, certificate) if certificate is not None else ""
    )
    return f"certificate not trusted: {certificate_problem or problem}", next_step


def _explain_by_certificate(code: int, host: str, certificate: PeerCertificate) -> str:
    """Return what is wrong by *certificate*; ``""`` where it is another one that is wrong, such as an authority's."""
    now = datetime.now(UTC)
    match code:
        case 9 if certificate.valid_from is not None and certificate.valid_from > now:
            return f"it is not valid before {certificate.valid_from:%Y-%m-%d}"
        case 10 if certificate.valid_until is not None and certificate.valid_until < now:
            return f"it expired on {certificate.valid_until:%Y-%m-%d}"
        case 62 | 64 if certificate.hosts:
            return f"{host} was called, and it is for {certificate.hosts_text}"
    return ""


def _explain_handshake_failure(error: OSError) -> tuple[str, str] | None:
    """Return what went wrong, and the next step; None where what the peer said, if anything, was not TLS."""
    alert = _find_alert(error)
    if problem := explain_version_failure(error):
        return problem, _NOTHING_IN_COMMON
    if alert in _CLIENT_CERTIFICATE_ALERTS:
        return describe_tls_end(error), _CLIENT_CERTIFICATE
    if alert == "handshake failure":  # also how TLS 1.2 wants a client certificate (RFC 5246 §7.4.6)
        return f"the peer refused the TLS handshake ({alert})", f"{_CLIENT_CERTIFICATE}. Else {_NOTHING_IN_COMMON}"
    if alert:
        return f"the peer refused the TLS handshake ({alert})", _NOTHING_IN_COMMON
    return None


def describe_tls_end(error: OSError) -> str:
    """Return in words why a connection that was secured has ended: most often the peer wants another certificate."""
    alert = _find_alert(error)
    if alert == "certificate required":
        return "the peer wants a client certificate (TLS alert: certificate required)"
    if alert in _CLIENT_CERTIFICATE_ALERTS:
        return f"the peer refused our certificate (TLS alert: {alert})"
    return f"the TLS connection broke ({alert or getattr(error, 'reason', None) or error})"


def describe_lost_connection(error: BaseException) -> str:
    """Return in words how a connection was lost; what TLS says is in the cause of *error*."""
    cause = error.__cause__
    return describe_tls_end(cause) if isinstance(cause, ssl.SSLError) else "the connection was lost"


def suggest_tls_fix(end_reason: str) -> str:
    """Return what to do about an *end_reason* of :func:`describe_tls_end`.

    ``""`` where it is not about a certificate.
    """
    return _CLIENT_CERTIFICATE if "TLS alert: " in end_reason else ""


def _find_alert(error: OSError) -> str:
    match = _ALERT.search(str(error))
    return match[1] if match else ""
