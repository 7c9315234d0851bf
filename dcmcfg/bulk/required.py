"""What a run takes for enough, applied to answers when they are told: what is kept are facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dcmcfg.bulk.answer import Answer, Outcome, StudyResult
from dcmcfg.verify.verdict import RouteFinding

_RECEIVE = "--receive or --temporary-dest has dcmcfg itself receive them"
_PURGED = (
    "only purged studies show the route, by the external archive's own log: the same command with --external-log FILE "
    "and --again; dcmcfg verify --recall finds one that is purged"
)


@dataclass(frozen=True)
class Required:
    """Whether a yes takes a witness of ours, or the route shown."""

    witness: bool = False
    route: bool = False

    def judged(self, answer: Answer) -> Answer:
        """Return *answer*, a yes being a no where it lacks what is required, with why and what to do."""
        lacks = tuple(self._lacks(answer)) if answer.outcome.is_yes else ()
        if not lacks:
            return answer
        headline = f"NOT verified: {'; '.join(why for why, _ in lacks)}"
        return replace(answer, outcome=Outcome.NOT_VERIFIED, headline=headline, next_step=lacks[0][1])

    def told(self, result: StudyResult) -> StudyResult:
        """Return *result* with each of its answers judged."""
        attempts = (
            each if each.answer is None else replace(each, answer=self.judged(each.answer)) for each in result.attempts
        )
        return replace(result, attempts=tuple(attempts))

    def _lacks(self, answer: Answer) -> Iterator[tuple[str, str]]:
        if self.witness and answer.outcome is not Outcome.VERIFIED:
            yield "reported, not witnessed, and a witness is required", _RECEIVE
        if self.route and answer.route != RouteFinding.SHOWN.value:
            why = f" ({answer.route_why})" if answer.route_why else ""
            not_tried = answer.route == RouteFinding.NOT_TRIED.value and answer.next_step
            yield f"route {answer.route or 'not shown'}, and it is required{why}", not_tried or _PURGED


NOTHING = Required()
