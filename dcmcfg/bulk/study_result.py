"""The result of requesting one study, as stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from enum import Enum
from itertools import takewhile

from dcmcfg.errors import DcmcfgError
from dcmcfg.printable import capitalise_sentence
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import ReceiptFinding, Verdict

#: Start of a step that is for one of two cases, such as "if the study was purged: …".
_CASE_PREFIX = "if the study "


class VerificationOutcome(Enum):
    """The outcome of an attempt; the first two are successes."""

    VERIFIED = "verified"  # observed by dcmcfg's own receiver
    REPORTED = "reported"  # according to the archive only, not observed
    NOT_VERIFIED = "not verified"
    NOT_SENT = "not sent"  # no C-MOVE was sent: the query failed
    CANCELLED = "cancelled"  # by dcmcfg
    OUTDATED = "outdated"  # a success before a configuration change; never stored

    @property
    def is_success(self) -> bool:
        """Whether the outcome is a success."""
        return self in (VerificationOutcome.VERIFIED, VerificationOutcome.REPORTED)


@dataclass(frozen=True)
class AttemptResult:
    """The result of one attempt, without requirements; numbers count instances, None if unknown.

    ``route_reasons`` are the reasons for the route finding, ``evidence_warnings`` the problems of the evidence.
    ``configuration_checksum`` identifies the relevant configuration at that time (:mod:`~dcmcfg.bulk.session`), empty
    if it was not recorded. Field names are keys in a store: renaming a field requires a new format number of the store
    (:mod:`~dcmcfg.bulk.store_file`).
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
    """One recorded attempt; ``result`` is None if the run ended before it; ``is_final`` marks the study's result."""

    started: datetime
    ended: datetime | None = None
    result: AttemptResult | None = None
    is_final: bool = False


@dataclass(frozen=True)
class StudyResult:
    """A study with all its attempts, the oldest first."""

    study_uid: str
    attempts: tuple[RecordedAttempt, ...] = ()
    is_complete: bool = False

    @property
    def final_result(self) -> AttemptResult | None:
        """The final result, or None if the study is unfinished."""
        final_attempts = [each for each in self.attempts if each.is_final] if self.is_complete else []
        return final_attempts[-1].result if final_attempts else None

    @property
    def decisive_attempt(self) -> RecordedAttempt | None:
        """The attempt with the final result, or the latest attempt."""
        final_attempts = [each for each in self.attempts if each.is_final] if self.is_complete else []
        return next(reversed(final_attempts or self.attempts), None)

    def map_next_steps(self, transform: Callable[[str], str]) -> StudyResult:
        """Return the result with *transform* applied to the next step of each attempt."""
        attempts = (
            replace(each, result=replace(each.result, next_step=transform(each.result.next_step)))
            if each.result is not None and each.result.next_step
            else each
            for each in self.attempts
        )
        return replace(self, attempts=tuple(attempts))


def make_attempt_result(verdict: Verdict, evidence: Evidence, run_warnings: Collection[str] = ()) -> AttemptResult:
    """Return the result to store for a *verdict* without requirements, because requirements differ between runs.

    *run_warnings* are warnings about the whole run; they are not stored for each study.
    """
    reported, received, outcome = verdict.report, verdict.receipt, evidence.outcome
    # A success that ended before the C-CANCEL took effect counts as a success.
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
        next_step=_join_first_steps(verdict.next_steps),
        evidence_warnings="; ".join(each for each in evidence.warnings if each not in run_warnings),
        seconds=outcome.seconds,
    )


def _join_first_steps(steps: Sequence[str]) -> str:
    """Return the first of *steps*; for a step about one case, also the following steps about the other cases."""
    first = list(takewhile(lambda step: step.startswith(_CASE_PREFIX), steps)) or steps[:1]
    return ". ".join((*first[:1], *map(capitalise_sentence, first[1:])))


def make_unsent_result(error: DcmcfgError) -> AttemptResult:
    """Return the result of an attempt that ended with *error* before its C-MOVE was sent."""
    return AttemptResult(
        VerificationOutcome.NOT_SENT, f"no C-MOVE was sent: {error.message}", next_step=error.next_step
    )
