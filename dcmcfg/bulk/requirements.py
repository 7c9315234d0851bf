"""What a run takes for enough, applied to answers when they are told: what is kept are facts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dcmcfg.bulk.study_result import Answer, Outcome, StudyResult
from dcmcfg.verify.verdict import RouteFinding

_NOT_SHOWN = (
    "the archive's database (--archive-url) or the external archive's log (--external-log FILE) can show the route of "
    "a purged study: run the same command again with one of them and --again"
)
_LOCAL = "a local study proves nothing about external retrieve, however often it is sent: "
_CHANGED = "answered before the tree was changed in what decides about it"
_NOT_KNOWN = "answered by a dcmcfg that did not keep under which tree"


@dataclass(frozen=True)
class Required:
    """Whether a yes takes the route shown, and under which ``tree`` it must have been given; None is any.

    ``recall`` is the command that looks for a study with which the route can be shown.
    """

    route: bool = False
    tree: str | None = None
    recall: str = "dcmcfg verify --recall"

    def judged(self, answer: Answer) -> Answer:
        """Return *answer*, a yes being none where it lacks what is required, with why and what to do."""
        if not answer.outcome.is_yes:
            return answer
        if self.tree is not None and answer.tree != self.tree:
            why = _CHANGED if answer.tree else _NOT_KNOWN
            return replace(answer, outcome=Outcome.OUTDATED, headline=f"{why}: {answer.headline}", next_step="")
        if not self.route or answer.route == RouteFinding.SHOWN.value:
            return answer
        why = f" ({answer.route_why})" if answer.route_why else ""
        headline = f"NOT verified: route {answer.route or 'not shown'}, and it is required{why}"
        local = f"{_LOCAL}{self.recall} finds a purged one"
        next_step = local if answer.route == RouteFinding.NOT_TRIED.value else _NOT_SHOWN
        return replace(answer, outcome=Outcome.NOT_VERIFIED, headline=headline, next_step=next_step)

    def told(self, result: StudyResult) -> StudyResult:
        """Return *result* with the answer that stands judged."""
        attempts = (
            replace(each, answer=self.judged(each.answer)) if each.final and each.answer else each
            for each in result.attempts
        )
        return replace(result, attempts=tuple(attempts))


def may_be_mended(answer: Answer) -> bool:
    """Tell whether asking for it once more may make a yes of a no: not where only the route is not shown."""
    if answer.outcome.is_yes or answer.outcome is Outcome.OUTDATED:
        return False
    return not answer.next_step.startswith((_LOCAL, _NOT_SHOWN))


NOTHING = Required()
