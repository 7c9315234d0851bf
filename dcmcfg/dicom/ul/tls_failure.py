"""Explain TLS failures with a peer in words, with the next step."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import TlsHandshakeFailed
from dcmcfg.peer_certificate import PeerCertificate
from dcmcfg.tls_trust import explain_certificate_refusal, explain_version_failure

#: End of the message for a failed handshake.
NOTHING_SENT = "; nothing was sent"
_TRUST = "specify the certificate of the peer's certificate authority with --tls-ca"
_RENEW = "check the clock of this machine. If the clock is right, install a new certificate on the peer"
_WAIT = "check the clock of this machine. If the clock is right, the peer must use a certificate that is already valid"
_ANY_HOST = "to accept the certificate for any host: --tls-any-host"
_NAME = (
    "the peer's certificate must contain the called host. This host comes from dicomHostname in LDAP, or from the "
    f"option --connect of dcmcfg verify; {_ANY_HOST}"
)
_HOST_MISMATCH_CODES = frozenset({62, 64})
_UNKNOWN_AUTHORITY = "dcmcfg does not trust the certificate authority"
#: OpenSSL's verify code (X509_V_ERR_…) → the problem with the peer's certificate, and the next step.
_VERIFY_ERRORS = {
    9: ("it is not valid yet", _WAIT),
    10: ("it has expired", _RENEW),
    18: ("it is self-signed", "if you trust this certificate, specify the certificate itself with --tls-ca"),
    19: (_UNKNOWN_AUTHORITY, _TRUST),
    20: (_UNKNOWN_AUTHORITY, _TRUST),
    21: (_UNKNOWN_AUTHORITY, _TRUST),
    62: ("the certificate is for another host than the called host", _NAME),
    64: ("the certificate is for another host than the called host", _NAME),
}
_TLS_PORT_HINT = "check that this port is the TLS port, not the port without TLS"
_CLIENT_CERTIFICATE = (
    "specify a certificate that the peer trusts (--tls-cert), and its private key (--tls-key). On a dcm4chee "
    "archive, check dicomAuthorizedNodeCertificateReference or the trust store of the archive"
)
_NOTHING_IN_COMMON = (
    "on a dcm4chee archive, check dcmTLSProtocol and dicomTLSCipherSuite of the called connection. OpenSSL on this "
    "machine supports only TLS 1.2 and TLS 1.3 with secure ciphers"
)
_ALERT = re.compile(r"alert ([a-z ]*[a-z])")
#: Alerts with which a server refuses the client's certificate (RFC 8446 §6.2), in OpenSSL's words.
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
    """Return the :class:`TlsHandshakeFailed` for *error* in a handshake with *peer*, which had *seconds*.

    *certificate* is the certificate that the peer sent, if known.
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
        problem, next_step = "the peer does not use TLS at this address", _TLS_PORT_HINT
    return TlsHandshakeFailed(
        f"{problem}{NOTHING_SENT}", subject=str(peer), next_step=next_step, speaks_tls=explanation is not None
    )


def _explain_untrusted_certificate(
    error: ssl.SSLCertVerificationError, peer: Peer, certificate: PeerCertificate | None
) -> tuple[str, str]:
    """Return the problem with the certificate of *peer*, and the next step."""
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
    """Return the problem in words; ``""`` if another certificate has the problem, such as an authority's."""
    now = datetime.now(UTC)
    match code:
        case 9 if certificate.valid_from is not None and certificate.valid_from > now:
            return f"it is not valid before {certificate.valid_from:%Y-%m-%d}"
        case 10 if certificate.valid_until is not None and certificate.valid_until < now:
            return f"it expired on {certificate.valid_until:%Y-%m-%d}"
        case 62 | 64 if certificate.hosts:
            return f"the called host is {host}, but the certificate is for {certificate.hosts_text}"
    return ""


def _explain_handshake_failure(error: OSError) -> tuple[str, str] | None:
    """Return the problem and the next step; None if the peer's answer was not TLS."""
    alert = _find_alert(error)
    if problem := explain_version_failure(error):
        return problem, _NOTHING_IN_COMMON
    if alert in _CLIENT_CERTIFICATE_ALERTS:
        return describe_tls_end(error), _CLIENT_CERTIFICATE
    if alert == "handshake failure":  # TLS 1.2 also requests a client certificate this way (RFC 5246 §7.4.6).
        return (
            f"the peer refused the TLS handshake ({alert})",
            f"{_CLIENT_CERTIFICATE}. Otherwise, {_NOTHING_IN_COMMON}",
        )
    if alert:
        return f"the peer refused the TLS handshake ({alert})", _NOTHING_IN_COMMON
    return None


def describe_tls_end(error: OSError) -> str:
    """Return why a secured connection ended, in words; most often the peer requires another certificate."""
    # With TLS 1.3 the client's handshake ends before the server checks its certificate, so the alert arrives later.
    alert = _find_alert(error)
    if alert == "certificate required":
        return "the peer requires a client certificate (TLS alert: certificate required)"
    if alert in _CLIENT_CERTIFICATE_ALERTS:
        return f"the peer refused the certificate of dcmcfg (TLS alert: {alert})"
    return f"the TLS connection broke ({alert or getattr(error, 'reason', None) or error})"


def describe_lost_connection(error: BaseException) -> str:
    """Return how a connection was lost, in words; TLS details are in the cause of *error*."""
    cause = error.__cause__
    return describe_tls_end(cause) if isinstance(cause, ssl.SSLError) else "the connection was lost"


def suggest_tls_fix(end_reason: str) -> str:
    """Return the next step for an *end_reason* of :func:`describe_tls_end`; ``""`` if it is not about a certificate."""
    return _CLIENT_CERTIFICATE if "TLS alert: " in end_reason else ""


def _find_alert(error: OSError) -> str:
    match = _ALERT.search(str(error))
    return match[1] if match else ""
