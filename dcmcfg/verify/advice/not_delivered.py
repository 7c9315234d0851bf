"""Advice for a success reported by the archive that the receiver of dcmcfg did not confirm."""

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
            "compare the same instances at the archive and at the external archive (dcmdump, or another viewer): "
            "one of them holds them in this state, or they are changed in transit"
        )
    elif received.altered:
        yield "several objects have the same UID: compare them at the archive, at the external archive and here"
    elif received.unexpected:
        yield _advise_on_unexpected(case)
    else:
        yield _advise_on_missing(case)


def _advise_on_unexpected(case: AdviceCase) -> str:
    received, listed_uids = case.receipt, {each.sop_instance_uid for each in case.evidence.instances_before}
    callers = ", ".join(received.callers)
    if not case.evidence.request.selection.is_whole_study:
        return "the peer that sent them ignores the level of the request or the UIDs in it: verify at STUDY level"
    if listed_uids.issuperset(received.unexpected):
        return (
            "the same instances arrived under another Study Instance UID (after a merge or a coercion): compare it "
            f"at the archive and at {case.external_description}"
        )
    if received.move_originators == (case.evidence.request.calling_ae_title,):
        return (
            f"{callers} sent them for this C-MOVE (as reported by the sender): check in its log which study it "
            "looked up. It may ignore the Study Instance UID, or hold other objects under it"
        )
    return "another sender may have called the receiver at the same time: check the callers, and verify again"


def _advise_on_missing(case: AdviceCase) -> str:
    if case.receipt.instance_count:
        return (
            f"some instances arrived, so the address is right: check in the log of {case.sender_description} what "
            "happened to the others, and whether it holds all of them"
        )
    if case.is_sent_directly and not count_recalled(case.evidence):
        return (
            f"{case.external_description} sends straight to {case.destination}, per its own list of AEs: compare "
            "the host and port in that list with the address of this machine. Its log shows what it sent"
        )
    return (
        f"another storage SCP may listen at the address of {case.destination}: compare dicomHostname and dicomPort "
        "in LDAP with the address of this machine as seen from the archive. After a change, run dcmcfg reload"
    )
