"""Advice for instances that took another route than the configured one, or that were local.

Kept apart: each reason for a failure is a module of its own (next_steps.py lists them).
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.local_files import count_recalled
from dcmcfg.verify.verdict import RouteFinding


def suggest_steps_for_other_path(case: AdviceCase) -> Iterator[str]:
    if not case.is_contradicted:
        return
    evidence = case.evidence
    other_records = [
        record
        for record in evidence.move_records or ()
        if record.destination_ae_title != evidence.route.external_retrieve_destination
    ]
    is_direct = evidence.route.external_retrieve_destination is None
    if other_records or evidence.move_records is None or (is_direct and count_recalled(evidence)):
        yield "the archive may not have loaded the current tree: run dcmcfg reload, then verify with another study"
    elif not evidence.move_records:
        yield "check that the log is from the external archive that has the study"
    else:
        yield "in the external archive's log, find the AE to which the external archive sent the study"


def suggest_steps_for_local_study(case: AdviceCase) -> Iterator[str]:
    if case.report.is_success and case.route.finding is RouteFinding.NOT_TRIED:
        yield from _suggest_purged_study(case)


def _suggest_purged_study(case: AdviceCase) -> Iterator[str]:
    if problem := case.evidence.request.recall_problem:
        yield (
            f"{problem}, so --recall would choose the same study again. To verify a purged study, specify its "
            f"UID (dcmcfg verify --study UID --dest {case.quoted_destination}), or limit the search of --recall with "
            "--query"
        )
    else:
        yield f"to verify a purged study, run dcmcfg verify --recall --dest {case.quoted_destination}"
