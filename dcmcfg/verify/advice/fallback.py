"""Advice for a study that the archive does not know, and requested from its fallback archive.

Kept apart: each reason for a failure is a module of its own (next_steps.py lists them).
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.status import MOVE_DESTINATION_NOT_ALLOWED, MOVE_DESTINATION_UNKNOWN, SUCCESS
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.advice.failed_call import AE_NOT_FOUND_EXCEPTION, advise_on_missing_ae


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    reported = case.report
    if (
        not case.is_fallback_used
        or reported.is_success
        or reported.status in (None, MOVE_DESTINATION_UNKNOWN, MOVE_DESTINATION_NOT_ALLOWED)
    ):
        return
    fallback = case.evidence.route.fallback_move_scp
    if AE_NOT_FOUND_EXCEPTION in reported.comment and (step := advise_on_missing_ae(case, fallback)):
        yield step
    elif case.fallback_misrouting_advice:
        yield case.fallback_misrouting_advice
    elif reported.status == SUCCESS and reported.completed:
        yield (
            f"the archive does not know the study. Its fallback archive {fallback} (dcmFallbackCMoveSCP) sent "
            f"{reported.completed} instances. If you know the number of instances, verify again with --expect N"
        )
    elif reported.status == SUCCESS:
        yield (
            f"the archive does not know the study, and its fallback archive {fallback} (dcmFallbackCMoveSCP) sent "
            "nothing: check the Study Instance UID"
        )
    else:
        yield (
            f"the archive does not know the study, so it sent a C-MOVE to its fallback archive {fallback} "
            f"(dcmFallbackCMoveSCP). The log of {fallback} shows why the fallback archive did not send all instances"
        )
