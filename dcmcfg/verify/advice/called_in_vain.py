"""What to do where the archive could not have its association with the one AE that it had to call."""

from __future__ import annotations

import shlex

from dcmcfg.verify.advice.case import Case


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
    if "UnknownHostException" in comment:
        return f"correct dicomHostname of {whom} in LDAP: a name that the archive's machine or container resolves"
    if "IncompatibleConnectionException" in comment:
        return (
            f"dcmcfg route --dest {case.quoted} tells which connections do not go together: both plain, or both TLS "
            "with a common cipher suite (dicomTLSCipherSuite) and protocol version (dcmTLSProtocol)"
        )
    if "A-ASSOCIATE-RJ" in comment:
        return _rejected(case, whom)
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
