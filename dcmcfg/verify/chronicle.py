"""What happened during a verification, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dcmcfg.dicom.move import Progress
from dcmcfg.verify.run import Watcher

#: What is noted when a C-MOVE is on its way.
SENT = "C-MOVE sent"
_PENDING = "pending response"


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
        self._equal = 0  # pending responses in a row with the same numbers
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
            self._pending(progress)
            watcher.on_pending(progress)

        return replace(watcher, on_step=on_step, on_expected=on_expected, on_sent=on_sent, on_pending=on_pending)

    def _pending(self, progress: Progress) -> None:
        """Write down a pending response; of equal ones in a row the first, and the last with how many there were."""
        event = Event(self._clock(), _PENDING, progress)
        equal = self._events and self._events[-1].progress == progress
        self._equal = self._equal + 1 if equal else 1
        if self._equal > 2:
            self._events[-1] = replace(event, what=f"{_PENDING} ({self._equal} with the same numbers)")
        else:
            self._events.append(event)

    def note(self, what: str) -> None:
        """Write down that *what* happened now."""
        self._events.append(Event(self._clock(), what))
