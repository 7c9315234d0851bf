"""Of an answer that did not come, it is told where the reason is to be found."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.evidence import CANNOT_LOAD_DEVICE
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import first_step, listening
from tests.verify.evidence import DIRECT, GOOD, UIDS, UNWITNESSED, instances_before_move

ABORTED = replace(UNWITNESSED, outcome=MoveOutcome(None, interruption="the peer aborted the association"))
SILENT = replace(UNWITNESSED, outcome=MoveOutcome(None, interruption="no response within 9 s", timed_out=True))


def test_silence_about_a_purged_study_is_no_question_of_time() -> None:
    """The real archive leaves its client without an answer then (external-unset-closes-on-move and others)."""
    back, straight = judge_evidence(SILENT).next_steps, judge_evidence(replace(SILENT, route=DIRECT)).next_steps
    assert "LONGTERM ends the association after a pending response" in back[2]
    assert (
        "the archive sends no final response if the external archive LONGTERM closes the connection, aborts the "
        "association or requests a release after a C-MOVE request"
    ) in straight[2]
    for steps in (back, straight):
        assert steps[0] == "check whether the external archive LONGTERM answers: dcmcfg echo LONGTERM"
        assert steps[1].startswith(
            "if the echo succeeds, check the log of the external archive LONGTERM. If the external archive was still "
            "sending"
        )
        assert steps[2].endswith(", a longer time-out does not help")


def test_silence_about_another_study_may_end() -> None:
    silent = replace(SILENT, instances_before=instances_before_move("ONLINE"))
    assert judge_evidence(silent).next_steps == (
        "the archive may still be retrieving the study: check the archive's log",
    )


def test_a_destination_that_cannot_be_loaded_is_named() -> None:
    warned = replace(ABORTED, warnings=(f"WORKSTATION has the dicomPort 70000: {CANNOT_LOAD_DEVICE}",))
    (step,) = judge_evidence(warned).next_steps
    assert step.startswith("if the archive cannot load the device of")


def test_the_archive_goes_on_with_a_recall_that_is_cancelled() -> None:
    cancelled = replace(SILENT, outcome=replace(SILENT.outcome, cancelled=True))
    assert first_step(cancelled).startswith("the archive ignores C-CANCEL while it recalls a study to DCM4CHEE")
    assert judge_evidence(replace(cancelled, route=DIRECT)).next_steps == ()


def test_an_abort_before_anything_came_may_be_a_value_that_cannot_be_read() -> None:
    assert "Check also whether the archive was restarted" in first_step(ABORTED)
    assert "the device of WORKSTATION" in judge_evidence(ABORTED).next_steps[1]


def test_an_abort_in_the_middle_is_not_one_of_the_configuration() -> None:
    assert judge_evidence(listening(ABORTED, *UIDS[:1])).next_steps == (
        (
            "the retrieve was interrupted: see the archive's log for the reason. Check whether the archive was "
            "restarted, or whether a firewall cuts connections. Then verify again"
        ),
    )


def test_where_all_has_arrived_only_the_answer_is_missing() -> None:
    for outcome in (ABORTED.outcome, SILENT.outcome):
        assert first_step(replace(GOOD, outcome=outcome)).startswith(
            "all instances arrived, but the archive sent no final response"
        )
