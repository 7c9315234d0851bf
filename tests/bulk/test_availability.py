from __future__ import annotations

from collections import Counter

from dcmcfg.bulk.availability import BrokenAssociations, Outage
from dcmcfg.bulk.schedule import RateLimiter, StudyQueue


def test_breaks_of_three_studies_in_a_row_are_the_archives_own() -> None:
    breaks = BrokenAssociations()
    for uid in ("1", "2", "2", "2"):
        breaks.record_broken_association(uid)
        assert not breaks.is_archive_at_fault
    breaks.record_broken_association("3")
    assert breaks.is_archive_at_fault
    assert breaks.record_response() == Counter({"2": 3, "1": 1, "3": 1})
    assert not breaks.is_archive_at_fault
    assert not breaks.is_cause_unclear


def test_an_answer_in_between_leaves_them_to_the_studies() -> None:
    breaks = BrokenAssociations()
    for uid in ("1", "2", "3"):
        breaks.record_broken_association(uid)
        if uid != "3":
            assert breaks.record_response() == Counter()
    assert not breaks.is_archive_at_fault


def test_patience_ends_so_long_after_the_first_failure() -> None:
    outage = Outage(timeout_s=10)
    assert not outage.has_timed_out(50)
    outage.record_failure(50, 0)
    assert [outage.has_timed_out(seconds) for seconds in (59.9, 60)] == [False, True]


def test_a_turn_that_was_not_used_is_the_next_ones() -> None:
    pace = RateLimiter(60)
    assert (pace.reserve_slot(0), pace.reserve_slot(0)) == (0, 60)
    pace.release_slot()
    assert (pace.reserve_slot(1), pace.reserve_slot(1)) == (1, 120)


def test_another_study_is_taken_before_one_whose_moment_has_come_where_that_is_wanted() -> None:
    schedule = StudyQueue(["1", "2"])
    schedule.put_at("0", 5)
    assert schedule.take(6, prefer_waiting=True) == "1"
    assert (schedule.take(6), schedule.take(6, prefer_waiting=True)) == ("0", "2")
    schedule.put_at("0", 5)
    assert schedule.take(6, prefer_waiting=True) == "0", "there is no other"


def test_a_study_that_is_put_last_comes_after_all_that_wait() -> None:
    schedule = StudyQueue(["1", "2"])
    taken = schedule.take(0)
    assert taken == "1"
    schedule.put_last(taken)
    assert (schedule.take(0), schedule.take(0), schedule.take(0)) == ("2", "1", None)
