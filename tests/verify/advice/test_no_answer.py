"""Of an answer that did not come, it is told where the reason is to be found."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.judge import judge
from tests.verify.advice.cases import first_step, listening
from tests.verify.evidence import GOOD, UIDS, UNWITNESSED

ABORTED = replace(UNWITNESSED, outcome=MoveOutcome(None, interrupted="the peer aborted the association"))
SILENT = replace(UNWITNESSED, outcome=MoveOutcome(None, interrupted="no response within 9 s", timed_out=True))


def test_silence_may_be_a_slow_recall() -> None:
    assert "its log, like that of the external archive LONGTERM, says what it waits for" in first_step(SILENT)
    assert "dcmRetrieveTimeout" in first_step(SILENT)


def test_an_abort_before_anything_came_may_be_a_value_that_cannot_be_read() -> None:
    assert "was it restarted?" in first_step(ABORTED)
    assert "the device of WORKSTATION" in judge(ABORTED).next_steps[1]


def test_an_abort_in_the_middle_is_not_one_of_the_configuration() -> None:
    assert judge(listening(ABORTED, *UIDS[:1])).next_steps == (
        "it broke off in the middle: the archive's log says why; was it restarted, or does a firewall cut "
        "connections? Then verify again",
    )


def test_where_all_has_arrived_only_the_answer_is_missing() -> None:
    for outcome in (ABORTED.outcome, SILENT.outcome):
        assert first_step(replace(GOOD, outcome=outcome)).startswith("all of it has arrived, only the final answer")
