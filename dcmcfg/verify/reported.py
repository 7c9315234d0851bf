"""The archive's own report on the C-MOVE: its status, its counters and what they are worth."""

from __future__ import annotations

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.status import explain
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Reported, Reporting

SUCCESS = 0x0000


def judge_report(evidence: Evidence) -> Reported:
    """Return what the archive reported; a success is 0000, all completed and nothing failed."""
    outcome = evidence.outcome
    reasons = _reasons(outcome, evidence.expected_number)
    return Reported(
        finding=Reporting.NO_SUCCESS if reasons else Reporting.SUCCESS,
        status=outcome.status,
        meaning="" if outcome.status is None else explain("C-MOVE", outcome.status, outcome.comment).meaning,
        comment=outcome.comment,
        completed=outcome.completed or 0,
        failed=outcome.failed or 0,
        warning=outcome.warning or 0,
        expected=evidence.expected_number,
        reasons=reasons,
    )


def _reasons(outcome: MoveOutcome, expected: int | None) -> tuple[str, ...]:
    """Return why the report is no success; empty when it is one."""
    if outcome.status is None:
        return (f"no final response came: {outcome.interrupted or 'the association ended'}",)
    completed, failed, warning = outcome.completed or 0, outcome.failed or 0, outcome.warning or 0
    reasons = []
    if outcome.status != SUCCESS:
        reasons.append(f"status {outcome.status:04X}")
    if failed:
        reasons.append(f"{failed} failed")
    if warning:
        reasons.append(f"{warning} stored with a warning")
    if outcome.remaining and outcome.status == SUCCESS:
        reasons.append(f"its final answer says that {outcome.remaining} remain")
    if not completed:
        if outcome.status == SUCCESS:
            reasons.append("status 0000, yet not one instance completed")
    elif expected is None:
        reasons.append(f"{completed} completed, but nobody knows how many the study has")
    elif completed != expected:
        reasons.append(
            f"{completed} of {expected} completed" if completed < expected else _too_many(completed, expected)
        )
    return tuple(reasons)


def _too_many(completed: int, expected: int) -> str:
    return f"{completed} completed although {expected} were expected"
