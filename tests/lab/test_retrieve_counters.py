"""The final response of the stand-in archive by what became of the instances."""

from __future__ import annotations

from pydicom.dataset import Dataset

from dcmcfg.dicom.status import PENDING
from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.move_scp import MoveResponse


def failed_list(*uids: str) -> Dataset:
    identifier = Dataset()
    identifier.FailedSOPInstanceUIDList = list(uids)
    return identifier


def test_what_remains_fails_in_the_status_and_not_in_the_counters() -> None:
    counters = RetrieveCounters(3)
    counters.count_store("1.1", 0x0000)
    assert counters.make_final_response(cancelled=False) == MoveResponse(0xB000, completed=1)
    assert RetrieveCounters(3).make_final_response(cancelled=False) == MoveResponse(0xA702)


def test_a_warning_of_the_destination_is_no_failure() -> None:
    counters = RetrieveCounters(2)
    counters.count_store("1.1", 0xB000)
    counters.count_store("1.2", 0xB006)
    assert counters.make_final_response(cancelled=False) == MoveResponse(0x0000, warning=2)


def test_a_cancelled_retrieve_counts_what_remains() -> None:
    counters = RetrieveCounters(3)
    counters.count_store("1.1", 0x0000)
    counters.count_store("1.2", 0x0000)
    assert counters.make_final_response(cancelled=True) == MoveResponse(0xFE00, remaining=1, completed=2)


def test_nothing_is_pending_once_nothing_remains() -> None:
    counters = RetrieveCounters(1)
    assert counters.make_pending_response() == MoveResponse(PENDING, remaining=1, completed=0, failed=0, warning=0)
    counters.count_failed("1.1")
    assert counters.make_pending_response() is None


def test_an_external_archive_decides_the_status_and_its_failures_count() -> None:
    counters = RetrieveCounters(3)
    counters.count_store("1.1", 0x0000)
    counters.set_external_response(
        MoveResponse(0xA702, "cannot read", completed=1, failed=2, identifier=failed_list("1.2", "1.3"))
    )
    final = counters.make_external_final_response()
    assert (final.status, final.comment, final.completed, final.failed) == (0xB000, "", 1, 2)
    assert final.identifier is not None
    assert list(final.identifier.FailedSOPInstanceUIDList) == ["1.2", "1.3"]


def test_an_external_archive_that_breaks_off_after_a_pending_response_leaves_a_pending_one_for_the_end() -> None:
    counters = RetrieveCounters(3)
    assert counters.make_external_final_response() == MoveResponse(0xA702)
    counters.count_store("1.1", 0x0000)
    counters.set_external_response(MoveResponse(PENDING, remaining=3, completed=0, failed=0, warning=0))
    assert counters.make_external_final_response() == MoveResponse(PENDING, completed=1)


def test_without_local_matches_the_response_of_the_external_archive_is_passed_on_as_it_is() -> None:
    counters = RetrieveCounters(0)
    refusal = MoveResponse(0xA801, "Move Destination unknown", completed=0, failed=0, warning=0)
    counters.set_external_response(refusal)
    assert counters.make_external_final_response() == refusal


def test_responses_of_an_archive_that_sends_to_the_destination_itself_are_counted_once() -> None:
    counters = RetrieveCounters(3)
    first = MoveResponse(PENDING, remaining=2, completed=1, failed=0, warning=0)
    counters.count_external_progress(first, None)
    counters.count_external_progress(MoveResponse(0x0000, completed=3, failed=0, warning=0), first)
    assert counters.make_final_response(cancelled=False) == MoveResponse(0x0000, completed=3)
