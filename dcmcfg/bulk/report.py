"""What is reported of a store, whatever the form.

What a store says in sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dcmcfg.bulk.failure_groups import Group, groups
from dcmcfg.bulk.requirements import may_be_mended
from dcmcfg.bulk.run_options import Asked
from dcmcfg.bulk.study_result import Outcome, StudyResult
from dcmcfg.timestamps import readable
from dcmcfg.verify.verdict import RouteFinding

_SLOWEST = 5


@dataclass(frozen=True)
class Summary:
    """Numbers of studies by outcome; ``open`` are those without an answer yet."""

    studies: int
    counts: dict[Outcome, int]
    open: int
    attempts: int
    unanswered: int  # attempts whose run ended before there was an answer
    retried: int  # attempts that were answered, and made again
    groups: tuple[Group, ...]
    slowest: tuple[StudyResult, ...]
    began: datetime | None
    routes: dict[str, int]  # answers that stand, by what was found of the route
    not_shown: int  # of the answers that are a yes, those whose route is not shown
    mendable: int  # answers of no that asking again may turn into a yes
    instances: int  # completed, by the archive's account, in the answers that stand

    @property
    def all_yes(self) -> bool:
        """Whether every study has its answer, and it is yes."""
        return self.studies > 0 and self.open == 0 and all(kind.is_yes for kind in self.counts)

    @property
    def all_witnessed(self) -> bool:
        """Whether every study has its answer, and our own receiver saw each."""
        return self.all_yes and set(self.counts) == {Outcome.VERIFIED}

    @property
    def all_alike(self) -> bool:
        """Whether there are several studies, and the answer to each is no for like reasons."""
        if Outcome.OUTDATED in self.counts:
            return False
        return self.studies > 1 and [len(group.studies) for group in self.groups] == [self.studies]


def summarised(results: Sequence[StudyResult], slowest: int = _SLOWEST) -> Summary:
    """Return the summary of *results*, with so many of the *slowest* studies."""
    answers = [(each, each.answer) for each in results]
    known = [(each, answer) for each, answer in answers if answer is not None]
    attempts = [attempt for each in results for attempt in each.attempts]
    counts = Counter(answer.outcome for _, answer in known)
    by_time = sorted(known, key=lambda pair: -pair[1].seconds)
    return Summary(
        studies=len(results),
        counts={kind: counts[kind] for kind in Outcome if counts[kind]},
        open=len(results) - len(known),
        attempts=len(attempts),
        unanswered=sum(attempt.answer is None for attempt in attempts),
        retried=sum(map(_made_again, results)),
        groups=groups(results),
        slowest=tuple(each for each, answer in by_time[:slowest] if answer.seconds > 0),
        began=min((attempt.started for attempt in attempts), default=None),
        routes=dict(Counter(answer.route for _, answer in known if answer.route).most_common()),
        not_shown=sum(each.outcome.is_yes and each.route == RouteFinding.NOT_SHOWN.value for _, each in known),
        mendable=sum(may_be_mended(answer) for _, answer in known),
        instances=sum(answer.completed or 0 for _, answer in known),
    )


def _made_again(result: StudyResult) -> int:
    """Return how many attempts were answered, and followed by another."""
    followed = result.attempts if result.answer else result.attempts[:-1]
    return sum(attempt.answer is not None and not attempt.final for attempt in followed)


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
