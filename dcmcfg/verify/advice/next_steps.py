"""Suggest the next steps, in the order of their usefulness."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dcmcfg.dicom.storage.service import NOT_SAVED_PREFIX
from dcmcfg.verify.advice import (
    actual_path,
    count_mismatch,
    destination_refused,
    external_archive_unknown,
    fallback,
    no_final_response,
    not_delivered,
    not_performed,
    partly_purged,
    unconfigured_storage,
)
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import ReceiptAssessment, ReportAssessment, RouteAssessment

NO_DISK_SPACE_STEP = (
    "check that the disk with the folder of --keep has free space, and that your user can write to the folder. Then "
    "verify again"
)

#: Each yields nothing if its reason does not apply. The order is that of the reasons below; add a new one in its place.
STEP_SUGGESTERS: tuple[Callable[[AdviceCase], Iterator[str]], ...] = (
    external_archive_unknown.suggest_steps,  # no external archive can be called, or its log has the reason
    actual_path.suggest_steps_for_other_path,  # the instances took another route than the configured one
    destination_refused.suggest_steps,  # A801, C801
    unconfigured_storage.suggest_steps,  # the archive cannot read the files
    fallback.suggest_steps,  # the archive did not know the study
    partly_purged.suggest_steps,  # the archive had some of the files
    no_final_response.suggest_steps,  # the association ended, or timed out
    not_performed.suggest_steps,  # any other status, or 0000 with failures and warnings
    count_mismatch.suggest_steps,  # 0000, but the numbers do not match
    not_delivered.suggest_steps,  # success reported, but the receiver got something else
    actual_path.suggest_steps_for_local_study,  # success, but the route was not used
)


def suggest_next_steps(
    evidence: Evidence, reported: ReportAssessment, received: ReceiptAssessment, route: RouteAssessment
) -> tuple[str, ...]:
    """Return the next steps, the most promising first; empty if nothing failed."""
    if any(problem.startswith(NOT_SAVED_PREFIX) for _, problem in received.corrupt):
        # All other problems may result from the files that could not be written.
        return (NO_DISK_SPACE_STEP,)
    case = AdviceCase(evidence, reported, received, route)
    # Two modules may suggest the same step.
    return tuple(dict.fromkeys(step for suggest in STEP_SUGGESTERS for step in suggest(case)))
