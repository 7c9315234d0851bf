"""The report of a check: the result of each part, with its figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from dcmcfg.monitoring.metrics import PART_DURATION, PART_STATE, RUN_DURATION, SITE_STATE, Metric
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.state import NO_LIMIT, Limit, State, find_worst


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured ``value``; ``label_values`` are those of the labels of its metric, in their order.

    ``limit`` is in the unit of the metric.
    """

    metric: Metric
    value: float
    label_values: tuple[str, ...] = ()
    limit: Limit = NO_LIMIT


@dataclass(frozen=True, kw_only=True)
class PartResult:
    """The result of a part: its state, a ``summary`` of a few words, and a line in ``details`` for each problem."""

    part: Part
    state: State
    summary: str
    details: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SiteReport:
    """The results of all parts of a check of the site called ``site_name``, and the duration of the check.

    ``notes`` are warnings that do not change a state, such as one of a file that others can read.
    """

    site_name: str
    parts: tuple[PartResult, ...]
    seconds: float
    notes: tuple[str, ...] = ()

    @cached_property
    def state(self) -> State:
        """The worst state of the parts."""
        return find_worst(each.state for each in self.parts)

    def map_details(self, transform: Callable[[str], str]) -> SiteReport:
        """Return a copy with *transform* applied to the details of the parts."""
        parts = tuple(replace(each, details=tuple(map(transform, each.details))) for each in self.parts)
        return replace(self, parts=parts)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of all parts, after those of the check itself."""
        return (
            Figure(metric=SITE_STATE, value=self.state.exit_code),
            Figure(metric=RUN_DURATION, value=self.seconds),
            *(
                Figure(metric=PART_STATE, value=each.state.exit_code, label_values=(each.part.value,))
                for each in self.parts
            ),
            *(Figure(metric=PART_DURATION, value=each.seconds, label_values=(each.part.value,)) for each in self.parts),
            *(figure for each in self.parts for figure in each.figures),
        )
