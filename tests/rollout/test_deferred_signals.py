"""Signals held back, let through, and passed on from one context to the one around it."""

from __future__ import annotations

import signal

import pytest

from dcmcfg.rollout.deferred_signals import DeferredSignals

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_recorded_and_passed_to_the_outer_context(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with DeferredSignals() as outer:
        with DeferredSignals() as inner:
            signal.raise_signal(number)
            assert (inner.is_stop_requested, outer.is_stop_requested) == (True, False)
        assert outer.is_stop_requested
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", SIGNALS)
def test_let_through_it_ends_what_is_done_and_is_held_again_afterwards(number: signal.Signals) -> None:
    with DeferredSignals() as signals:
        with pytest.raises(KeyboardInterrupt), signals.allow_signals():
            signal.raise_signal(number)
        signal.raise_signal(number)
        assert signals.is_stop_requested


def test_an_earlier_signal_ends_it_at_once() -> None:
    with DeferredSignals() as signals:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), signals.allow_signals():
            raise AssertionError("it has begun")


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with DeferredSignals() as signals:
            signal.raise_signal(signal.SIGHUP)
            assert not signals.is_stop_requested
    finally:
        signal.signal(signal.SIGHUP, before)
