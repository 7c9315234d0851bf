"""What happened during a verification, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dcmcfg.dicom.move import Progress
from dcmcfg.verify.run import Watcher

#: What is noted when a C-MOVE is on its way.
SENT = "C-MOVE sent"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Event:
    """Something that happened at ``moment``; ``progress`` are the numbers of a pending response."""

    moment: datetime
    what: str
    progress: Progress | None = None


class Chronicle:
    """Writes down what a watcher is told."""

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._events: list[Event] = []
        self.began = clock()

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened so far, oldest first."""
        return tuple(self._events)

    def of(self, watcher: Watcher) -> Watcher:
        """Return a watcher that is told the same as *watcher*, with every word taken down."""

        def on_step(words: str) -> None:
            self.note(words)
            watcher.on_step(words)

        def on_expected(number: int) -> None:
            self.note(f"instances listed: {number}")
            watcher.on_expected(number)

        def on_sent() -> None:
            self.note(SENT)
            watcher.on_sent()

        def on_pending(progress: Progress) -> None:
            self._events.append(Event(self._clock(), "pending response", progress))
            watcher.on_pending(progress)

        return replace(watcher, on_step=on_step, on_expected=on_expected, on_sent=on_sent, on_pending=on_pending)

    def note(self, what: str) -> None:
        """Write down that *what* happened now."""
        self._events.append(Event(self._clock(), what))
