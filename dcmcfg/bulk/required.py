"""What a run takes for enough, applied to answers when they are told: what is kept are facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dcmcfg.bulk.answer import Answer, Outcome, StudyResult
from dcmcfg.verify.verdict import RouteFinding

_PURGED = (
    "only purged studies show the route, by the external archive's own log: the same command with --external-log FILE "
    "and --again; dcmcfg verify --recall finds one that is purged"
)


@dataclass(frozen=True)
class Required:
    """Whether a yes takes the route shown."""

    route: bool = False

    def judged(self, answer: Answer) -> Answer:
        """Return *answer*, a yes being a no where it lacks what is required, with why and what to do."""
        if not self.route or not answer.outcome.is_yes or answer.route == RouteFinding.SHOWN.value:
            return answer
        why = f" ({answer.route_why})" if answer.route_why else ""
        not_tried = answer.route == RouteFinding.NOT_TRIED.value and answer.next_step
        headline = f"NOT verified: route {answer.route or 'not shown'}, and it is required{why}"
        return replace(answer, outcome=Outcome.NOT_VERIFIED, headline=headline, next_step=not_tried or _PURGED)

    def told(self, result: StudyResult) -> StudyResult:
        """Return *result* with each of its answers judged."""
        attempts = (
            each if each.answer is None else replace(each, answer=self.judged(each.answer)) for each in result.attempts
        )
        return replace(result, attempts=tuple(attempts))


NOTHING = Required()
