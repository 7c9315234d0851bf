"""Run functions in parallel until a deadline.

A thread that hangs, for example in a name service, is abandoned: the threads are daemons, which do not block the exit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")
#: The margin as a share of the whole time, and its maximum in seconds.
_MARGIN_SHARE, _MAX_MARGIN_S = 0.15, 1.0


class Deadline:
    """The end of a period of ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def remaining_s(self) -> float:
        """The seconds that remain; never negative."""
        return max(0.0, self._end - time.monotonic())

    def leave_margin(self) -> Deadline:
        """Return the deadline for the requests of a part, so that the part can still report them on a busy machine."""
        return self.shorten(min(_MAX_MARGIN_S, self.seconds * _MARGIN_SHARE))

    def shorten(self, seconds: float) -> Deadline:
        """Return a deadline that is *seconds* earlier, but not in the past."""
        earlier = Deadline(max(0.0, self.remaining_s - seconds))
        earlier.seconds = max(0.0, self.seconds - seconds)
        return earlier


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """The ``value`` that a function returned after ``seconds``, or the ``error`` that it raised.

    Both are None if the function did not end before the deadline.
    """

    value: T | None
    error: Exception | None
    seconds: float

    @property
    def is_timeout(self) -> bool:
        return self.value is None and self.error is None


def run_all(functions: Mapping[K, Callable[[], T]], deadline: Deadline) -> dict[K, Outcome[T]]:
    """Call all *functions* at once, and return the outcome of each when all have ended, or at the *deadline*.

    A function must not return None. An exception of a function is an outcome.
    """
    queue: SimpleQueue[tuple[K, Outcome[T]]] = SimpleQueue()
    started = time.monotonic()

    def run(key: K, function: Callable[[], T]) -> None:
        try:
            outcome = Outcome(function(), None, time.monotonic() - started)
        except Exception as error:  # noqa: BLE001 — an exception in a thread would be lost
            outcome = Outcome(None, error, time.monotonic() - started)
        queue.put((key, outcome))

    for key, function in functions.items():
        Thread(target=run, args=(key, function), daemon=True).start()
    found: dict[K, Outcome[T]] = {}
    while len(found) < len(functions):
        try:
            key, outcome = queue.get(timeout=deadline.remaining_s)
        except Empty:
            break
        found[key] = outcome
    seconds = time.monotonic() - started
    return {key: found.get(key, Outcome(None, None, seconds)) for key in functions}
