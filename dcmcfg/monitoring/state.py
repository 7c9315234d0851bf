"""The states of a monitoring plugin, and limits for figures.

The states and their exit codes are those of the Monitoring Plugins Development Guidelines, as are the limits: a figure
outside its limit raises the state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """The state of a part or of a site; the value is its word in the output."""

    OK = "OK"
    WARNING = "WARNING"
    UNKNOWN = "UNKNOWN"
    CRITICAL = "CRITICAL"

    @property
    def exit_code(self) -> int:
        """The exit code of a plugin with this state: 0 to 3."""
        return _EXIT_CODES[self]


_EXIT_CODES = {State.OK: 0, State.WARNING: 1, State.CRITICAL: 2, State.UNKNOWN: 3}
#: The worst last. UNKNOWN is worse than WARNING, because it can hide a critical state.
_SEVERITY = tuple(State)


def find_worst(states: Iterable[State]) -> State:
    """Return the worst of *states*: CRITICAL, then UNKNOWN, WARNING and OK; OK without states."""
    return max(states, key=_SEVERITY.index, default=State.OK)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The last acceptable values of a figure: ``warning`` and ``critical``, None for no limit.

    They are maxima, or with ``is_minimum`` minima.
    """

    warning: float | None = None
    critical: float | None = None
    is_minimum: bool = False

    def judge(self, value: float) -> State:
        """Return the state of a figure with this *value*."""
        if self._is_exceeded(value, self.critical):
            return State.CRITICAL
        return State.WARNING if self._is_exceeded(value, self.warning) else State.OK

    def multiply(self, factor: float) -> Limit:
        """Return the limit in another unit, such as seconds in place of days."""
        return Limit(
            warning=None if self.warning is None else self.warning * factor,
            critical=None if self.critical is None else self.critical * factor,
            is_minimum=self.is_minimum,
        )

    def _is_exceeded(self, value: float, bound: float | None) -> bool:
        if bound is None:
            return False
        return value < bound if self.is_minimum else value > bound


NO_LIMIT = Limit()
