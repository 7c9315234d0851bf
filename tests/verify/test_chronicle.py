"""What is written down of a verification, however often the peer says the same."""

from __future__ import annotations

from dcmcfg.dicom.move import Progress
from dcmcfg.verify.run import Watcher
from dcmcfg.verify.timeline import KEPT, Chronicle


def test_pending_responses_with_equal_numbers_are_written_down_as_the_first_and_the_last() -> None:
    heard: list[Progress] = []
    chronicle = Chronicle()
    watcher = chronicle.of(Watcher(on_pending=heard.append))
    for completed, times in ((1, 1), (2, 2), (3, 100_000), (4, 1)):
        for _ in range(times):
            watcher.on_pending(Progress(completed=completed))
    assert len(heard) == 100_004
    assert [(event.what, event.progress and event.progress.completed) for event in chronicle.events] == [
        ("pending response", 1),
        ("pending response", 2),
        ("pending response", 2),
        ("pending response", 3),
        ("pending response (100000 with the same numbers)", 3),
        ("pending response", 4),
    ]


def test_of_pending_responses_that_alternate_the_first_and_the_last_are_written_down() -> None:
    chronicle = Chronicle()
    watcher = chronicle.of(Watcher())
    watcher.on_sent()
    for number in range(10_000):
        watcher.on_pending(Progress(completed=number))
    watcher.on_step("over")
    events = chronicle.events
    assert (events[0].what, events[-1].what) == ("C-MOVE sent", "over")
    (omitted,) = [number for number, event in enumerate(events) if "not listed" in event.what]
    assert events[omitted].what == f"{10_000 - 2 * KEPT} more pending responses, not listed"
    completed = [event.progress.completed for event in events if event.progress]
    assert completed == [*range(KEPT), *range(10_000 - KEPT, 10_000)]
    assert omitted == 1 + KEPT


def test_responses_in_a_row_with_equal_numbers_are_counted_among_those_not_listed() -> None:
    chronicle = Chronicle()
    watcher = chronicle.of(Watcher())
    for number in range(KEPT * 3):
        for _ in range(5):
            watcher.on_pending(Progress(completed=number))
    listed = [event for event in chronicle.events if event.progress]
    (omitted,) = [event for event in chronicle.events if event.progress is None]
    assert len(listed) == 2 * KEPT
    assert omitted.what == f"{KEPT * 3 * 5 - 2 * KEPT // 2 * 5} more pending responses, not listed"
    assert listed[-1].what == "pending response (5 with the same numbers)"
    # A row in the first entries is folded too.
    assert listed[1].what == listed[KEPT - 1].what == "pending response (5 with the same numbers)"


def test_a_word_between_them_ends_a_row_of_equal_pending_responses() -> None:
    chronicle = Chronicle()
    watcher = chronicle.of(Watcher())
    for _ in range(2):
        for _ in range(3):
            watcher.on_pending(Progress(completed=1))
        watcher.on_step("step")
    assert [event.what for event in chronicle.events] == [
        "pending response",
        "pending response (3 with the same numbers)",
        "step",
    ] * 2
