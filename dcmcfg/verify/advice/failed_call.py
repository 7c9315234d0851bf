"""What to do where the archive could not have its association with the one AE that it had to call."""

from __future__ import annotations

import shlex

from dcmcfg.verify.advice.case import Case
from dcmcfg.verify.called_ae import no_connection_fits

NOT_FOUND = "ConfigurationNotFoundException"
#: How the exceptions of Java's TLS begin.
HANDSHAKE_FAILED = "javax.net.ssl."


def step_of_the_called(case: Case, whom: str) -> str:
    """Return the step that the Error Comment of A702 asks for at *whom*; "" for a comment that says something else."""
    comment, ours = case.reported.comment, case.listened and whom == case.destination
    if "Connection refused" in comment and ours:
        return (
            f"this run listened as {whom}: the archive looks for it at {case.at_its_place(whom)}; is that this "
            "machine, "
            "as seen from the archive? Else correct dicomHostname and dicomPort of its connection in LDAP"
        )
    if "Connection refused" in comment:
        return (
            f"dcmcfg echo {shlex.quote(whom)} tells whether it can be reached from here: does it run? Else correct "
            "dicomHostname and dicomPort of its connection in LDAP, as seen from the archive"
        )
    if NOT_FOUND in comment:
        return not_found(case, whom)
    if "UnknownHostException" in comment:
        return f"correct dicomHostname of {whom} in LDAP: a name that the archive's machine or container resolves"
    if no_connection_fits(case.evidence):
        return _no_connection_fits(case, whom)
    if "A-ASSOCIATE-RJ" in comment:
        return _rejected(case, whom)
    if HANDSHAKE_FAILED in comment:
        return _handshake_failed(case, whom, ours=ours)
    if comment.startswith("A-ABORT"):
        return (
            f"{whom} aborted the association, or did not answer the association request within dcmAAACTimeout of the "
            f"archive's connection (the archive reports both in the same words): dcmcfg echo {shlex.quote(whom)} shows "
            "whether it answers; its log shows the reason"
        )
    if "IllegalArgumentException" in comment:
        return (
            f"the archive cannot load the device of {whom} from LDAP ({comment}): dcmcfg check finds the value. "
            "Correct it, then dcmcfg reload"
        )
    return ""


def _no_connection_fits(case: Case, whom: str) -> str:
    fit = case.evidence.route.fit(whom)
    if fit is None:
        return (
            f"dcmcfg route --dest {case.quoted} tells which connections do not go together: both plain, or both TLS "
            "with a common cipher suite (dicomTLSCipherSuite) and protocol version (dcmTLSProtocol)"
        )
    if not fit.fits:
        return (
            f"by the tree they do not fit either: {fit.words}. Give both a connection of the same kind "
            "(dcmcfg connection list tells theirs), then dcmcfg reload"
        )
    rest = f". Where that does not help: {unable_over_tls(case.archive)}" if fit.tls else ""
    return (
        f"by the tree a connection of {case.archive} fits one of {whom} ({fit.words}), so most likely the archive has "
        f"not loaded that: dcmcfg reload{rest}"
    )


def _handshake_failed(case: Case, whom: str, *, ours: bool) -> str:
    suits = "must suit the cipher suites (those named TLS_RSA_… require an RSA key)"
    if ours:
        return (
            f"the TLS handshake of {case.archive} with this run failed: {case.archive} must trust the certificate of "
            "--tls-cert (its trust store, or dicomAuthorizedNodeCertificateReference of its device), and the key of "
            f"that certificate {suits}"
        )
    return (
        f"the TLS handshake of {case.archive} with {whom} failed: each must trust the certificate of the other, and "
        f"the key of {whom} {suits}; the log of {whom} shows the reason, dcmcfg echo {shlex.quote(whom)} its "
        "certificate"
    )


def unable_over_tls(archive: str) -> str:
    """Return what else keeps *archive* from calling over TLS, which the tree does not tell."""
    return f"can {archive} call over TLS at all? Its log tells of its key store and trust store"


def not_found(case: Case, whom: str) -> str:
    """Return the step for *whom*, an AE that the archive did not find; "" where the tree is not known."""
    route = case.evidence.route
    if hidden := route.why_hidden(whom):
        return f"{hidden}; then dcmcfg reload"
    if route.titles and whom not in route.titles:
        return (
            f"the tree has no AE {whom}, which the archive has to ask: dcmcfg ae add {shlex.quote(whom)}@HOST:PORT "
            "creates it, and has the archive reload"
        )
    if route.titles:
        return (
            f"the tree has {whom}, so the archive has not loaded it: dcmcfg reload, for it remembers unknown titles "
            "(dcmAECacheStaleTimeout)"
        )
    return ""


def _rejected(case: Case, whom: str) -> str:
    if whom == case.destination:
        return (
            f"{whom} rejected the archive: it must accept the calling AE title {case.archive}, and be called "
            f"{whom} itself"
        )
    calling = case.evidence.question.calling
    return (
        f"{whom} rejected the archive, which calls it as {calling}, the title that asked here, and not as itself: its "
        f"administrator must accept {calling} ({case.work_order} --calling {shlex.quote(calling)} tells all), or "
        "ask as "
        f"one that it accepts (--calling); and it must be called {whom} itself"
    )
