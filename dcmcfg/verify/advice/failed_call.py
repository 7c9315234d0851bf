"""Advice for a failed association between the archive and the one AE that it had to call."""

from __future__ import annotations

import shlex

from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.called_ae import has_no_compatible_connection

#: The archive cuts Error Comments to 64 characters, so the AE title after this Java exception is often missing.
AE_NOT_FOUND_EXCEPTION = "ConfigurationNotFoundException"
#: Prefix of the exceptions of Java's TLS.
TLS_EXCEPTION_PREFIX = "javax.net.ssl."


def advise_on_failed_call(case: AdviceCase, ae_title: str) -> str:
    """Return the step for the Error Comment of A702 about *ae_title*; "" for an unknown comment."""
    comment, is_own_receiver = case.report.comment, case.is_own_receiver and ae_title == case.destination
    if "Connection refused" in comment and is_own_receiver:
        return (
            f"dcmcfg was the receiver {ae_title}. The archive calls {case.format_ae_address(ae_title)}: check that "
            "the archive can reach this machine at this address. If not, correct dicomHostname and dicomPort of the "
            f"AE's connection in LDAP{case.format_address_command(ae_title)}"
        )
    if "Connection refused" in comment:
        return (
            "check that the AE is running and that this machine can reach the AE: dcmcfg echo "
            f"{shlex.quote(ae_title)}. If the echo succeeds, correct dicomHostname and dicomPort of the AE's "
            f"connection in LDAP, so that the archive can reach the AE{case.format_address_command(ae_title)}"
        )
    if AE_NOT_FOUND_EXCEPTION in comment:
        return advise_on_missing_ae(case, ae_title)
    if "UnknownHostException" in comment:
        command = case.format_address_command(ae_title, "HOST")
        return (
            f"correct dicomHostname of {ae_title} in LDAP: the archive's machine or container cannot resolve this name"
            f"{f'. To correct the name{command}' if command else ''}"
        )
    if has_no_compatible_connection(case.evidence):
        return _advise_on_incompatible_connection(case, ae_title)
    if "A-ASSOCIATE-RJ" in comment:
        return _advise_on_rejection(case, ae_title)
    if TLS_EXCEPTION_PREFIX in comment:
        return _advise_on_tls_failure(case, ae_title, is_own_receiver=is_own_receiver)
    if comment.startswith("A-ABORT"):
        return (
            f"{ae_title} aborted the association, or did not answer the association request within dcmAAACTimeout of "
            "the archive's connection. The archive reports both cases with the same message. The AE's log shows the "
            f"reason. To check whether the AE answers, run dcmcfg echo {shlex.quote(ae_title)}"
        )
    if "IllegalArgumentException" in comment:
        return (
            f"the archive cannot load the device of {ae_title} from LDAP ({comment}): find the invalid value with "
            "dcmcfg check, correct this value, then run dcmcfg reload"
        )
    return ""


def _advise_on_incompatible_connection(case: AdviceCase, ae_title: str) -> str:
    match = case.evidence.route.get_connection_match(ae_title)
    if match is None:
        return (
            "the connections of the archive and of the called AE must be of the same kind: plain, or TLS with a "
            "common cipher suite (dicomTLSCipherSuite) and protocol version (dcmTLSProtocol). To see the "
            f"incompatible connections, run dcmcfg route --dest {case.quoted_destination}"
        )
    if not match.is_compatible:
        return (
            f"the connections in LDAP are incompatible: {match.description}. Give both AEs a connection of the "
            "same kind (plain, or TLS with a common TLS version and cipher suite), then run dcmcfg reload. To see the "
            "connections: dcmcfg connection list"
        )
    tls_advice = f". If the error remains: {advise_on_tls(case.archive_ae_title)}" if match.tls else ""
    return (
        f"in LDAP, {case.archive_ae_title} and {ae_title} have compatible connections ({match.description}), so "
        f"most likely, the archive has not loaded the current configuration: run dcmcfg reload{tls_advice}"
    )


def _advise_on_tls_failure(case: AdviceCase, ae_title: str, *, is_own_receiver: bool) -> str:
    requirement = "must match the cipher suites (a cipher suite TLS_RSA_… requires an RSA key)"
    if is_own_receiver:
        return (
            f"the TLS handshake between {case.archive_ae_title} and dcmcfg failed: {case.archive_ae_title} must trust "
            "the certificate of --tls-cert. Add this certificate to the archive's trust store, or to "
            "dicomAuthorizedNodeCertificateReference of the archive's device. The key of the certificate "
            f"{requirement}"
        )
    return (
        f"the TLS handshake of {case.archive_ae_title} with {ae_title} failed: each AE must trust the certificate of "
        f"the other AE, and the key of {ae_title} {requirement}. The log of {ae_title} shows the reason. To see the "
        f"certificate, run dcmcfg echo {shlex.quote(ae_title)}"
    )


def advise_on_tls(archive: str) -> str:
    """Return the check for TLS problems of *archive* that the tree does not show."""
    return f"check in the log of {archive} whether the archive could load its key store and trust store for TLS"


def advise_on_missing_ae(case: AdviceCase, ae_title: str) -> str:
    """Return the step for *ae_title*, an AE that the archive did not find; "" if the tree is unknown."""
    route = case.evidence.route
    if unresolved_reason := route.get_unresolved_reason(ae_title):
        return f"{unresolved_reason}; then run dcmcfg reload"
    if route.ae_titles and ae_title not in route.ae_titles:
        return (
            f"the tree has no AE {ae_title}, so the archive cannot open an association to this AE. To create the AE "
            f"and reload the archive: dcmcfg ae add {shlex.quote(ae_title)}@HOST:PORT"
        )
    if route.ae_titles:
        return (
            f"the tree has the AE {ae_title}, but the archive has not loaded this AE. The archive caches unknown AE "
            "titles (dcmAECacheStaleTimeout), so run dcmcfg reload"
        )
    return ""


def _advise_on_rejection(case: AdviceCase, ae_title: str) -> str:
    # The archive calls the destination under its own title, but passes the caller's title on to an external archive.
    if ae_title == case.destination:
        return (
            f"{ae_title} rejected the association. This AE must accept the calling AE title {case.archive_ae_title} "
            f"and the called AE title {ae_title}"
        )
    calling_ae_title = case.evidence.request.calling_ae_title
    return (
        f"{ae_title} rejected the association. {ae_title} must accept the called AE title {ae_title} and the calling "
        f"AE title {calling_ae_title}, because the archive passes on the calling AE title of this run. To list the "
        f"settings for the administrator of {ae_title}, run {case.work_order_command} --calling "
        f"{shlex.quote(calling_ae_title)}. Or verify again with a calling AE title that {ae_title} accepts (--calling)"
    )
