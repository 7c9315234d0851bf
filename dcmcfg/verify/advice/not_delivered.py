"""What to do where the archive reports success, and our receiver saw something else."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.local_files import count_recalled
from dcmcfg.verify.verdict import ReceiptFinding


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    received = case.receipt
    if not case.report.is_success or received.finding is not ReceiptFinding.INCOMPLETE:
        return
    if received.corrupt:
        yield (
            "look at the same instances at the archive and the external archive (dcmdump, or another viewer): either "
            "holds them like that, or they are changed on their way"
        )
    elif received.altered:
        yield "one UID stands for several objects: compare them at the archive, the external archive and here"
    elif received.unexpected:
        yield _advise_on_unexpected(case)
    else:
        yield _advise_on_missing(case)


def _advise_on_unexpected(case: AdviceCase) -> str:
    received, listed_uids = case.receipt, {each.sop_instance_uid for each in case.evidence.instances_before}
    callers = ", ".join(received.callers)
    if not case.evidence.request.selection.is_whole_study:
        return (
            "the peer that sent them does not heed the level of the request, or the UIDs in it: verify at STUDY level"
        )
    if listed_uids.issuperset(received.unexpected):
        return (
            "the same instances came as another study: something gives them another Study Instance UID (a merge, a "
            f"coercion): compare it at the archive and at {case.external_description}"
        )
    if received.move_originators == (case.evidence.request.calling_ae_title,):
        return (
            f"{callers} sent them for this C-MOVE, by its own account: its log says which study it looked for; it may "
            "not "
            "heed the Study Instance UID, or hold other objects under it"
        )
    return "another sender may have called the receiver meanwhile: see who called it, and verify again"


def _advise_on_missing(case: AdviceCase) -> str:
    if case.receipt.instance_count:
        return (
            f"what came shows that the address is right: the log of {case.sender_description} says what became of "
            "the others; "
            "does it "
            "hold them all?"
        )
    if case.is_sent_directly and not count_recalled(case.evidence):
        return (
            f"{case.external_description} sends straight to {case.destination}, by its own list of AEs: compare the "
            "host and port "
            "there with where this machine is; its log says what it sent"
        )
    return (
        f"another storage SCP may be reached under {case.destination}: compare dicomHostname and "
        "dicomPort in LDAP with where this machine is, as seen from the archive; after a change: dcmcfg reload"
    )
