"""Advice for a failure status, or for a success that counts failures or warnings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from dcmcfg.dicom.retrieval import InformationModel
from dcmcfg.dicom.status import (
    MOVE_DESTINATION_NOT_ALLOWED,
    MOVE_DESTINATION_UNKNOWN,
    PROCESSING_FAILURE,
    SOME_SUB_OPERATIONS_FAILED,
    SUCCESS,
    UNABLE_TO_PERFORM_SUB_OPERATIONS,
    UNABLE_TO_PROCESS,
    explain,
)
from dcmcfg.verify.advice import partly_purged
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.advice.failed_call import advise_on_failed_call
from dcmcfg.verify.called_ae import find_called_ae, find_candidate_archives, is_failed_side_unknown
from dcmcfg.verify.local_files import FileLocality, count_recalled

#: C0xx, as Orthanc answers. Other Cxxx codes, such as the archive's own C801, have modules of their own.
_ORTHANC_RANGE = range(UNABLE_TO_PROCESS, UNABLE_TO_PROCESS + 0x100)


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    reported = case.report
    if reported.is_success or reported.status in (None, MOVE_DESTINATION_UNKNOWN, MOVE_DESTINATION_NOT_ALLOWED):
        return
    if reported.status == SUCCESS and not (reported.failed or reported.warning):
        return
    # The user cancelled the C-MOVE and knows the reason.
    if case.evidence.outcome.cancelled:
        return
    # Other modules advise on these cases.
    if case.is_on_unconfigured_storage or case.is_fallback_used or partly_purged.is_applicable(case):
        return
    if case.misrouting_advice:
        yield case.misrouting_advice
    elif reported.warning and not reported.failed:
        yield _advise_on_warnings(case)
    elif case.is_returned_to_archive:
        yield _advise_on_partial_forwarding(case)
    else:
        # A success that counts failures is treated like B000.
        yield from _advise_on_status(case, reported.status or SOME_SUB_OPERATIONS_FAILED)


def _advise_on_status(case: AdviceCase, status: int) -> Iterator[str]:
    called_ae_title = find_called_ae(case.evidence)
    if status in _ORTHANC_RANGE:
        yield _advise_on_unable_to_process(case)
    elif (
        status == UNABLE_TO_PERFORM_SUB_OPERATIONS
        and called_ae_title
        and (step := advise_on_failed_call(case, called_ae_title))
    ):
        yield step
    elif (
        status == UNABLE_TO_PERFORM_SUB_OPERATIONS
        and not called_ae_title
        and (steps := tuple(_suggest_steps_for_both_aes(case)))
    ):
        yield from steps
    elif status == UNABLE_TO_PERFORM_SUB_OPERATIONS and _is_dropped_by_capabilities(case):
        yield (
            "the archive itself omitted the instances, and opened no association to another AE for these instances. "
            f"{case.capability_check}"
        )
    elif status == UNABLE_TO_PERFORM_SUB_OPERATIONS and not _is_comment_specific(case):
        yield from _advise_without_reason(case)
    elif status == SOME_SUB_OPERATIONS_FAILED:
        yield from _advise_on_some_failed(case)
    # If it passes the request on, the archive answers 0110 to an I/O error or a refused presentation context.
    elif status == PROCESSING_FAILURE and case.is_sent_directly:
        yield _advise_on_broken_connection(case)
    elif case.files.locality is FileLocality.NOT_LOCAL and not (
        case.report.comment and case.external_retrieve_destination
    ):
        yield (
            f"most likely, {case.external_description} sent this response, and the archive passed the response on. "
            "The log of the external archive shows the reason"
        )
    elif (
        status == UNABLE_TO_PERFORM_SUB_OPERATIONS
        and not called_ae_title
        and not case.files.probably_not_local_count
        and not case.evidence.move_records
    ):
        yield from _advise_on_destination(case)
        yield f"if the study is purged, check: {_get_checklist(case, status)}"
    else:
        yield f"check: {_get_checklist(case, status)}"


def _suggest_steps_for_both_aes(case: AdviceCase) -> Iterator[str]:
    """Yield the steps for both AEs that the archive may have called, if only Instance Availability is known."""
    if (
        case.files.locality is not FileLocality.PROBABLY_NOT_LOCAL
        or case.evidence.move_records
        or case.is_returned_to_archive
    ):
        return
    candidates = find_candidate_archives(case.evidence)
    titles = (
        ("if the study was purged", next(iter(candidates)) if len(candidates) == 1 else ""),
        ("if the study is local", case.destination),
    )
    for condition, title in titles:
        if title and (step := advise_on_failed_call(case, title)):
            yield f"{condition}: {step}"


def _is_dropped_by_capabilities(case: AdviceCase) -> bool:
    """Return whether no SOP class of the study may be sent to the destination (``RetrieveServiceImpl``).

    Only then does the archive count all instances as failed and also send counters that are zero. A response of an
    external archive may look the same if it is passed on.
    """
    outcome, is_own_report = (
        case.evidence.outcome,
        case.files.locality is FileLocality.LOCAL or case.external_retrieve_destination is not None,
    )
    return (
        is_own_report
        and (outcome.completed, outcome.warning) == (0, 0)
        and outcome.failed == case.report.expected_count
    )


def _is_comment_specific(case: AdviceCase) -> bool:
    """Return whether the Error Comment of A702 explains more than the status."""
    return (
        explain("C-MOVE", UNABLE_TO_PERFORM_SUB_OPERATIONS, case.report.comment).suggested_check
        != explain("C-MOVE", UNABLE_TO_PERFORM_SUB_OPERATIONS).suggested_check
    )


def _get_checklist(case: AdviceCase, status: int) -> str:
    return explain("C-MOVE", status, case.report.comment).suggested_check.replace("the peer's", "the archive's")


def _advise_on_broken_connection(case: AdviceCase) -> str:
    if "NoPresentationContextException" in case.report.comment:
        model = "Study Root" if case.evidence.request.model is InformationModel.STUDY else "Patient Root"
        return (
            f"{case.external_description} accepted the association, but not the presentation context for C-MOVE "
            f"({model}). The administrator of the external archive must allow this presentation context for the "
            f"calling AE title {case.evidence.request.calling_ae_title}, because the archive passes on the calling AE "
            "title of this run"
        )
    if case.receipt.instance_count or case.report.completed:
        return (
            f"the connection between the archive and {case.external_description} broke during the retrieve: see "
            "both logs for the reason"
        )
    model = "Study Root" if case.evidence.request.model is InformationModel.STUDY else "Patient Root"
    return (
        f"either {case.external_description} did not accept the archive's request ({model}), or the connection "
        "broke. The log of the external archive shows the reason"
    )


def _advise_on_partial_forwarding(case: AdviceCase) -> str:
    """Return whether the retrieve to the archive failed, or the forwarding from there."""
    recalled_count, forwarded_count = count_recalled(case.evidence), case.report.completed + case.report.warning
    if forwarded_count and (recalled_count == forwarded_count if recalled_count else not case.report.failed):
        return (
            f"{case.external_description} sent a part of the study to {case.external_retrieve_destination}, and the "
            "archive forwarded this part. The external archive never sent the rest: its log shows the reason"
        )
    location = " into the archive's own storage" if recalled_count else ""
    failure = (
        f"could not forward the study to {case.destination}"
        if case.is_own_receiver
        else f"{case.destination} did not accept the study"
    )
    return (
        f"the archive recalled the study from {case.external_description}{location}, but {failure}: "
        f"{_advise_on_reachability(case)}"
    )


def _advise_on_warnings(case: AdviceCase) -> str:
    if case.is_own_receiver:
        return (
            "dcmcfg received all instances without a warning, but the response reports warnings: the log of "
            f"{case.sender_description} shows these warnings"
        )
    return (
        f"{case.destination} stored the instances with a warning: the log of {case.destination} shows the coerced or "
        "discarded elements"
    )


def _advise_on_unable_to_process(case: AdviceCase) -> str:
    if not case.files.probably_not_local_count:
        return (
            f"see the log of {case.archive_ae_title} for the reason. An Orthanc answers C000 if {case.destination} "
            "is not in its DicomModalities"
        )
    destination = case.external_retrieve_destination or case.destination
    return (
        f"most likely, {case.external_description} sent this response, and the archive passed the response on. See "
        f"the log of the external archive for the reason. An Orthanc answers C000 if {destination} is not in its "
        f"DicomModalities. To see the lines for DicomModalities, run {case.work_order_command} --format orthanc"
    )


def _advise_without_reason(case: AdviceCase) -> Iterator[str]:
    """Advise on A702 without a comment: dropped by negotiation, refused by the destination, or failed externally."""
    if case.is_sent_directly:
        yield (
            f"{case.external_description} itself sends the instances to {case.destination}, at the host and port in "
            "the AE list of the external archive: see the log of the external archive for the reason"
        )
    elif is_failed_side_unknown(case.evidence):
        yield (
            f"either {case.external_description} could not send to {case.external_retrieve_destination} (see the log "
            f"of the external archive), or the archive could not forward to {case.destination}: "
            f"{_advise_on_reachability(case)}"
        )
    elif case.files.probably_not_local_count and case.report.failed:
        yield (
            f"{case.external_retrieve_destination} received no instance. Either {case.external_description} could not "
            f"read the study, or the external archive cannot reach {case.external_retrieve_destination} at the host "
            "and port in its AE list. The log of the external archive shows the reason. To see the correct address, "
            f"run {case.work_order_command}"
        )
    elif case.files.probably_not_local_count:
        calling_ae_title = case.evidence.request.calling_ae_title
        yield (
            f"{case.external_retrieve_destination} received no instance, and {case.external_description} gave no "
            "reason. Most often, the external archive does not know the calling AE title and ends the association. "
            f"The archive used the calling AE title of this run, {calling_ae_title}. To list the settings for the "
            f"administrator of the external archive, run {case.work_order_command} --calling "
            f"{shlex.quote(calling_ae_title)}"
        )
        yield (
            f"if the external archive knows {calling_ae_title}, see its log for the reason. Possible reasons: the "
            "external archive ended the association, accepted no presentation context for C-MOVE, or sent nothing for "
            "longer than dcmRetrieveTimeout of the archive's connection"
        )
    else:
        yield from _advise_on_destination(case)
        if case.files.locality is not FileLocality.LOCAL:
            yield (
                f"if the study is purged: the log of {case.external_description} shows whether the external archive "
                "received a request, and why the request failed"
            )
    if case.report.failed and case.files.probably_not_local_count:
        yield (
            "if the log of the external archive shows no request, the archive itself omitted the instances, and sent "
            f"no request. {case.capability_check}"
        )


def _advise_on_destination(case: AdviceCase) -> Iterator[str]:
    is_local = case.files.locality is FileLocality.LOCAL
    cause = (
        "the study is in the archive's own storage, but"
        if is_local
        else "if the study is in the archive's own storage,"
    )
    yield f"{cause} the archive could not send the study to {case.destination}: {_advise_on_reachability(case)}"


def _advise_on_reachability(case: AdviceCase) -> str:
    if case.is_own_receiver:
        address = case.format_ae_address(case.destination)
        return f"check that the archive can reach dcmcfg at {address}. {case.capability_check}"
    return (
        f"to check whether the destination answers, run dcmcfg echo {case.quoted_destination}. See the destination's "
        f"log for refused instances. {case.capability_check}"
    )


def _advise_on_some_failed(case: AdviceCase) -> Iterator[str]:
    if case.is_own_receiver:
        yield (
            f"dcmcfg was the receiver {case.destination} and accepted every instance that arrived. The log of "
            f"{case.sender_description} shows the failures at the sender, such as an unreadable file. "
            f"{case.capability_check}"
        )
    else:
        yield (
            f"see the log of {case.destination} for refused instances, and the log of {case.sender_description} for "
            f"instances that could not be sent. {case.capability_check}"
        )
