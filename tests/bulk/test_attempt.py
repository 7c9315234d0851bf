from __future__ import annotations

from contextlib import closing
from itertools import islice

import pytest

from dcmcfg.bulk.attempt import MoveAttempt, MoveTracker
from dcmcfg.dicom.storage.received_instances import ReceivedInstance

X, Y, STRANGER = "1.2.1", "1.2.2", "1.2.9"
ALL = 0x8000 - 0x1000


def came(study: str | None, message_id: int | None, originator: str | None = "DCMCFG") -> ReceivedInstance:
    return ReceivedInstance(
        sop_instance_uid="1.2.3",
        sop_class_uid="1.2",
        study_uid=study,
        calling_ae_title="DCM4CHEE",
        move_originator_ae_title=originator,
        data_set_length=1,
        transfer_syntax="1.2",
        move_originator_message_id=message_id,
    )


@pytest.fixture
def requests() -> MoveTracker:
    return MoveTracker("DCMCFG")


def test_no_two_requests_have_the_same_number_and_none_a_small_one(requests: MoveTracker) -> None:
    numbers = [
        *islice(requests.allocate_message_ids(MoveAttempt(X)), 5000),
        *islice(requests.allocate_message_ids(MoveAttempt(Y)), 5000),
    ]
    assert len(set(numbers)) == 10_000
    assert min(numbers) >= 0x1000
    assert max(numbers) < 0x8000


def test_a_number_is_not_given_out_again_while_its_c_move_is_under_way(requests: MoveTracker) -> None:
    slow = MoveAttempt(X)
    with (
        closing(requests.allocate_message_ids(slow)) as numbers,
        closing(requests.allocate_message_ids(MoveAttempt(Y))) as others,
    ):
        number = next(numbers)
        assert number not in set(islice(others, 2 * ALL))
        assert requests.find_study_uid(came(X, number)) == X
        assert requests.is_sent_for(slow, came(X, number))


def test_the_number_of_a_c_move_that_is_over_is_the_last_to_be_given_out_again(requests: MoveTracker) -> None:
    with closing(requests.allocate_message_ids(MoveAttempt(X))) as numbers:
        number = next(numbers)
    with closing(requests.allocate_message_ids(MoveAttempt(Y))) as others:
        assert number not in set(islice(others, ALL - 1))
        assert requests.find_study_uid(came(None, number)) == X, "what comes late"
        assert next(others) == number


def test_what_names_the_c_move_is_for_its_study_and_else_for_that_of_its_data_set(requests: MoveTracker) -> None:
    of_x, of_y = (
        next(requests.allocate_message_ids(MoveAttempt(X))),
        next(requests.allocate_message_ids(MoveAttempt(Y))),
    )
    assert requests.find_study_uid(came(X, of_x)) == X
    assert requests.find_study_uid(came(X, of_y)) == Y
    assert requests.find_study_uid(came(None, of_y)) == Y
    assert requests.find_study_uid(came(X, of_y, originator="ANOTHER")) == X, "somebody else's C-MOVE of that number"
    assert requests.find_study_uid(came(X, 7)) == X, "an archive between us counts by itself"
    assert requests.find_study_uid(came(X, None)) == X
    assert requests.find_study_uid(came(None, None, originator=None)) is None


def test_what_names_the_c_move_of_an_earlier_try_counts_for_no_later_one(requests: MoveTracker) -> None:
    first, second = MoveAttempt(X), MoveAttempt(X)
    of_first, *of_second = next(requests.allocate_message_ids(first)), *islice(requests.allocate_message_ids(second), 2)
    assert [requests.is_sent_for(second, came(X, each)) for each in (of_first, *of_second)] == [False, True, True]
    assert [requests.is_sent_for(second, came(X, each)) for each in (7, None)] == [True, True], "it may be for either"
    assert list(requests.describe_misdirected(second, [came(X, of_first), came(X, of_second[0]), came(X, None)])) == [
        "1 instance for an earlier C-MOVE of this study arrived too late; dcmcfg does not count late instances"
    ]


def test_what_went_astray_is_told_on_both_sides_noted_or_waiting(requests: MoveTracker) -> None:
    x, y = MoveAttempt(X), MoveAttempt(Y)
    of_x, of_y = next(requests.allocate_message_ids(x)), next(requests.allocate_message_ids(y))
    astray = came(X, of_y)
    assert list(requests.describe_misdirected(x, [astray])) == [
        f"1 instance of this study arrived with the C-MOVE of study {Y} (counted in the result of study {Y})"
    ]
    requests.record_received(y, [came(Y, of_y), astray, came(STRANGER, of_y), came(None, of_y)])
    assert list(requests.describe_misdirected(x, [came(X, of_x)])) == [
        f"1 instance of this study arrived with the C-MOVE of study {Y} (counted in the result of study {Y})"
    ]
    assert list(requests.describe_misdirected(y, [])) == [
        f"1 instance of another study ({X}) arrived with the C-MOVE of this study",
        f"1 instance of another study ({STRANGER}) arrived with the C-MOVE of this study",
    ]
