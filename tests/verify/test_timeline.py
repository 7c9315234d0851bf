"""What is written down of a verification, however often the peer says the same."""

from __future__ import annotations

from dcmcfg.dicom.move import MoveProgress
from dcmcfg.verify.run import VerificationCallbacks
from dcmcfg.verify.timeline import MAX_PENDING_EVENTS, Timeline


def test_pending_responses_with_equal_numbers_are_written_down_as_the_first_and_the_last() -> None:
    progress_calls: list[MoveProgress] = []
    timeline = Timeline()
    watcher = timeline.record_calls(VerificationCallbacks(on_pending=progress_calls.append))
    for completed, times in ((1, 1), (2, 2), (3, 100_000), (4, 1)):
        for _ in range(times):
            watcher.on_pending(MoveProgress(completed=completed))
    assert len(progress_calls) == 100_004
    assert [(event.description, event.progress and event.progress.completed) for event in timeline.events] == [
        ("pending response", 1),
        ("pending response", 2),
        ("pending response", 2),
        ("pending response", 3),
        ("pending response (100000 with the same numbers)", 3),
        ("pending response", 4),
    ]


def test_of_pending_responses_that_alternate_the_first_and_the_last_are_written_down() -> None:
    timeline = Timeline()
    watcher = timeline.record_calls(VerificationCallbacks())
    watcher.on_sent()
    for number in range(10_000):
        watcher.on_pending(MoveProgress(completed=number))
    watcher.on_step("over")
    events = timeline.events
    assert (events[0].description, events[-1].description) == ("C-MOVE sent", "over")
    (omitted,) = [number for number, event in enumerate(events) if "not listed" in event.description]
    assert events[omitted].description == f"{10_000 - 2 * MAX_PENDING_EVENTS} more pending responses (not listed)"
    completed = [event.progress.completed for event in events if event.progress]
    assert completed == [*range(MAX_PENDING_EVENTS), *range(10_000 - MAX_PENDING_EVENTS, 10_000)]
    assert omitted == 1 + MAX_PENDING_EVENTS


def test_responses_in_a_row_with_equal_numbers_are_counted_among_those_not_listed() -> None:
    timeline = Timeline()
    watcher = timeline.record_calls(VerificationCallbacks())
    for number in range(MAX_PENDING_EVENTS * 3):
        for _ in range(5):
            watcher.on_pending(MoveProgress(completed=number))
    listed = [event for event in timeline.events if event.progress]
    (omitted,) = [event for event in timeline.events if event.progress is None]
    assert len(listed) == 2 * MAX_PENDING_EVENTS
    assert (
        omitted.description
        == f"{MAX_PENDING_EVENTS * 3 * 5 - 2 * MAX_PENDING_EVENTS // 2 * 5} more pending responses (not listed)"
    )
    assert listed[-1].description == "pending response (5 with the same numbers)"
    # A row in the first entries is folded too.
    assert (
        listed[1].description
        == listed[MAX_PENDING_EVENTS - 1].description
        == "pending response (5 with the same numbers)"
    )


def test_a_word_between_them_ends_a_row_of_equal_pending_responses() -> None:
    timeline = Timeline()
    watcher = timeline.record_calls(VerificationCallbacks())
    for _ in range(2):
        for _ in range(3):
            watcher.on_pending(MoveProgress(completed=1))
        watcher.on_step("step")
    assert [event.description for event in timeline.events] == [
        "pending response",
        "pending response (3 with the same numbers)",
        "step",
    ] * 2
