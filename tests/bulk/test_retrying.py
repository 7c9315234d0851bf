from __future__ import annotations

import pytest

from dcmcfg.bulk.schedule import Next, after
from dcmcfg.dicom.move import MoveOutcome


@pytest.mark.parametrize(
    ("outcome", "follows"),
    [
        (MoveOutcome(0xA701), Next.AGAIN_GENTLY),
        (MoveOutcome(0xA702), Next.AGAIN_GENTLY),
        (MoveOutcome(0x0213), Next.AGAIN_GENTLY),
        (MoveOutcome(0xA702, failed=3), Next.AGAIN),
        (MoveOutcome(0xA702, "java.net.ConnectException: Connection refused"), Next.AGAIN),
        (MoveOutcome(0xA702, "x.ConfigurationNotFoundException: Unknown AE: LONGTERM"), Next.NOTHING),
        (MoveOutcome(0xA801), Next.NOTHING),
        (MoveOutcome(0xB000, completed=1, failed=1), Next.NOTHING),
        (MoveOutcome(None, interrupted="the peer aborted the association"), Next.AGAIN),
        (MoveOutcome(None, interrupted="no response within 360 s", timed_out=True), Next.NOTHING),
        (MoveOutcome(0xFE00, cancelled=True), Next.ANOTHER_RUN),
        (MoveOutcome(None, cancelled=True), Next.ANOTHER_RUN),
    ],
)
def test_what_may_go_well_later_is_asked_again(outcome: MoveOutcome, follows: Next) -> None:
    assert after(outcome, accepted=False) is follows
    assert after(outcome, accepted=True) is Next.NOTHING
