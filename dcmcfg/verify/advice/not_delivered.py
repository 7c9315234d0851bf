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
            "compare these instances in the archive and in the external archive, with dcmdump or another viewer. "
            "Either the instances are corrupt in one of the archives, or the transfer changes the instances"
        )
    elif received.altered:
        yield (
            "several objects have the same UID: compare the objects in the archive, in the external archive and on "
            "this machine"
        )
    elif received.unexpected:
        yield _advise_on_unexpected(case)
    else:
        yield _advise_on_missing(case)


def _advise_on_unexpected(case: AdviceCase) -> str:
    received, listed_uids = case.receipt, {each.sop_instance_uid for each in case.evidence.instances_before}
    callers = ", ".join(received.callers)
    if not case.evidence.request.selection.is_whole_study:
        return f"{callers} ignored the level or the UIDs of the request: verify at STUDY level"
    if listed_uids.issuperset(received.unexpected):
        return (
            "the instances arrived with another Study Instance UID. Possible reasons: a merge or a coercion. Compare "
            f"the Study Instance UID in the archive and in {case.external_description}"
        )
    if received.move_originators == (case.evidence.request.calling_ae_title,):
        return (
            f"see in the log of {callers} which study {callers} looked up. The titles in the C-STORE requests show "
            f"that {callers} sent these instances for this C-MOVE. Possible reasons: {callers} ignored the Study "
            "Instance UID, or had other instances with this Study Instance UID"
        )
    return "another AE may have sent instances to the receiver at the same time: check the callers, and verify again"


def _advise_on_missing(case: AdviceCase) -> str:
    if case.receipt.instance_count:
        return (
            f"some instances arrived, so the address is correct. Check in the log of {case.sender_description} what "
            "happened to the other instances, and whether the sender has all instances"
        )
    if case.is_sent_directly and not count_recalled(case.evidence):
        return (
            f"{case.external_description} sends straight to {case.destination}, at the address in the AE list of the "
            "external archive. Compare this address with the address of this machine. The log of the external archive "
            "shows the sent instances"
        )
    command = case.format_address_command(case.destination)
    return (
        f"another storage SCP may listen at the address of {case.destination}: compare dicomHostname and dicomPort "
        "in LDAP with the address at which the archive can reach this machine. "
        f"{f'To change the address{command}' if command else 'After a change, run dcmcfg reload'}"
    )
