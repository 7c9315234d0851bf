"""Advice for a C-MOVE without a final response."""

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
        yield (
            "all instances arrived, but the archive sent no final response. See the archive's log for the reason, "
            "then verify again"
        )
    elif outcome.interruption == NOT_DICOM:
        yield (
            f"{case.evidence.request.archive} sent data that is not DICOM during the association: check for a proxy or "
            "a firewall between this machine and the archive, or for another program on that port"
        )
    elif outcome.timed_out and case.files.probably_not_local_count:
        yield f"check whether {case.external_description} answers: {case.external_echo_command}"
        yield (
            f"if the echo succeeds, check the log of {case.external_description}. If the external archive was still "
            "sending, verify again without --timeout-s. Then dcmcfg waits longer than the archive (dcmRetrieveTimeout)"
        )
        yield _explain_missing_response(case)
    elif outcome.timed_out:
        yield "the archive may still be retrieving the study: check the archive's log"
    elif case.receipt.instance_count or case.report.completed:
        yield (
            "the retrieve was interrupted: see the archive's log for the reason. Check whether the archive was "
            "restarted, or whether a firewall cuts connections. Then verify again"
        )
    # The archive does not convert the exception for such a device into a response (CommonCMoveSCP).
    elif any(warning.endswith(CANNOT_LOAD_DEVICE) for warning in case.evidence.warnings):
        yield (
            f"if the archive cannot load the device of {case.destination} from LDAP, the archive closes the "
            "connection without a response. Find the invalid value with dcmcfg check, correct this value, then run "
            "dcmcfg reload"
        )
    else:
        yield "the archive's log shows why the association ended. Check also whether the archive was restarted"
        yield (
            f"if a dcm4chee archive cannot load the device of {case.destination} from LDAP (for example, because of "
            "dicomPort 70000), the archive closes the connection without a response. To find such values: dcmcfg "
            "check"
        )


def _explain_missing_response(case: AdviceCase) -> str:
    """Return when the archive sends no final response for a study from an external archive."""
    if case.external_retrieve_destination is None:
        return (
            f"the archive sends no final response if {case.external_description} closes the connection, aborts the "
            "association or requests a release after a C-MOVE request. The log of "
            f"{case.external_description} shows which case applies. In these cases, a longer time-out does not help"
        )
    return (
        f"if {case.external_description} ends the association after a pending response, the archive sends no final "
        f"response. The log of {case.external_description} shows the reason. In this case, a longer time-out does not "
        "help"
    )


def _advise_on_cancelled(case: AdviceCase) -> Iterator[str]:
    if case.external_retrieve_destination is not None and case.files.probably_not_local_count:
        yield (
            f"the archive ignores C-CANCEL while it recalls a study to {case.external_retrieve_destination}. Either "
            f"the recall continues, or {case.external_description} has stopped sending: see the log of the external "
            "archive"
        )
