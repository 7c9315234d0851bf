from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.bulk.availability import Outage
from dcmcfg.bulk.schedule import RateLimiter, StudyQueue, compute_back_off, parse_rate
from dcmcfg.errors import MalformedInput


@pytest.mark.parametrize(("rate", "seconds"), [("5/s", 0.2), ("30/min", 2.0), ("0.5/s", 2.0), ("1/h", 3600.0)])
def test_a_rate_is_requests_in_a_time(rate: str, seconds: float) -> None:
    assert parse_rate(rate) == pytest.approx(seconds)


@pytest.mark.parametrize("rate", ["", "5", "5/", "0/s", "-1/s", "5/fortnight", "1e3/s", "nan/s"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(MalformedInput, match="not a valid rate"):
        parse_rate(rate)


@given(st.integers(1, 1000), st.floats(0.001, 100), st.floats(0, 1))
def test_back_off_grows_and_is_bounded(attempt: int, first_s: float, chance: float) -> None:
    assert first_s / 2 <= compute_back_off(attempt, first_s, chance) <= 120
    assert compute_back_off(attempt, first_s, chance) <= compute_back_off(attempt + 1, first_s, chance)


def test_requests_of_all_are_spaced() -> None:
    pace = RateLimiter(interval_s=2)
    assert [pace.reserve_slot(now) for now in (10, 10, 10, 30)] == [10, 12, 14, 30]


def test_an_archive_that_is_short_of_something_is_asked_ever_more_slowly_and_faster_when_it_goes_well() -> None:
    pace = RateLimiter()
    assert pace.slow_down(sent_at=0, now=1)  # the first time is news
    assert pace.reserve_slot(1) == 2
    assert not pace.slow_down(sent_at=2, now=3)
    assert pace.reserve_slot(3) == 5
    assert pace.reserve_slot(3) == 7
    for sent in (5, 7, 9):
        pace.speed_up(sent)
    assert pace.is_throttled
    pace.speed_up(11)
    assert not pace.is_throttled


def test_requests_that_were_under_way_together_strain_once() -> None:
    pace = RateLimiter()
    pace.slow_down(sent_at=0, now=1)
    for _ in range(8):
        assert not pace.slow_down(sent_at=0.5, now=1.1)
    assert pace.reserve_slot(1.1) == 2


def test_studies_come_in_order_and_later_ones_when_their_moment_has_come() -> None:
    schedule = StudyQueue(["a", "b"])
    assert schedule.take(0) == "a"
    schedule.put_at("a", 5)
    assert schedule.take(0) == "b"
    assert schedule.take(0) is None
    assert (schedule.get_next_due_time(), len(schedule)) == (5, 1)
    assert schedule.take(5) == "a"
    schedule.put_back("a")
    assert schedule.get_next_due_time() == 0
    assert schedule.take(0) == "a"
    assert (schedule.get_next_due_time(), len(schedule)) == (None, 0)


def test_patience_with_an_archive_that_is_away_is_counted_from_its_last_answer() -> None:
    outage = Outage(timeout_s=10)
    assert outage.record_failure(100, 1) == 100.5
    assert outage.record_failure(101, 1) == 102
    assert outage.end(102) == 2
    assert outage.end(103) is None
    outage.record_failure(200, 1)
    assert outage.record_failure(209.5, 1) == 210
    assert outage.record_failure(210, 1) is None
