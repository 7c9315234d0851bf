"""The result of one study, as stored."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.bulk.study_result import make_attempt_result
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import DOWN
from tests.verify.evidence import instances_before_move


def get_stored_step(evidence: Evidence) -> str:
    return make_attempt_result(judge_evidence(evidence), evidence).next_step


def test_the_steps_for_a_purged_and_for_a_local_study_are_stored_together() -> None:
    step = get_stored_step(replace(DOWN, instances_before=instances_before_move("NEARLINE")))
    assert step.startswith("if the study was purged: ")
    assert "dcmcfg echo LONGTERM" in step
    assert ". If the study is local: " in step
    assert "dcmcfg echo WORKSTATION" in step


def test_of_other_steps_only_the_first_is_stored() -> None:
    verdict = replace(judge_evidence(DOWN), next_steps=("see the log", "if the study is purged: ask"))
    assert make_attempt_result(verdict, DOWN).next_step == "see the log"
    assert make_attempt_result(replace(verdict, next_steps=()), DOWN).next_step == ""
