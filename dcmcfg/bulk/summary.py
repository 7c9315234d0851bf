"""What a store says in sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dcmcfg.bulk.answer import Outcome, StudyResult
from dcmcfg.bulk.grouping import Group, groups
from dcmcfg.bulk.required import may_be_mended
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
