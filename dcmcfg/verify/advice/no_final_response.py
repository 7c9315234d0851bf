"""What to do where no final answer came to the C-MOVE."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.ul.association import NOT_DICOM
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.evidence import CANNOT_LOAD_DEVICE
from dcmcfg.verify.verdict import ReceiptFinding


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    outcome = case.evidence.outcome
    if case.report.status is not None:
        return
    if outcome.cancelled:
        yield from _advise_on_cancelled(case)
        return
    if case.receipt.finding is ReceiptFinding.COMPLETE:
        yield "all of it has arrived, only the final answer is missing: the archive's log says why; then verify again"
    elif outcome.interruption == NOT_DICOM:
        yield (
            f"what answered at {case.evidence.request.archive} broke into something else than DICOM: is a proxy or a "
            "firewall in between, or another program on that port by now?"
        )
    elif outcome.timed_out and case.files.probably_not_local_count:
        yield _explain_missing_response(case)
        yield (
            f"only if the log of {case.external_description} shows that it was still sending: verify again without "
            "--timeout-s, "
            "which waits longer than the archive does (dcmRetrieveTimeout)"
        )
    elif outcome.timed_out:
        yield "the archive may still be at it: its log shows what it waits for"
    elif case.receipt.instance_count or case.report.completed:
        yield (
            "it broke off in the middle: the archive's log says why; was it restarted, or does a firewall cut "
            "connections? Then verify again"
        )
    elif any(warning.endswith(CANNOT_LOAD_DEVICE) for warning in case.evidence.warnings):
        yield (
            f"the archive closes the connection without an answer when it cannot load the device of {case.destination} "
            "from LDAP: dcmcfg check finds the value. Correct it, then dcmcfg reload"
        )
    else:
        yield "the archive's log says why it ended the association; was it restarted?"
        yield (
            "a dcm4chee archive closes the connection without an answer when it cannot load the device of "
            f"{case.destination} from LDAP (for example dicomPort 70000): dcmcfg check finds such values"
        )


def _explain_missing_response(case: AdviceCase) -> str:
    """Return when the archive gives no final response for what it asks an external archive for."""
    if case.external_retrieve_destination is None:
        return (
            f"the archive sends no final response when {case.external_description} closes the connection, aborts, "
            "or asks for "
            f"release after the C-MOVE request. The log of {case.external_description} shows which; a longer "
            "time-out does not help"
        )
    return (
        f"the archive sends no final response when {case.external_description} breaks off after a pending response. "
        "The log of "
        f"{case.external_description} shows why; a longer time-out does not help"
    )


def _advise_on_cancelled(case: AdviceCase) -> Iterator[str]:
    if case.external_retrieve_destination is not None and case.files.probably_not_local_count:
        yield (
            f"the archive ignores C-CANCEL while it recalls a study to {case.external_retrieve_destination}: the "
            "recall goes on, unless "
            f"{case.external_description} is silent. Its log shows what it does"
        )
