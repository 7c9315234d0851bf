"""The judge on whole cases: headline, exit code, the three findings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.dicom.retrieval import Patient
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import SECOND_RUN_NOTE, judge_evidence
from dcmcfg.verify.verdict import ReceiptFinding, RouteFinding
from tests.verify.evidence import (
    ALONE,
    GOOD,
    LOCAL_STUDY,
    QUESTION,
    STUDY,
    UIDS,
    UNWITNESSED,
    instances_before_move,
    received_instances,
    recorded,
    reporting,
    stored,
)


def test_everything_good_is_verified_with_the_route_shown() -> None:
    verdict = judge_evidence(GOOD)
    assert verdict.headline == "verified: 3 of 3 instances received by WORKSTATION; route shown"
    assert (verdict.exit_code, verdict.next_steps) == (0, ())
    assert verdict.receipt.callers == ("DCM4CHEE",)
    assert verdict.receipt.move_originators == ("DCMCFG",)


def test_without_a_receiver_it_is_reported_but_not_witnessed() -> None:
    verdict = judge_evidence(UNWITNESSED)
    assert verdict.headline == (
        "reported, not observed: the archive reports 3 of 3 instances as sent to WORKSTATION; route not shown"
    )
    assert verdict.exit_code == 0
    assert verdict.receipt.finding is ReceiptFinding.NOT_OBSERVED


LIES = {
    "success with zero completed": (
        replace(reporting(GOOD, completed=0), received=(), move_records=None),
        "status 0000, but no instance completed; nothing arrived at WORKSTATION",
    ),
    "success without any counter": (
        reporting(UNWITNESSED),
        "status 0000, but no instance completed",
    ),
    "success, but nothing arrived": (
        replace(GOOD, received=()),
        "nothing arrived at WORKSTATION",
    ),
    "success, but instances are missing": (
        replace(GOOD, received=received_instances(UIDS[:2])),
        "1 of 3 instances did not arrive",
    ),
    "success, but other instances arrived": (
        replace(GOOD, received=received_instances(("9.1", "9.2", "9.3"))),
        "3 of 3 instances did not arrive; 3 instances arrived, but were not listed by the archive for this study",
    ),
    "complete, but a foreign instance came too": (
        replace(GOOD, received=received_instances((*UIDS, "9.9"))),
        "1 instance arrived, but was not listed by the archive for this study",
    ),
    "success, but some failed": (reporting(GOOD, completed=3, failed=1), "1 failed"),
    "success, but some with a warning": (reporting(GOOD, completed=3, warning=1), "1 stored with a warning"),
    "success, but too few completed": (reporting(UNWITNESSED, completed=2), "2 of 3 completed"),
    "success, but too many completed": (
        reporting(UNWITNESSED, completed=4),
        "4 completed, but 3 were expected",
    ),
    "one instance thrice instead of three": (
        replace(GOOD, received=received_instances((UIDS[0],) * 3)),
        "2 of 3 instances did not arrive",
    ),
}


@pytest.mark.parametrize(("evidence", "reason"), LIES.values(), ids=LIES)
def test_a_lie_is_not_verified(evidence: Evidence, reason: str) -> None:
    verdict = judge_evidence(evidence)
    assert verdict.headline == f"NOT verified: {reason}"
    assert verdict.exit_code == 1
    assert verdict.next_steps


def test_a_final_answer_after_which_some_remain_contradicts_itself() -> None:
    verdict = judge_evidence(reporting(UNWITNESSED, completed=3, remaining=2))
    assert (verdict.exit_code, verdict.headline) == (1, "NOT verified: the final response reports 2 remaining")


def test_the_counter_of_a_large_study_begins_again_at_0() -> None:
    large = replace(UNWITNESSED, request=replace(QUESTION, expected_count=65536 + 3))
    assert judge_evidence(reporting(large, completed=3)).report.is_success
    assert not judge_evidence(reporting(large, completed=4)).report.is_success
    assert not judge_evidence(reporting(replace(UNWITNESSED), completed=65536 + 3)).report.is_success


def test_absent_failed_and_warning_counters_count_as_zero() -> None:
    verdict = judge_evidence(reporting(GOOD, completed=3))
    assert (verdict.exit_code, verdict.report.failed, verdict.report.warning) == (0, 0, 0)


def test_duplicates_are_noted_and_do_no_harm() -> None:
    verdict = judge_evidence(replace(GOOD, received=received_instances((*UIDS, UIDS[0]))))
    assert verdict.receipt.duplicates == (UIDS[0],)
    assert verdict.exit_code == 0


def test_a_failure_status_is_put_in_words() -> None:
    verdict = judge_evidence(replace(UNWITNESSED, outcome=MoveOutcome(0xC801, "Move Destination not allowed")))
    assert verdict.headline == ("NOT verified: status C801, refused: the archive does not allow this Move Destination")
    assert "dcmAcceptedMoveDestination" in verdict.next_steps[0]


def test_an_abort_is_a_no_and_not_an_error() -> None:
    verdict = judge_evidence(
        replace(UNWITNESSED, outcome=MoveOutcome(None, interruption="the peer aborted the association"))
    )
    assert verdict.headline == "NOT verified: no final response: the peer aborted the association"
    assert verdict.exit_code == 1
    assert "the archive's log" in verdict.next_steps[0]


def test_everything_arrived_but_the_archive_never_said_so_is_not_verified() -> None:
    verdict = judge_evidence(replace(GOOD, outcome=MoveOutcome(None, interruption="no response within 360 s")))
    assert verdict.exit_code == 1
    assert verdict.receipt.finding is ReceiptFinding.COMPLETE
    assert verdict.route.finding is RouteFinding.SHOWN


@pytest.mark.parametrize(
    ("expect", "completed", "exit_code"), [(None, 3, 1), (3, 3, 0), (4, 3, 1), (None, None, 1), (3, None, 1)]
)
def test_a_study_that_the_archive_never_heard_of_takes_an_expected_number(
    expect: int | None, completed: int | None, exit_code: int
) -> None:
    question = replace(QUESTION, expected_count=expect)
    evidence = reporting(replace(UNWITNESSED, request=question, instances_before=()), completed=completed)
    assert judge_evidence(evidence).exit_code == exit_code


def test_an_unknown_expectation_says_how_to_give_it() -> None:
    verdict = judge_evidence(replace(UNWITNESSED, instances_before=()))
    assert verdict.headline == "NOT verified: 3 completed, but the number of instances is unknown"
    assert verdict.next_steps[0].endswith("Specify the expected number of instances with --expect N")


def test_received_instances_without_any_expectation_are_unchecked() -> None:
    verdict = judge_evidence(replace(GOOD, instances_before=()))
    assert verdict.receipt.finding is ReceiptFinding.UNCHECKED
    assert verdict.exit_code == 1


def test_with_only_a_number_expected_the_received_are_counted_and_of_the_study() -> None:
    evidence = replace(GOOD, request=replace(QUESTION, expected_count=3), instances_before=())
    assert judge_evidence(evidence).headline == "verified: 3 of 3 instances received by WORKSTATION; route shown"
    stranger = replace(received_instances()[2], study_uid="9.9")
    assert judge_evidence(replace(evidence, received=(*received_instances()[:2], stranger))).receipt.unexpected == (
        UIDS[2],
    )
    unreadable = replace(stranger, study_uid=None)
    assert judge_evidence(replace(evidence, received=(*received_instances()[:2], unreadable))).receipt.unexpected == (
        UIDS[2],
    )


def test_an_expected_number_overrides_what_the_archive_lists() -> None:
    verdict = judge_evidence(replace(GOOD, request=replace(QUESTION, expected_count=4)))
    assert verdict.headline == (
        "NOT verified: 3 of 4 completed (the archive lists 3); 3 instances arrived, expected: 4"
    )
    assert verdict.next_steps == ("the archive sent all instances that it lists (3): check the number in --expect 4",)


def test_a_delivered_study_carries_the_note_on_a_second_run() -> None:
    assert SECOND_RUN_NOTE in judge_evidence(GOOD).notes
    assert SECOND_RUN_NOTE not in judge_evidence(replace(UNWITNESSED, outcome=MoveOutcome(0xA801))).notes


def test_a_contradicted_route_is_not_verified_although_everything_arrived() -> None:
    verdict = judge_evidence(replace(GOOD, move_records=(recorded("WORKSTATION"),)))
    assert verdict.headline == (
        "NOT verified: route contradicted, the external archive received the Move Destination WORKSTATION, but the "
        "tree sets dcmExternalRetrieveAEDestination DCM4CHEE on device dcm4chee-arc"
    )
    assert verdict.exit_code == 1
    assert "dcmcfg reload" in verdict.next_steps[0]


HOSTILE = st.text(max_size=6) | st.sampled_from(UIDS)
COUNTER = st.none() | st.integers(-1, 70000)


@given(
    status=st.none() | st.integers(0, 0xFFFF),
    counters=st.tuples(COUNTER, COUNTER, COUNTER),
    comment=st.text(max_size=70),
    uids=st.none() | st.lists(HOSTILE, max_size=5),
    availability=st.text(max_size=4) | st.sampled_from(["ONLINE", "NEARLINE"]),
)
def test_whatever_comes_in_exit_0_takes_a_reported_and_complete_success(
    status: int | None,
    counters: tuple[int | None, int | None, int | None],
    comment: str,
    uids: list[str] | None,
    availability: str,
) -> None:
    received = None if uids is None else received_instances(tuple(uids))
    expected = instances_before_move(availability)
    evidence = replace(
        GOOD,
        outcome=MoveOutcome(status, comment, completed=counters[0], failed=counters[1], warning=counters[2]),
        received=received,
        instances_before=expected,
        move_records=None,
    )
    verdict = judge_evidence(evidence)
    completed, failed, warning = (counter or 0 for counter in counters)
    success = status == 0 and completed == len(UIDS) and failed == 0 and warning == 0
    assert (verdict.exit_code == 0) == (success and (uids is None or set(uids) == set(UIDS)))
    assert verdict.headline.startswith("NOT verified: ") == (verdict.exit_code == 1)
    assert STUDY not in verdict.headline


def test_a_study_that_the_archive_does_not_list_is_told_as_one_that_it_does_not_know() -> None:
    verdict = judge_evidence(replace(reporting(UNWITNESSED), instances_before=()))
    assert verdict.headline == "NOT verified: the archive does not know this study"


def test_a_study_of_another_patient_is_told_as_that_and_not_as_a_wrong_uid() -> None:
    of_nobody = replace(UNWITNESSED, instances_before=(), request=replace(QUESTION, patient=Patient("4", "HOSP")))
    nothing, sent = judge_evidence(reporting(of_nobody)), judge_evidence(reporting(of_nobody, completed=5))
    words = "the archive does not list this study for patient 4 of issuer HOSP"
    assert nothing.headline == f"NOT verified: {words}"
    assert sent.headline == f"NOT verified: 5 completed, but {words}"
    for verdict in (nothing, sent):
        assert "check --patient-id and --patient-id-issuer" in verdict.next_steps[0]


def test_a_move_that_was_cancelled_and_answered_otherwise_is_told_with_both() -> None:
    verdict = judge_evidence(replace(UNWITNESSED, outcome=MoveOutcome(0xA702, cancelled=True)))
    assert verdict.headline == "NOT verified: cancelled by you; status A702"


def test_a_destination_that_is_refused_says_nothing_of_the_studys_way() -> None:
    misspelt = replace(UNWITNESSED.route, move_destination_known=False, similar_ae_titles=("WORKSTATION",))
    verdict = judge_evidence(
        replace(stored(ALONE, LOCAL_STUDY), outcome=MoveOutcome(0xA801), received=None, route=misspelt)
    )
    assert "route not tried" not in verdict.headline
    assert [step for step in verdict.next_steps if "--recall" in step] == []
