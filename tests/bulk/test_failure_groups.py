from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dcmcfg.bulk.failure_groups import group_failures
from dcmcfg.bulk.report import make_summary
from dcmcfg.bulk.requirements import ResultRequirements
from dcmcfg.bulk.study_result import AttemptResult, RecordedAttempt, StudyResult, VerificationOutcome

THEN = datetime(2026, 1, 2, tzinfo=UTC)


def answered(uid: str, answer: AttemptResult, *before: AttemptResult | None) -> StudyResult:
    earlier = tuple(RecordedAttempt(THEN, None if each is None else THEN, each) for each in before)
    return StudyResult(uid, (*earlier, RecordedAttempt(THEN, THEN, answer, is_final=True)), is_complete=True)


def no(reason: str) -> AttemptResult:
    return AttemptResult(VerificationOutcome.NOT_VERIFIED, f"NOT verified: {reason}", seconds=1)


def yes(seconds: float) -> AttemptResult:
    return AttemptResult(VerificationOutcome.VERIFIED, "verified", completed=2, seconds=seconds)


def test_reasons_that_differ_in_numbers_and_uids_only_are_one() -> None:
    results = [
        answered("1.2.1", no("status A801, refused")),
        answered("1.2.2", no("2 of 3 completed; missing 1.2.840.1.5")),
        answered("1.2.3", yes(1)),
        answered("1.2.4", no("1 of 20 completed; missing 1.2.840.99.7")),
    ]
    assert [(group.reason, [each.study_uid for each in group.studies]) for group in group_failures(results)] == [
        ("2 of 3 completed; missing 1.2.840.1.5", ["1.2.2", "1.2.4"]),
        ("status A801, refused", ["1.2.1"]),
    ]


def test_a_reason_with_two_ways_out_is_two_groups() -> None:
    one, other = (replace(no("status A702; 1 failed"), next_step=f"dcmcfg echo {each}") for each in ("ONE", "OTHER"))
    results = [answered("1.2.1", one), answered("1.2.2", other), answered("1.2.3", one)]
    assert [(each.next_step, len(each.studies)) for each in group_failures(results)] == [
        ("dcmcfg echo ONE", 2),
        ("dcmcfg echo OTHER", 1),
    ]


def test_local_studies_are_one_group_whatever_else_is_told_of_them() -> None:
    local = replace(yes(1), route_finding="not tried", next_step="")
    required = ResultRequirements(require_route=True)
    results = [
        required.apply_to_study(answered(uid, replace(local, route_reasons=reasons)))
        for uid, reasons in (("1.2.1", "Instance Availability: ONLINE"), ("1.2.2", "Instance Availability: NEARLINE"))
    ]
    (group,) = group_failures([*results])
    assert (len(group.studies), group.lacks_only_route) == (2, True)
    (failed,) = group_failures([answered("1.2.3", no("status A801"))])
    assert not failed.lacks_only_route


def test_what_is_told_of_a_group_names_none_of_its_studies() -> None:
    of = AttemptResult(
        VerificationOutcome.NOT_VERIFIED,
        "NOT verified: no study 1.2.1 there, but 1.2.1.5",
        next_step="dcmcfg show 1.2.1",
    )
    (group,) = group_failures([answered("1.2.1", of)])
    assert (group.reason, group.next_step) == ("no such study there, but 1.2.1.5", "dcmcfg show UID")


def test_the_summary_counts_studies_and_attempts() -> None:
    results = [
        answered("1.2.1", yes(0.5), None),
        answered("1.2.2", yes(3), no("status A701")),
        StudyResult("1.2.3", (RecordedAttempt(THEN),)),
        StudyResult("1.2.4"),
    ]
    summary = make_summary(results, slowest_count=1)
    assert (summary.study_count, summary.outcome_counts, summary.unfinished_count) == (
        4,
        {VerificationOutcome.VERIFIED: 2},
        2,
    )
    assert (summary.attempt_count, summary.interrupted_count, summary.retry_count, summary.instance_count) == (
        5,
        2,
        1,
        4,
    )
    assert [each.study_uid for each in summary.slowest] == ["1.2.2"]
    assert not summary.all_successful


def test_all_is_well_when_every_study_has_a_yes() -> None:
    assert make_summary([answered("1.2.1", yes(1))]).all_successful
    assert not make_summary([answered("1.2.1", yes(1)), answered("1.2.2", no("x"))]).all_successful
    assert not make_summary([]).all_successful


def test_the_route_can_be_required_while_no_success_lacks_it() -> None:
    failed = replace(no("status A801"), route_finding="not shown")
    shown, local = (replace(yes(1), route_finding=finding) for finding in ("shown", "not shown"))
    for results, can_require in (
        ((failed,), True),
        ((failed, shown), True),
        ((failed, local), False),
        ((shown,), False),
    ):
        summary = make_summary([answered(f"1.2.{number}", each) for number, each in enumerate(results)])
        assert summary.can_require_route == can_require
