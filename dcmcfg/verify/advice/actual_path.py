"""What to do where the way of the instances was another one than the configured, or none had to be gone."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.verify.advice.case import Case
from dcmcfg.verify.file_evidence import recalled
from dcmcfg.verify.verdict import RouteFinding


def steps_of_another_way(case: Case) -> Iterator[str]:
    if not case.contradicted:
        return
    evidence = case.evidence
    relayed = [record for record in evidence.records or () if record.destination != evidence.route.destination]
    straight = evidence.route.destination is None
    if relayed or evidence.records is None or (straight and recalled(evidence)):
        yield "the archive may not have loaded what the tree says: dcmcfg reload, then verify with another study"
    elif not evidence.records:
        yield "see that the record is that of the external archive which holds the study"
    else:
        yield "see in the external archive's log whom it sent the study to"


def steps_of_a_local_study(case: Case) -> Iterator[str]:
    if case.reported.ok and case.route.finding is RouteFinding.NOT_TRIED:
        yield f"dcmcfg verify --recall --dest {case.quoted} takes a study that is really purged"
