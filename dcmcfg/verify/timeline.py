"""What happened during a verification, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dcmcfg.dicom.move import MoveProgress
from dcmcfg.verify.run import VerificationCallbacks

#: What is noted when a C-MOVE is on its way.
MOVE_SENT = "C-MOVE sent"
_PENDING = "pending response"
#: How many entries on pending responses are kept: this many of the first, and of the last.
MAX_PENDING_EVENTS = 300


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened at ``time``; ``progress`` are the numbers of a pending response."""

    time: datetime
    description: str
    progress: MoveProgress | None = None


class Timeline:
    """Writes down what a watcher is told."""

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._events: list[TimelineEvent] = []
        self._latest: deque[tuple[TimelineEvent, int]] = (
            deque()
        )  # on pending responses after the first, with how many each is
        self._first = self._omitted = 0  # entries on the first pending responses, and responses without an entry
        self._last: MoveProgress | None = None  # of the pending response after which nothing else happened
        self._equal = 0  # pending responses in a row with the same numbers
        self.began = clock()

    @property
    def events(self) -> tuple[TimelineEvent, ...]:
        """What happened so far, oldest first.

        Of very many pending responses with different numbers there are the first and the last, and how many were
        between them.
        """
        latest = [event for event, _ in self._latest]
        if self._omitted:
            latest.insert(0, TimelineEvent(latest[0].time, f"{self._omitted} more pending responses, not listed"))
        return tuple(sorted((*self._events, *latest), key=lambda event: event.time)) if latest else tuple(self._events)

    def record_calls(self, callbacks: VerificationCallbacks) -> VerificationCallbacks:
        """Return a watcher that is told the same as *callbacks*, with every word taken down."""

        def on_step(words: str) -> None:
            self.add_event(words)
            callbacks.on_step(words)

        def on_expected(number: int) -> None:
            self.add_event(f"instances listed: {number}")
            callbacks.on_expected(number)

        def on_sent() -> None:
            self.add_event(MOVE_SENT)
            callbacks.on_sent()

        def on_pending(progress: MoveProgress) -> None:
            self._pending(progress)
            callbacks.on_pending(progress)

        return replace(callbacks, on_step=on_step, on_expected=on_expected, on_sent=on_sent, on_pending=on_pending)

    def _pending(self, progress: MoveProgress) -> None:
        """Write down a pending response; of equal ones in a row the first, and the last with how many there were."""
        event = TimelineEvent(self._clock(), _PENDING, progress)
        self._equal = self._equal + 1 if self._last == progress else 1
        self._last = progress
        if self._equal > 2:
            last = replace(event, description=f"{_PENDING} ({self._equal} with the same numbers)")
            if self._latest:
                self._latest[-1] = last, self._equal - 1
            else:
                self._events[-1] = last
        elif self._first < MAX_PENDING_EVENTS:
            self._first += 1
            self._events.append(event)
        else:
            self._latest.append((event, 1))
            if len(self._latest) > MAX_PENDING_EVENTS:
                self._omitted += self._latest.popleft()[1]

    def add_event(self, description: str) -> None:
        """Write down that *description* happened now."""
        self._last = None
        self._events.append(TimelineEvent(self._clock(), description))
