"""What to do where the archive could not have its association with the one AE that it had to call."""

from __future__ import annotations

import shlex

from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.called_ae import has_no_compatible_connection

AE_NOT_FOUND_EXCEPTION = "ConfigurationNotFoundException"
#: How the exceptions of Java's TLS begin.
TLS_EXCEPTION_PREFIX = "javax.net.ssl."


def advise_on_failed_call(case: AdviceCase, ae_title: str) -> str:
    """Return the step that the Error Comment of A702 asks for at *ae_title*.

    "" for a comment that says something else.
    """
    comment, is_own_receiver = case.report.comment, case.is_own_receiver and ae_title == case.destination
    if "Connection refused" in comment and is_own_receiver:
        return (
            f"this run listened as {ae_title}: the archive looks for it at {case.format_ae_address(ae_title)}; is "
            "that this "
            "machine, "
            "as seen from the archive? Else correct dicomHostname and dicomPort of its connection in LDAP"
        )
    if "Connection refused" in comment:
        return (
            f"dcmcfg echo {shlex.quote(ae_title)} tells whether it can be reached from here: does it run? Else correct "
            "dicomHostname and dicomPort of its connection in LDAP, as seen from the archive"
        )
    if AE_NOT_FOUND_EXCEPTION in comment:
        return advise_on_missing_ae(case, ae_title)
    if "UnknownHostException" in comment:
        return f"correct dicomHostname of {ae_title} in LDAP: a name that the archive's machine or container resolves"
    if has_no_compatible_connection(case.evidence):
        return _advise_on_incompatible_connection(case, ae_title)
    if "A-ASSOCIATE-RJ" in comment:
        return _advise_on_rejection(case, ae_title)
    if TLS_EXCEPTION_PREFIX in comment:
        return _advise_on_tls_failure(case, ae_title, is_own_receiver=is_own_receiver)
    if comment.startswith("A-ABORT"):
        return (
            f"{ae_title} aborted the association, or did not answer the association request within dcmAAACTimeout "
            "of the "
            "archive's connection (the archive reports both in the same words): dcmcfg echo "
            f"{shlex.quote(ae_title)} shows "
            "whether it answers; its log shows the reason"
        )
    if "IllegalArgumentException" in comment:
        return (
            f"the archive cannot load the device of {ae_title} from LDAP ({comment}): dcmcfg check finds the value. "
            "Correct it, then dcmcfg reload"
        )
    return ""


def _advise_on_incompatible_connection(case: AdviceCase, ae_title: str) -> str:
    match = case.evidence.route.get_connection_match(ae_title)
    if match is None:
        return (
            f"dcmcfg route --dest {case.quoted_destination} tells which connections do not go together: both plain, "
            "or both TLS "
            "with a common cipher suite (dicomTLSCipherSuite) and protocol version (dcmTLSProtocol)"
        )
    if not match.is_compatible:
        return (
            f"by the tree they do not fit either: {match.description}. Give both a connection of the same kind "
            "(dcmcfg connection list tells theirs), then dcmcfg reload"
        )
    tls_advice = f". Where that does not help: {advise_on_tls(case.archive_ae_title)}" if match.tls else ""
    return (
        f"by the tree a connection of {case.archive_ae_title} fits one of {ae_title} ({match.description}), so most "
        "likely the archive has "
        f"not loaded that: dcmcfg reload{tls_advice}"
    )


def _advise_on_tls_failure(case: AdviceCase, ae_title: str, *, is_own_receiver: bool) -> str:
    requirement = "must suit the cipher suites (those named TLS_RSA_… require an RSA key)"
    if is_own_receiver:
        return (
            f"the TLS handshake of {case.archive_ae_title} with this run failed: {case.archive_ae_title} must trust "
            "the certificate of "
            "--tls-cert (its trust store, or dicomAuthorizedNodeCertificateReference of its device), and the key of "
            f"that certificate {requirement}"
        )
    return (
        f"the TLS handshake of {case.archive_ae_title} with {ae_title} failed: each must trust the certificate of the "
        "other, and "
        f"the key of {ae_title} {requirement}; the log of {ae_title} shows the reason, dcmcfg echo "
        f"{shlex.quote(ae_title)} its "
        "certificate"
    )


def advise_on_tls(archive: str) -> str:
    """Return what else keeps *archive* from calling over TLS, which the tree does not tell."""
    return f"can {archive} call over TLS at all? Its log tells of its key store and trust store"


def advise_on_missing_ae(case: AdviceCase, ae_title: str) -> str:
    """Return the step for *ae_title*, an AE that the archive did not find; "" where the tree is not known."""
    route = case.evidence.route
    if unresolved_reason := route.get_unresolved_reason(ae_title):
        return f"{unresolved_reason}; then dcmcfg reload"
    if route.ae_titles and ae_title not in route.ae_titles:
        return (
            f"the tree has no AE {ae_title}, which the archive has to ask: dcmcfg ae add "
            f"{shlex.quote(ae_title)}@HOST:PORT "
            "creates it, and has the archive reload"
        )
    if route.ae_titles:
        return (
            f"the tree has {ae_title}, so the archive has not loaded it: dcmcfg reload, for it remembers unknown "
            "titles "
            "(dcmAECacheStaleTimeout)"
        )
    return ""


def _advise_on_rejection(case: AdviceCase, ae_title: str) -> str:
    if ae_title == case.destination:
        return (
            f"{ae_title} rejected the archive: it must accept the calling AE title {case.archive_ae_title}, and be "
            "called "
            f"{ae_title} itself"
        )
    calling_ae_title = case.evidence.request.calling_ae_title
    return (
        f"{ae_title} rejected the archive, which calls it as {calling_ae_title}, the title that asked here, and not as "
        "itself: its "
        f"administrator must accept {calling_ae_title} ({case.work_order_command} --calling "
        f"{shlex.quote(calling_ae_title)} tells "
        "all), or "
        "ask as "
        f"one that it accepts (--calling); and it must be called {ae_title} itself"
    )
