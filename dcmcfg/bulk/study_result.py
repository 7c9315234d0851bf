"""What came of asking for one study, as it is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from enum import Enum

from dcmcfg.errors import DcmcfgError
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import ReceiptFinding, Verdict


class VerificationOutcome(Enum):
    """What came of it; the first two are a yes."""

    VERIFIED = "verified"  # our own receiver saw it
    REPORTED = "reported"  # the archive says so, nobody of ours listened
    NOT_VERIFIED = "not verified"
    NOT_SENT = "not sent"  # no C-MOVE was sent: the query failed
    CANCELLED = "cancelled"  # by us
    OUTDATED = "outdated"  # a yes of before the tree was changed; never kept

    @property
    def is_success(self) -> bool:
        """Whether that is what one hopes for."""
        return self in (VerificationOutcome.VERIFIED, VerificationOutcome.REPORTED)


@dataclass(frozen=True)
class AttemptResult:
    """What came of one attempt, whatever is required; numbers are of instances, None where nobody said.

    ``route_reasons`` says what speaks for or against the route that was found, ``evidence_warnings`` what was odd about
    the evidence. ``configuration_checksum`` stands for what decided in the tree then (:mod:`~dcmcfg.bulk.session`),
    empty where nobody kept it. The names of the fields are keys in a store: a renamed one raises the store's format
    number (:mod:`~dcmcfg.bulk.store_file`).
    """

    outcome: VerificationOutcome
    headline: str
    _: KW_ONLY
    status: int | None = None
    comment: str = ""
    expected: int | None = None
    completed: int | None = None
    failed: int | None = None
    warning: int | None = None
    received: int | None = None
    route_finding: str = ""
    route_reasons: str = ""
    next_step: str = ""
    evidence_warnings: str = ""
    seconds: float = 0.0  # of the C-MOVE
    configuration_checksum: str = ""


@dataclass(frozen=True)
class RecordedAttempt:
    """One attempt; ``result`` is None where the run ended before there was one, ``is_final`` says that it stands."""

    started: datetime
    ended: datetime | None = None
    result: AttemptResult | None = None
    is_final: bool = False


@dataclass(frozen=True)
class StudyResult:
    """A study with every attempt at it, oldest first."""

    study_uid: str
    attempts: tuple[RecordedAttempt, ...] = ()
    is_complete: bool = False

    @property
    def final_result(self) -> AttemptResult | None:
        """The answer that stands; None where the study is still to be asked for."""
        final_attempts = [each for each in self.attempts if each.is_final] if self.is_complete else []
        return final_attempts[-1].result if final_attempts else None

    @property
    def decisive_attempt(self) -> RecordedAttempt | None:
        """The attempt whose answer stands, or the latest."""
        final_attempts = [each for each in self.attempts if each.is_final] if self.is_complete else []
        return next(reversed(final_attempts or self.attempts), None)

    def map_next_steps(self, transform: Callable[[str], str]) -> StudyResult:
        """Return the result with what *transform* makes of the next step of each answer."""
        attempts = (
            replace(each, result=replace(each.result, next_step=transform(each.result.next_step)))
            if each.result is not None and each.result.next_step
            else each
            for each in self.attempts
        )
        return replace(self, attempts=tuple(attempts))


def make_attempt_result(verdict: Verdict, evidence: Evidence, run_warnings: Collection[str] = ()) -> AttemptResult:
    """Return what is kept of a *verdict* that required nothing: the facts outlive what a run takes for enough.

    *run_warnings* are warnings about the whole run, which are kept of no study.
    """
    reported, received, outcome = verdict.report, verdict.receipt, evidence.outcome
    if outcome.cancelled and not verdict.is_accepted:
        verification_outcome = VerificationOutcome.CANCELLED
    elif verdict.is_accepted:
        verification_outcome = VerificationOutcome.VERIFIED if verdict.is_verified else VerificationOutcome.REPORTED
    else:
        verification_outcome = VerificationOutcome.NOT_VERIFIED
    return AttemptResult(
        verification_outcome,
        verdict.headline,
        status=reported.status,
        comment=reported.comment,
        expected=reported.expected_count,
        completed=reported.completed,
        failed=reported.failed,
        warning=reported.warning,
        received=None if received.finding is ReceiptFinding.NOT_OBSERVED else received.instance_count,
        route_finding=verdict.route.finding.value,
        route_reasons="; ".join(verdict.route.reasons),
        next_step=next(iter(verdict.next_steps), ""),
        evidence_warnings="; ".join(each for each in evidence.warnings if each not in run_warnings),
        seconds=outcome.seconds,
    )


def make_unsent_result(error: DcmcfgError) -> AttemptResult:
    """Return the result of an attempt that ended with *error* before its C-MOVE was sent."""
    return AttemptResult(
        VerificationOutcome.NOT_SENT, f"no C-MOVE was sent: {error.message}", next_step=error.next_step
    )
