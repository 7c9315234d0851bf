"""Whatever goes wrong has a next step, and what went well has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.storage.service import NOT_SAVED_PREFIX
from dcmcfg.verify.advice.next_steps import NO_DISK_SPACE_STEP
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.evidence import GOOD, LOCAL_STUDY, UNWITNESSED, received_instances, stored


def test_what_went_well_needs_no_next_step() -> None:
    assert judge_evidence(GOOD).next_steps == ()


@pytest.mark.parametrize("status", [*range(0x0100, 0x0220), 0xA700, 0xA701, 0xA900, 0xB000, 0xC000, 0xFE00, 0x1234])
def test_every_failure_status_has_a_next_step(status: int) -> None:
    assert judge_evidence(replace(UNWITNESSED, outcome=MoveOutcome(status))).next_steps


def test_where_nothing_can_be_kept_that_is_the_only_step() -> None:
    received = tuple(replace(each, problem=f"{NOT_SAVED_PREFIX} (no room)") for each in received_instances())
    assert judge_evidence(replace(GOOD, received=received, outcome=MoveOutcome(0xA702, failed=3))).next_steps == (
        NO_DISK_SPACE_STEP,
    )


def test_a_purged_study_is_advised_once_all_went_well_with_a_local_one() -> None:
    recall = "to verify a purged study, run dcmcfg verify --recall --dest WORKSTATION"
    assert judge_evidence(stored(UNWITNESSED, LOCAL_STUDY)).next_steps == (recall,)
    failed = replace(stored(UNWITNESSED, LOCAL_STUDY), outcome=MoveOutcome(0xA702, failed=3))
    assert recall not in judge_evidence(failed).next_steps
