"""Of another way than the configured one, it is told which record to look at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import first_step
from tests.verify.evidence import GOOD, LOCAL_STUDY, PURGED, UNWITNESSED, received_instances, stored

CASES: dict[str, tuple[Evidence, str]] = {
    "purged, delivered, but not in the record": (
        replace(stored(GOOD, PURGED, LOCAL_STUDY), move_records=()),
        "check that the log is from the external archive that has the study",
    ),
    "called directly": (
        replace(GOOD, received=received_instances(calling="LONGTERM")),
        "in the external archive's log, find the AE to which the external archive sent the study",
    ),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in first_step(evidence)


def test_a_study_that_only_its_availability_chose_is_not_looked_for_by_the_same_command_again() -> None:
    local = stored(UNWITNESSED, LOCAL_STUDY)
    problem = "the archive's database did not answer"
    (step,) = judge_evidence(replace(local, request=replace(local.request, recall_problem=problem))).next_steps
    assert step.startswith(f"{problem}, so --recall would choose the same study again")
    assert "(dcmcfg verify --study UID --dest WORKSTATION)" in step
    assert "dcmcfg verify --recall" not in step
