"""What happened during a verification, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dcmcfg.dicom.move import Progress
from dcmcfg.verify.run import Watcher

#: What is noted when a C-MOVE is on its way.
SENT = "C-MOVE sent"
_PENDING = "pending response"
#: How many entries on pending responses are kept: this many of the first, and of the last.
KEPT = 300


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
        self._latest: deque[tuple[Event, int]] = deque()  # on pending responses after the first, with how many each is
        self._first = self._omitted = 0  # entries on the first pending responses, and responses without an entry
        self._last: Progress | None = None  # of the pending response after which nothing else happened
        self._equal = 0  # pending responses in a row with the same numbers
        self.began = clock()

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened so far, oldest first.

        Of very many pending responses with different numbers there are the first and the last, and how many were
        between them.
        """
        latest = [event for event, _ in self._latest]
        if self._omitted:
            latest.insert(0, Event(latest[0].moment, f"{self._omitted} more pending responses, not listed"))
        return (
            tuple(sorted((*self._events, *latest), key=lambda event: event.moment)) if latest else tuple(self._events)
        )

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
        self._equal = self._equal + 1 if self._last == progress else 1
        self._last = progress
        if self._equal > 2:
            last = replace(event, what=f"{_PENDING} ({self._equal} with the same numbers)")
            if self._latest:
                self._latest[-1] = last, self._equal - 1
            else:
                self._events[-1] = last
        elif self._first < KEPT:
            self._first += 1
            self._events.append(event)
        else:
            self._latest.append((event, 1))
            if len(self._latest) > KEPT:
                self._omitted += self._latest.popleft()[1]

    def note(self, what: str) -> None:
        """Write down that *what* happened now."""
        self._last = None
        self._events.append(Event(self._clock(), what))
