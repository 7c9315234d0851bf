"""Assess the archive's own report on the C-MOVE: its status and its counters."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.retrieval import Patient
from dcmcfg.dicom.status import CANCELLED, MOVE_DESTINATION_UNKNOWN, SUCCESS, explain
from dcmcfg.verify.called_ae import find_called_ae, find_external_refusal, format_ae_address, is_refused_by_archive
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.external_request import is_sent_directly
from dcmcfg.verify.verdict import ReportAssessment, ReportFinding

CANCELLED_BY_YOU = "cancelled by you"
_MAX_COUNTED = 0xFFFF  # counters of sub-operations have VR US: 65,537 is reported as 1
_UNKNOWN_AE = "Unknown AE: "


def judge_report(evidence: Evidence) -> ReportAssessment:
    """Return the archive's report; success means 0000, all completed and nothing failed."""
    outcome = evidence.outcome
    reasons = _list_reasons(evidence)
    return ReportAssessment(
        finding=ReportFinding.NO_SUCCESS if reasons else ReportFinding.SUCCESS,
        status=outcome.status,
        meaning="" if outcome.status is None else _explain_meaning(outcome.status, outcome.comment, evidence),
        comment=outcome.comment,
        completed=outcome.completed or 0,
        failed=outcome.failed or 0,
        warning=outcome.warning or 0,
        expected_count=evidence.expected_count,
        reasons=reasons,
    )


def _explain_meaning(status: int, comment: str, evidence: Evidence) -> str:
    """Return *status* in words; for an unknown destination, with the archive that does not know it.

    A comment with another title comes from an external archive. Most likely this is also true for a destination that
    the tree has, and to which the external archive sends directly.
    """
    if status == MOVE_DESTINATION_UNKNOWN and (record := find_external_refusal(evidence)):
        return (
            f"{record.called_ae_title} does not know the Move Destination {record.destination_ae_title} (per its log)"
        )
    if status == MOVE_DESTINATION_UNKNOWN and is_refused_by_archive(evidence):
        comment_to_explain = (
            comment if comment.startswith("AE: ") else f"{_UNKNOWN_AE}{evidence.request.destination_ae_title}"
        )
        return explain("C-MOVE", status, comment_to_explain).meaning
    unknown_title = (
        comment.removeprefix(_UNKNOWN_AE) if comment.startswith(_UNKNOWN_AE) else evidence.request.destination_ae_title
    )
    is_direct = evidence.route.move_destination_known and is_sent_directly(evidence)
    is_archive_wording = unknown_title == evidence.request.destination_ae_title and not is_direct
    comment_to_explain = comment if is_archive_wording or status != MOVE_DESTINATION_UNKNOWN else ""
    called_ae_title = find_called_ae(evidence)
    return explain(
        "C-MOVE", status, comment_to_explain, format_ae_address(evidence, called_ae_title) if called_ae_title else ""
    ).meaning


def _list_reasons(evidence: Evidence) -> tuple[str, ...]:
    """Return why the report is not a success; empty if it is one."""
    outcome = evidence.outcome
    if outcome.status is None:
        no_response = f"no final response: {outcome.interruption or 'the association ended'}"
        return (CANCELLED_BY_YOU, no_response) if outcome.cancelled else (no_response,)
    return (*_explain_status(outcome, outcome.status), *_explain_counters(evidence, outcome, outcome.status))


def _explain_status(outcome: MoveOutcome, status: int) -> Iterator[str]:
    if status != SUCCESS and outcome.cancelled:
        yield CANCELLED_BY_YOU
    if status != SUCCESS and not (outcome.cancelled and status == CANCELLED):
        yield f"status {status:04X}"


def _explain_counters(evidence: Evidence, outcome: MoveOutcome, status: int) -> Iterator[str]:
    expected = evidence.expected_count
    completed, failed, warning = outcome.completed or 0, outcome.failed or 0, outcome.warning or 0
    if failed:
        yield f"{failed} failed"
    if warning:
        yield f"{warning} stored with a warning"
    # A response with status Success must not contain this counter (PS3.4 C.4.2.1.6).
    if outcome.remaining and status == SUCCESS:
        yield f"the final response reports {outcome.remaining} remaining"
    # An archive also answers 0000 without counters if nothing matched, or if it dropped all instances.
    if not completed:
        if status == SUCCESS:
            yield (
                "status 0000, but no instance completed"
                if evidence.expected_instances
                else _explain_unlisted_study(evidence)
            )
    elif expected is None:
        unknown = (
            _explain_unlisted_study(evidence) if evidence.request.patient else "the number of instances is unknown"
        )
        yield f"{completed} completed, but {unknown}"
    elif completed != expected and (expected <= _MAX_COUNTED or completed != expected & _MAX_COUNTED):
        is_short = completed < expected
        phrase = (
            f"{completed} of {expected} completed"
            if is_short
            else f"{completed} completed, but {expected} were expected"
        )
        yield f"{phrase}{_format_listed_count(evidence)}"


def _explain_unlisted_study(evidence: Evidence) -> str:
    patient = evidence.request.patient
    if patient is None:
        return "the archive does not know this study"
    return f"the archive does not list this study for {format_patient(patient)}"


def format_patient(patient: Patient) -> str:
    """Return *patient* in words."""
    return f"patient {patient.patient_id}" + (
        f" of issuer {patient.issuer_of_patient_id}" if patient.issuer_of_patient_id else ""
    )


def _format_listed_count(evidence: Evidence) -> str:
    """Return the number of listed instances, if the user specified another number."""
    listed = len({instance.sop_instance_uid for instance in evidence.expected_instances})
    if evidence.request.expected_count is None or listed in (0, evidence.expected_count):
        return ""
    return f" (the archive lists {listed})"
