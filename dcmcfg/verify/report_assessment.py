"""The archive's own report on the C-MOVE: its status, its counters and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.retrieval import Patient
from dcmcfg.dicom.status import explain
from dcmcfg.verify.called_ae import DESTINATION_UNKNOWN, at_its_place, called, refused_by_the_archive, refused_elsewhere
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.external_request import sends_straight
from dcmcfg.verify.verdict import Reported, Reporting

SUCCESS = 0x0000
CANCELLED_BY_YOU = "cancelled by you"
_CANCELLED = 0xFE00
_MOST_COUNTED = 0xFFFF  # the numbers of sub-operations are US: 65,537 are told as 1
_UNKNOWN_AE = "Unknown AE: "


def judge_report(evidence: Evidence) -> Reported:
    """Return what the archive reported; a success is 0000, all completed and nothing failed."""
    outcome = evidence.outcome
    reasons = _reasons(evidence)
    return Reported(
        finding=Reporting.NO_SUCCESS if reasons else Reporting.SUCCESS,
        status=outcome.status,
        meaning="" if outcome.status is None else _meaning(outcome.status, outcome.comment, evidence),
        comment=outcome.comment,
        completed=outcome.completed or 0,
        failed=outcome.failed or 0,
        warning=outcome.warning or 0,
        expected=evidence.expected_number,
        reasons=reasons,
    )


def _meaning(status: int, comment: str, evidence: Evidence) -> str:
    """Return *status* in words; of an unknown destination, to whom it is unknown.

    That another title is unknown is said by another archive than the one asked. So it is, most likely, of a destination
    that the tree knows and that the external archive is asked to send to.
    """
    if status == DESTINATION_UNKNOWN and (record := refused_elsewhere(evidence)):
        return f"refused: the move destination {record.destination} is unknown to {record.called}, says its own record"
    if status == DESTINATION_UNKNOWN and refused_by_the_archive(evidence):
        words = comment if comment.startswith("AE: ") else f"{_UNKNOWN_AE}{evidence.question.destination}"
        return explain("C-MOVE", status, words).meaning
    named = comment.removeprefix(_UNKNOWN_AE) if comment.startswith(_UNKNOWN_AE) else evidence.question.destination
    straight = evidence.route.destination_known and sends_straight(evidence)
    said_by_itself = named == evidence.question.destination and not straight
    words = comment if said_by_itself or status != DESTINATION_UNKNOWN else ""
    whom = called(evidence)
    return explain("C-MOVE", status, words, at_its_place(evidence, whom) if whom else "").meaning


def _reasons(evidence: Evidence) -> tuple[str, ...]:
    """Return why the report is no success; empty when it is one."""
    outcome = evidence.outcome
    if outcome.status is None:
        none_came = f"no final response came: {outcome.interrupted or 'the association ended'}"
        return (CANCELLED_BY_YOU, none_came) if outcome.cancelled else (none_came,)
    return (*_of_status(outcome, outcome.status), *_of_numbers(evidence, outcome, outcome.status))


def _of_status(outcome: MoveOutcome, status: int) -> Iterator[str]:
    if status != SUCCESS and outcome.cancelled:
        yield CANCELLED_BY_YOU
    if status != SUCCESS and not (outcome.cancelled and status == _CANCELLED):
        yield f"status {status:04X}"


def _of_numbers(evidence: Evidence, outcome: MoveOutcome, status: int) -> Iterator[str]:
    expected = evidence.expected_number
    completed, failed, warning = outcome.completed or 0, outcome.failed or 0, outcome.warning or 0
    if failed:
        yield f"{failed} failed"
    if warning:
        yield f"{warning} stored with a warning"
    if outcome.remaining and status == SUCCESS:
        yield f"its final answer says that {outcome.remaining} remain"
    if not completed:
        if status == SUCCESS:
            yield "status 0000, yet not one instance completed" if evidence.listed else _unlisted(evidence)
    elif expected is None:
        unknown = _unlisted(evidence) if evidence.question.patient else "nobody knows how many the study has"
        yield f"{completed} completed, but {unknown}"
    elif completed != expected and (expected <= _MOST_COUNTED or completed != expected & _MOST_COUNTED):
        short = completed < expected
        words = (
            f"{completed} of {expected} completed"
            if short
            else f"{completed} completed although {expected} were expected"
        )
        yield f"{words}{_listed_instead(evidence)}"


def _unlisted(evidence: Evidence) -> str:
    patient = evidence.question.patient
    if patient is None:
        return "the archive does not know this study"
    return f"the archive lists no such study for {whose(patient)}"


def whose(patient: Patient) -> str:
    """Return *patient* in words."""
    return f"patient {patient.patient_id}" + (f" of issuer {patient.issuer}" if patient.issuer else "")


def _listed_instead(evidence: Evidence) -> str:
    """Return how many the archive lists, where the user says that it is another number."""
    listed = len({instance.sop_instance_uid for instance in evidence.listed})
    if evidence.question.expected_number is None or listed in (0, evidence.expected_number):
        return ""
    return f" (the archive lists {listed})"
