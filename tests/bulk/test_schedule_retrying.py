from __future__ import annotations

import pytest

from dcmcfg.bulk.schedule import NextAction, decide_next_action
from dcmcfg.dicom.move import MoveOutcome


@pytest.mark.parametrize(
    ("outcome", "follows"),
    [
        (MoveOutcome(0xA701), NextAction.RETRY_SLOWER),
        (MoveOutcome(0xA702), NextAction.RETRY_SLOWER),
        (MoveOutcome(0x0213), NextAction.RETRY_SLOWER),
        (MoveOutcome(0xA702, failed=3), NextAction.RETRY),
        (MoveOutcome(0xA702, "java.net.ConnectException: Connection refused"), NextAction.RETRY),
        (MoveOutcome(0xA702, "x.ConfigurationNotFoundException: Unknown AE: LONGTERM"), NextAction.ACCEPT_RESULT),
        (MoveOutcome(0xA801), NextAction.ACCEPT_RESULT),
        (MoveOutcome(0xB000, completed=1, failed=1), NextAction.ACCEPT_RESULT),
        (MoveOutcome(None, interruption="the peer aborted the association"), NextAction.RETRY),
        (MoveOutcome(None, interruption="no response within 360 s", timed_out=True), NextAction.ACCEPT_RESULT),
        (MoveOutcome(0xFE00, cancelled=True), NextAction.RETRY_IN_NEXT_RUN),
        (MoveOutcome(None, cancelled=True), NextAction.RETRY_IN_NEXT_RUN),
    ],
)
def test_what_may_go_well_later_is_asked_again(outcome: MoveOutcome, follows: NextAction) -> None:
    assert decide_next_action(outcome, accepted=False) is follows
    assert decide_next_action(outcome, accepted=True) is NextAction.ACCEPT_RESULT
