from __future__ import annotations

from itertools import islice

from dcmcfg.bulk.requests import Requests
from dcmcfg.dicom.arrivals import ReceivedInstance

X, Y, STRANGER = "1.2.1", "1.2.2", "1.2.9"


def came(study: str | None, message_id: int | None, originator: str | None = "DCMCFG") -> ReceivedInstance:
    return ReceivedInstance(
        "1.2.3", "1.2", study, "DCM4CHEE", originator, 1, "1.2", move_originator_message_id=message_id
    )


def test_no_two_requests_have_the_same_number_and_none_a_small_one() -> None:
    requests = Requests("DCMCFG")
    numbers = [*islice(requests.about(X), 5000), *islice(requests.about(Y), 5000)]
    assert len(set(numbers)) == 10_000
    assert min(numbers) >= 0x1000
    assert max(numbers) < 0x8000


def test_what_names_the_c_move_is_for_its_study_and_else_for_that_of_its_data_set() -> None:
    requests = Requests("DCMCFG")
    of_x, of_y = next(requests.about(X)), next(requests.about(Y))
    assert requests.study_of(came(X, of_x)) == X
    assert requests.study_of(came(X, of_y)) == Y
    assert requests.study_of(came(None, of_y)) == Y
    assert requests.study_of(came(X, of_y, originator="ANOTHER")) == X, "somebody else's C-MOVE of that number"
    assert requests.study_of(came(X, 7)) == X, "an archive between us counts by itself"
    assert requests.study_of(came(X, None)) == X
    assert requests.study_of(came(None, None, originator=None)) is None


def test_what_went_astray_is_told_on_both_sides_noted_or_waiting() -> None:
    requests = Requests("DCMCFG")
    of_x, of_y = next(requests.about(X)), next(requests.about(Y))
    astray = came(X, of_y)
    assert list(requests.astray(X, [astray])) == [
        f"1 instance of it came by the C-MOVE of study {Y}, for which it counts"
    ]
    requests.note([came(Y, of_y), astray, came(STRANGER, of_y), came(None, of_y)])
    assert list(requests.astray(X, [came(X, of_x)])) == [
        f"1 instance of it came by the C-MOVE of study {Y}, for which it counts"
    ]
    assert list(requests.astray(Y, [])) == [
        f"1 instance of study {X} came by its C-MOVE",
        f"1 instance of study {STRANGER} came by its C-MOVE",
    ]
