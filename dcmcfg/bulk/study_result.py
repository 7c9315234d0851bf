"""What came of asking for one study, as it is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Verdict, Witness


class Outcome(Enum):
    """What came of it; the first two are a yes."""

    VERIFIED = "verified"  # our own receiver saw it
    REPORTED = "reported"  # the archive says so, nobody of ours listened
    NOT_VERIFIED = "not verified"
    NOT_ASKED = "not asked"  # no C-MOVE was sent: the query failed
    CANCELLED = "cancelled"  # by us
    OUTDATED = "outdated"  # a yes of before the tree was changed; never kept

    @property
    def is_yes(self) -> bool:
        """Whether that is what one hopes for."""
        return self in (Outcome.VERIFIED, Outcome.REPORTED)


@dataclass(frozen=True)
class Answer:
    """What came of one attempt, whatever is required; numbers are of instances, None where nobody said.

    ``route_why`` says what speaks for or against the route that was found, ``remark`` what was odd about the evidence.
    ``tree`` stands for what decided in the tree then (:mod:`~dcmcfg.bulk.session`), empty where nobody kept it.
    """

    outcome: Outcome
    headline: str
    status: int | None = None
    comment: str = ""
    expected: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    received: int | None = None
    route: str = ""
    route_why: str = ""
    next_step: str = ""
    remark: str = ""
    seconds: float = 0.0  # of the C-MOVE
    tree: str = ""


@dataclass(frozen=True)
class Attempt:
    """One attempt; ``answer`` is None where the run ended before there was one, ``final`` says that it stands."""

    started: datetime
    ended: datetime | None = None
    answer: Answer | None = None
    final: bool = False


@dataclass(frozen=True)
class StudyResult:
    """A study with every attempt at it, oldest first."""

    uid: str
    attempts: tuple[Attempt, ...] = ()
    answered: bool = False

    @property
    def answer(self) -> Answer | None:
        """The answer that stands; None where the study is still to be asked for."""
        standing = [each for each in self.attempts if each.final] if self.answered else []
        return standing[-1].answer if standing else None

    @property
    def last(self) -> Attempt | None:
        """The attempt whose answer stands, or the latest."""
        standing = [each for each in self.attempts if each.final] if self.answered else []
        return next(reversed(standing or self.attempts), None)

    def told(self, tell: Callable[[str], str]) -> StudyResult:
        """Return the result with what *tell* makes of the next step of each answer."""
        attempts = (
            replace(each, answer=replace(each.answer, next_step=tell(each.answer.next_step)))
            if each.answer is not None and each.answer.next_step
            else each
            for each in self.attempts
        )
        return replace(self, attempts=tuple(attempts))


def answer_of(verdict: Verdict, evidence: Evidence, known: Collection[str] = ()) -> Answer:
    """Return what is kept of a *verdict* that required nothing: the facts outlive what a run takes for enough.

    *known* are warnings about the whole run, which are kept of no study.
    """
    reported, received, outcome = verdict.reported, verdict.received, evidence.outcome
    if outcome.cancelled and not verdict.accepted:
        kind = Outcome.CANCELLED
    elif verdict.accepted:
        kind = Outcome.VERIFIED if verdict.verified else Outcome.REPORTED
    else:
        kind = Outcome.NOT_VERIFIED
    return Answer(
        kind,
        verdict.headline,
        status=reported.status,
        comment=reported.comment,
        expected=reported.expected,
        completed=reported.completed,
        failed=reported.failed,
        warning=reported.warning,
        received=None if received.finding is Witness.NOT_WITNESSED else received.number,
        route=verdict.route.finding.value,
        route_why="; ".join(verdict.route.reasons),
        next_step=next(iter(verdict.next_steps), ""),
        remark="; ".join(each for each in evidence.warnings if each not in known),
        seconds=outcome.seconds,
    )
