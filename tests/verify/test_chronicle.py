"""What is written down of a verification, however often the peer says the same."""

from __future__ import annotations

from dcmcfg.dicom.move import Progress
from dcmcfg.verify.chronicle import Chronicle
from dcmcfg.verify.run import Watcher


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
