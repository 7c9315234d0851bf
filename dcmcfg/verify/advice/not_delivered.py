"""What to do where the archive reports success, and our receiver saw something else."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.verify.advice.case import Case
from dcmcfg.verify.file_evidence import recalled
from dcmcfg.verify.verdict import Witness


def steps(case: Case) -> Iterator[str]:
    received = case.received
    if not case.reported.ok or received.finding is not Witness.INCOMPLETE:
        return
    if received.unsound:
        yield (
            "look at the same instances at the archive and the external archive (dcmdump, or another viewer): either "
            "holds them like that, or they are changed on their way"
        )
    elif received.altered:
        yield "one UID stands for several objects: compare them at the archive, the external archive and here"
    elif received.foreign:
        yield _foreign(case)
    else:
        yield _missing(case)


def _foreign(case: Case) -> str:
    received, listed = case.received, {each.sop_instance_uid for each in case.evidence.expected}
    by = ", ".join(received.callers)
    if not case.evidence.question.selection.is_whole_study:
        return (
            "the peer that sent them does not heed the level of the request, or the UIDs in it: verify at STUDY level"
        )
    if listed.issuperset(received.foreign):
        return (
            "the same instances came as another study: something gives them another Study Instance UID (a merge, a "
            f"coercion): compare it at the archive and at {case.external}"
        )
    if received.move_originators == (case.evidence.question.calling,):
        return (
            f"{by} sent them for this C-MOVE, by its own account: its log says which study it looked for; it may not "
            "heed the Study Instance UID, or hold other objects under it"
        )
    return "another sender may have called the receiver meanwhile: see who called it, and verify again"


def _missing(case: Case) -> str:
    if case.received.number:
        return (
            f"what came shows that the address is right: the log of {case.sender} says what became of the others; "
            "does it "
            "hold them all?"
        )
    if case.sent_straight and not recalled(case.evidence):
        return (
            f"{case.external} sends straight to {case.destination}, by its own list of AEs: compare the host and port "
            "there with where this machine is; its log says what it sent"
        )
    return (
        f"another storage SCP may be reached under {case.destination}: compare dicomHostname and "
        "dicomPort in LDAP with where this machine is, as seen from the archive; after a change: dcmcfg reload"
    )
