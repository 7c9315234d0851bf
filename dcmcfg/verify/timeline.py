"""Record the events of a verification with their times."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dcmcfg.dicom.move import MoveProgress
from dcmcfg.verify.run import VerificationCallbacks

#: Description of the event when a C-MOVE was sent.
MOVE_SENT = "C-MOVE sent"
_PENDING = "pending response"
#: Number of first, and of last, pending responses that are kept; 300,000 of them would make 55 MB of JSON.
MAX_PENDING_EVENTS = 300


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TimelineEvent:
    """An event at ``time``; ``progress`` has the numbers of a pending response."""

    time: datetime
    description: str
    progress: MoveProgress | None = None


class Timeline:
    """Records the calls of :class:`VerificationCallbacks` with their times."""

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._events: list[TimelineEvent] = []
        # last pending responses, with the number of responses that each stands for
        self._last_pending: deque[tuple[TimelineEvent, int]] = deque()
        self._first_pending_count = self._omitted_count = 0  # number of first pending responses, and of omitted ones
        self._previous_progress: MoveProgress | None = None  # of the last event, if it was a pending response
        self._equal_count = 0  # pending responses in a row with the same numbers
        self.began = clock()

    @property
    def events(self) -> tuple[TimelineEvent, ...]:
        """The events so far, oldest first.

        For many pending responses with different numbers, the list has the first and the last ones, and the number of
        omitted ones in between.
        """
        last_pending = [event for event, _ in self._last_pending]
        if self._omitted_count:
            last_pending.insert(
                0, TimelineEvent(last_pending[0].time, f"{self._omitted_count} more pending responses (not listed)")
            )
        return (
            tuple(sorted((*self._events, *last_pending), key=lambda event: event.time))
            if last_pending
            else tuple(self._events)
        )

    def record_calls(self, callbacks: VerificationCallbacks) -> VerificationCallbacks:
        """Return callbacks that record each call, and pass it on to *callbacks*."""

        def on_step(description: str) -> None:
            self.add_event(description)
            callbacks.on_step(description)

        def on_expected(count: int) -> None:
            self.add_event(f"instances listed: {count}")
            callbacks.on_expected(count)

        def on_sent() -> None:
            self.add_event(MOVE_SENT)
            callbacks.on_sent()

        def on_pending(progress: MoveProgress) -> None:
            self._record_pending(progress)
            callbacks.on_pending(progress)

        return replace(callbacks, on_step=on_step, on_expected=on_expected, on_sent=on_sent, on_pending=on_pending)

    def _record_pending(self, progress: MoveProgress) -> None:
        """Record a pending response; of equal ones in a row, the first and the last with their number."""
        event = TimelineEvent(self._clock(), _PENDING, progress)
        self._equal_count = self._equal_count + 1 if self._previous_progress == progress else 1
        self._previous_progress = progress
        if self._equal_count > 2:
            repeated = replace(event, description=f"{_PENDING} ({self._equal_count} with the same numbers)")
            if self._last_pending:
                self._last_pending[-1] = repeated, self._equal_count - 1
            else:
                self._events[-1] = repeated
        elif self._first_pending_count < MAX_PENDING_EVENTS:
            self._first_pending_count += 1
            self._events.append(event)
        else:
            self._last_pending.append((event, 1))
            if len(self._last_pending) > MAX_PENDING_EVENTS:
                self._omitted_count += self._last_pending.popleft()[1]

    def add_event(self, description: str) -> None:
        """Record *description* with the present time."""
        self._previous_progress = None
        self._events.append(TimelineEvent(self._clock(), description))
