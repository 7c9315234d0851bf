"""Why there is no TLS with a peer, in words with the next step."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import NotSecured
from dcmcfg.peer_certificate import ShownCertificate
from dcmcfg.tls_trust import refusal, version_problem

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
_OTHER_NAME = frozenset({62, 64})
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
_IS_TLS = "is that its TLS port, and not the plain one?"
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
_ABOUT_OUR_CERTIFICATE = (
    "certificate required",
    "bad certificate",
    "unsupported certificate",
    "certificate revoked",
    "certificate expired",
    "certificate unknown",
    "unknown ca",
    "access denied",
)


def no_handshake(error: OSError, peer: Peer, seconds: float, shown: ShownCertificate | None = None) -> NotSecured:
    """Return *error*, with which the TLS handshake with *peer* failed within *seconds*, as one of ours.

    *shown* is the certificate that it showed, where that is known.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        spoken: tuple[str, str] | None = _untrusted(error, peer, shown)
    else:
        spoken = _handshake(error)
    if spoken is not None:
        what, next_step = spoken
    elif isinstance(error, TimeoutError):
        what, next_step = f"no answer to the TLS handshake within {seconds:g} s", _IS_TLS
    else:
        what, next_step = "the peer does not speak TLS there", _IS_TLS
    return NotSecured(f"{what}{NOTHING_SENT}", on=str(peer), next_step=next_step, speaks_tls=spoken is not None)


def _untrusted(error: ssl.SSLCertVerificationError, peer: Peer, shown: ShownCertificate | None) -> tuple[str, str]:
    """Return what is wrong with the certificate of *peer*, and the next step."""
    what, next_step = refusal(error, shown) or _VERIFY_ERRORS.get(error.verify_code, (error.verify_message, _TRUST))
    if shown is not None and error.verify_code in _OTHER_NAME and not shown.names_hosts:
        return f"certificate not trusted: {what}", f"{next_step}; {_ANY_HOST}"
    closer = _by_the_shown(error.verify_code, peer.host, shown) if shown is not None else ""
    return f"certificate not trusted: {closer or what}", next_step


def _by_the_shown(code: int, host: str, shown: ShownCertificate) -> str:
    """Return what is wrong by *shown*; ``""`` where it is another one that is wrong, such as an authority's."""
    now = datetime.now(UTC)
    match code:
        case 9 if shown.since is not None and shown.since > now:
            return f"it is not valid before {shown.since:%Y-%m-%d}"
        case 10 if shown.until is not None and shown.until < now:
            return f"it expired on {shown.until:%Y-%m-%d}"
        case 62 | 64 if shown.hosts:
            return f"{host} was called, and it is for {shown.hosts_in_words}"
    return ""


def _handshake(error: OSError) -> tuple[str, str] | None:
    """Return what went wrong, and the next step; None where what the peer said, if anything, was not TLS."""
    said = _alert(error)
    if problem := version_problem(error):
        return problem, _NOTHING_IN_COMMON
    if said in _ABOUT_OUR_CERTIFICATE:
        return ended_over_tls(error), _CLIENT_CERTIFICATE
    if said == "handshake failure":  # also how TLS 1.2 wants a client certificate (RFC 5246 §7.4.6)
        return f"the peer refused the TLS handshake ({said})", f"{_CLIENT_CERTIFICATE}. Else {_NOTHING_IN_COMMON}"
    if said:
        return f"the peer refused the TLS handshake ({said})", _NOTHING_IN_COMMON
    return None


def ended_over_tls(error: OSError) -> str:
    """Return in words why a connection that was secured has ended: most often the peer wants another certificate."""
    said = _alert(error)
    if said == "certificate required":
        return "the peer wants a client certificate (TLS alert: certificate required)"
    if said in _ABOUT_OUR_CERTIFICATE:
        return f"the peer refused our certificate (TLS alert: {said})"
    return f"the TLS connection broke ({said or getattr(error, 'reason', None) or error})"


def lost(over: BaseException) -> str:
    """Return in words how a connection was lost; what TLS says is in the cause of *over*."""
    cause = over.__cause__
    return ended_over_tls(cause) if isinstance(cause, ssl.SSLError) else "the connection was lost"


def next_step_over_tls(ending: str) -> str:
    """Return what to do about an *ending* of :func:`ended_over_tls`; ``""`` where it is not about a certificate."""
    return _CLIENT_CERTIFICATE if "TLS alert: " in ending else ""


def _alert(error: OSError) -> str:
    found = _ALERT.search(str(error))
    return found[1] if found else ""
