"""An archive that cannot be had for a while."""

from __future__ import annotations

from dataclasses import dataclass, field

from dcmcfg.bulk.pace import back_off

FIRST_S = 0.5
_LONGEST_S = 15.0


@dataclass
class Outage:
    """Since when there is no association, and when the next is tried. Not safe for several threads at once."""

    patience_s: float
    first_s: float = FIRST_S
    since: float | None = None
    _failures: int = field(default=0, repr=False)

    def failed(self, now: float, chance: float) -> float | None:
        """Note that no association could be had at *now*; return the moment of the next try, None when it is enough."""
        if self.since is None:
            self.since = now
        self._failures += 1
        left = self.since + self.patience_s - now
        if left <= 0:
            return None
        return now + min(back_off(self._failures, self.first_s, chance), _LONGEST_S, left)

    def is_too_long(self, now: float) -> bool:
        """Whether patience is at its end at *now*."""
        return self.since is not None and now - self.since >= self.patience_s

    def over(self, now: float) -> float | None:
        """Note that the archive answers at *now*; return the seconds that it did not, None if it was there."""
        lasted = None if self.since is None else now - self.since
        self.since, self._failures = None, 0
        return lasted
