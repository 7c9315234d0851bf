"""What is reported of a store, whatever the form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dcmcfg.bulk.answer import Outcome, StudyResult
from dcmcfg.bulk.asked import Asked
from dcmcfg.bulk.summary import Summary, summarised
from dcmcfg.timestamps import readable

_MOST_BINS = 60


@dataclass(frozen=True)
class Report:
    """The studies of a store with their answers, and what was asked of whom.

    ``asked_now`` is False where all answers are those of an earlier run. ``tree`` stands for what decides in the tree
    now, as :attr:`Answer.tree` does for then.
    """

    asked: Asked
    store: Path
    made: datetime
    results: tuple[StudyResult, ...]
    summary: Summary
    asked_now: bool = True
    tree: str = ""

    @staticmethod
    def of(
        asked: Asked,
        store: Path,
        results: Sequence[StudyResult],
        made: datetime,
        *,
        asked_now: bool = True,
        tree: str = "",
    ) -> Report:
        """Return the report on *results*."""
        return Report(asked, store, made, tuple(results), summarised(results), asked_now, tree)

    def told(self, tell: Callable[[str], str]) -> Report:
        """Return the report with what *tell* makes of each next step."""
        groups = tuple(replace(group, next_step=tell(group.next_step)) for group in self.summary.groups)
        results = tuple(each.told(tell) for each in self.results)
        return replace(self, results=results, summary=replace(self.summary, groups=groups))

    @property
    def headline(self) -> str:
        """The answer in one line: how many studies, and how many of each outcome."""
        summary = self.summary
        parts = [f"{number:,} {kind.value}" for kind, number in summary.counts.items()]
        if summary.open:
            parts.append(f"{summary.open:,} still to be asked")
        studies = "1 study" if summary.studies == 1 else f"{summary.studies:,} studies"
        alike = ", all for like reasons" if summary.all_alike else ""
        return f"{studies}: {', '.join(parts) or 'none asked'}{alike}{'' if self.asked_now else self._earlier()}"

    @property
    def of_another_tree(self) -> tuple[StudyResult, ...]:
        """The studies whose answer stands, and was given under another tree."""
        return tuple(each for each in self.results if each.answer is not None and each.answer.tree != self.tree)

    def _earlier(self) -> str:
        return f"; nothing asked now, answered until {readable(self.answered[1])}" if self.answered else ""

    @property
    def answered(self) -> tuple[datetime, datetime] | None:
        """When the first and the last of the answers that stand came; None where there is none."""
        ends = [each.last.ended for each in self.results if each.answer and each.last and each.last.ended]
        return (min(ends), max(ends)) if ends else None


@dataclass(frozen=True)
class Rate:
    """Answers in each of some equal times, from ``began`` on, by outcome."""

    began: datetime
    bin_s: float
    bins: tuple[dict[Outcome, int], ...]


def rate_of(results: Sequence[StudyResult]) -> Rate | None:
    """Return the answers that stand, in at most sixty times; None where there is none.

    Times in which the run stood still, between an end and its continuation, are there, and empty.
    """
    attempts = [attempt for each in results for attempt in each.attempts]
    moments = [
        (attempt.ended, attempt.answer.outcome)
        for attempt in attempts
        if attempt.final and attempt.ended is not None and attempt.answer is not None
    ]
    if not moments:
        return None
    began = min(attempt.started for attempt in attempts)
    span = max((max(moment for moment, _ in moments) - began).total_seconds(), 1.0)
    bin_s = _round(span / _MOST_BINS)
    bins: list[dict[Outcome, int]] = [{} for _ in range(int(span / bin_s) + 1)]
    for moment, outcome in moments:
        counts = bins[min(int((moment - began).total_seconds() / bin_s), len(bins) - 1)]
        counts[outcome] = counts.get(outcome, 0) + 1
    return Rate(began, bin_s, tuple(bins))


def _round(seconds: float) -> float:
    """Return the next larger time that people count in."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
    return next((step for step in steps if step >= seconds), seconds)
