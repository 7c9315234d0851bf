from __future__ import annotations

from collections import Counter

from dcmcfg.bulk.availability import Breaks, Outage
from dcmcfg.bulk.schedule import Pace, Schedule


def test_breaks_of_three_studies_in_a_row_are_the_archives_own() -> None:
    breaks = Breaks()
    for uid in ("1", "2", "2", "2"):
        breaks.broke(uid)
        assert not breaks.are_of_the_archive
    breaks.broke("3")
    assert breaks.are_of_the_archive
    assert breaks.answered() == Counter({"2": 3, "1": 1, "3": 1})
    assert not breaks.are_of_the_archive
    assert not breaks.are_in_doubt


def test_an_answer_in_between_leaves_them_to_the_studies() -> None:
    breaks = Breaks()
    for uid in ("1", "2", "3"):
        breaks.broke(uid)
        if uid != "3":
            assert breaks.answered() == Counter()
    assert not breaks.are_of_the_archive


def test_patience_ends_so_long_after_the_first_failure() -> None:
    outage = Outage(patience_s=10)
    assert not outage.is_too_long(50)
    outage.failed(50, 0)
    assert [outage.is_too_long(moment) for moment in (59.9, 60)] == [False, True]


def test_a_turn_that_was_not_used_is_the_next_ones() -> None:
    pace = Pace(60)
    assert (pace.turn(0), pace.turn(0)) == (0, 60)
    pace.give_back()
    assert (pace.turn(1), pace.turn(1)) == (1, 120)


def test_another_study_is_taken_before_one_whose_moment_has_come_where_that_is_wanted() -> None:
    schedule = Schedule(["1", "2"])
    schedule.later("0", 5)
    assert schedule.take(6, another=True) == "1"
    assert (schedule.take(6), schedule.take(6, another=True)) == ("0", "2")
    schedule.later("0", 5)
    assert schedule.take(6, another=True) == "0", "there is no other"


def test_a_study_that_is_put_last_comes_after_all_that_wait() -> None:
    schedule = Schedule(["1", "2"])
    taken = schedule.take(0)
    assert taken == "1"
    schedule.last(taken)
    assert (schedule.take(0), schedule.take(0), schedule.take(0)) == ("2", "1", None)
