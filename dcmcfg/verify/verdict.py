"""The verdict on one verification: three parts, each by itself, with a headline."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum
from pathlib import Path


def format_instance_count(number: int) -> str:
    """Return ``1 instance``, ``2 instances``."""
    return f"{number} instance" if number == 1 else f"{number} instances"


class ReportFinding(Enum):
    """What the archive's own answer amounts to."""

    SUCCESS = "success"  # 0000, every expected instance completed, nothing failed
    NO_SUCCESS = "no success"


class ReceiptFinding(Enum):
    """What our own receiver saw."""

    NOT_OBSERVED = "not observed"  # nobody of ours listened
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNCHECKED = "unchecked"  # something came, but nobody knows what should have come


class RouteFinding(Enum):
    """Whether the instances came from the external archive by the configured way."""

    SHOWN = "shown"
    NOT_SHOWN = "not shown"
    NOT_TRIED = "not tried"  # the archive had the files itself
    CONTRADICTED = "contradicted"  # pieces of the evidence exclude each other, or the way was another one


@dataclass(frozen=True, kw_only=True)
class ReportAssessment:
    """What the archive reported; counters that it left out count as 0 (PS3.7 §9.3.4.2)."""

    finding: ReportFinding
    status: int | None
    meaning: str
    comment: str
    completed: int
    failed: int
    warning: int
    expected_count: int | None
    reasons: tuple[str, ...] = ()

    @property
    def is_success(self) -> bool:
        return self.finding is ReportFinding.SUCCESS


@dataclass(frozen=True)
class ReceiptAssessment:
    """What arrived, by SOP Instance UID compared as sets."""

    finding: ReceiptFinding
    _: KW_ONLY
    instance_count: int = 0  # of distinct instances, foreign ones left out
    missing: tuple[str, ...] = ()  # expected, did not arrive
    unexpected: tuple[str, ...] = ()  # arrived, not expected
    altered: tuple[str, ...] = ()  # arrived as another SOP class than listed, or not the same each time
    duplicates: tuple[str, ...] = ()  # arrived more than once
    corrupt: tuple[tuple[str, str], ...] = ()  # arrived, with what is wrong with each: not kept, does not read
    stored_files: tuple[Path, ...] = ()  # kept
    unrelated_senders: tuple[str, ...] = ()  # who sent something else on their own account, which counts for nothing
    callers: tuple[str, ...] = ()  # who called the receiver, by their own account
    move_originators: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RouteAssessment:
    """By which way the instances came, as far as the evidence goes."""

    finding: RouteFinding
    configured_path: str  # the configured way in words
    shown_count: int = 0  # for how many of them the way is shown
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The answer. ``exit_code`` is 0 or 1: whatever happens before a C-MOVE is an error, not a verdict.

    ``is_accepted`` is what the exit code says; ``is_verified`` is more, namely that our own receiver saw it.
    """

    headline: str
    is_accepted: bool
    report: ReportAssessment
    receipt: ReceiptAssessment
    route: RouteAssessment
    next_steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_verified(self) -> bool:
        return self.is_accepted and self.receipt.finding is ReceiptFinding.COMPLETE

    @property
    def exit_code(self) -> int:
        return 0 if self.is_accepted else 1
