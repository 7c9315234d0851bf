"""Which study is asked for next."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable


class Schedule:
    """Studies in their order, and those that are to be asked for again at a later moment.

    Moments are seconds of one clock. Not safe for several threads at once.
    """

    def __init__(self, uids: Iterable[str]) -> None:
        self._waiting = deque(uids)
        self._later: list[tuple[float, int, str]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._later)

    def ready(self, now: float) -> int:
        """Return how many studies can be taken at *now*."""
        return len(self._waiting) + sum(moment <= now for moment, _, _ in self._later)

    def take(self, now: float, *, another: bool = False) -> str | None:
        """Return the study to ask for at *now*; None when there is none yet.

        One whose moment has come goes first, but with *another* after those that wait.
        """
        if self._later and self._later[0][0] <= now and not (another and self._waiting):
            return heapq.heappop(self._later)[2]
        return self._waiting.popleft() if self._waiting else None

    def due(self) -> float | None:
        """Return the moment at which the next study can be taken; None when there is none."""
        if self._waiting:
            return 0.0
        return self._later[0][0] if self._later else None

    def back(self, uid: str) -> None:
        """Put a study that was taken, and not asked for, in front again."""
        self._waiting.appendleft(uid)

    def last(self, uid: str) -> None:
        """Have a study asked for again after all that wait."""
        self._waiting.append(uid)

    def later(self, uid: str, moment: float) -> None:
        """Have a study asked for again at *moment*."""
        self._number += 1
        heapq.heappush(self._later, (moment, self._number, uid))
