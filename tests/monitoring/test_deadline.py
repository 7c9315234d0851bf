"""Functions in parallel until a deadline."""

from __future__ import annotations

import threading

import pytest

from dcmcfg.monitoring.deadline import Deadline, run_all
from tests.patience import PATIENCE_S


def test_each_outcome_is_that_of_its_function() -> None:
    def fail() -> int:
        raise ValueError("broken")

    found = run_all({"a": lambda: 1, "b": fail}, Deadline(PATIENCE_S))
    assert (found["a"].value, found["a"].error) == (1, None)
    assert (found["b"].value, repr(found["b"].error)) == (None, "ValueError('broken')")
    assert not found["a"].is_timeout
    assert not found["b"].is_timeout


def test_a_function_that_hangs_is_left_and_the_others_are_reported() -> None:
    release = threading.Event()
    found = run_all({"hangs": release.wait, "ends": lambda: True}, Deadline(0.3))
    release.set()
    assert found["hangs"].is_timeout
    assert found["ends"].value is True


def test_the_functions_run_at_once() -> None:
    barrier = threading.Barrier(3)

    def meet() -> int:
        return barrier.wait(PATIENCE_S)

    found = run_all(dict.fromkeys(range(3), meet), Deadline(PATIENCE_S))
    assert sorted(each.value for each in found.values() if each.value is not None) == [0, 1, 2]


def test_a_deadline_is_never_negative() -> None:
    assert Deadline(0).remaining_s == 0
    shorter = Deadline(1).shorten(5)
    assert (shorter.remaining_s, shorter.seconds) == (0, 0)
    assert Deadline(10).shorten(1).seconds == pytest.approx(9)
