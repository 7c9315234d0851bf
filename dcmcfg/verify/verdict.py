"""The verdict on one verification: three separate assessments, with a headline."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import Enum
from pathlib import Path


def format_instance_count(number: int) -> str:
    """Return ``1 instance``, ``2 instances``."""
    return f"{number} instance" if number == 1 else f"{number} instances"


class ReportFinding(Enum):
    """The result of the archive's own report."""

    SUCCESS = "success"  # 0000, every expected instance completed, nothing failed
    NO_SUCCESS = "no success"


class ReceiptFinding(Enum):
    """The result at the receiver of dcmcfg."""

    NOT_OBSERVED = "not observed"  # dcmcfg was not the receiver
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    UNCHECKED = "unchecked"  # instances arrived, but the expected ones are unknown


class RouteFinding(Enum):
    """Whether the instances came from the external archive by the configured route."""

    SHOWN = "shown"
    NOT_SHOWN = "not shown"
    NOT_TRIED = "not tried"  # the archive had the files itself
    CONTRADICTED = "contradicted"  # contradictory evidence, or another route


@dataclass(frozen=True, kw_only=True)
class ReportAssessment:
    """The archive's report; counters that it left out count as 0 (PS3.7 §9.3.4.2)."""

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
    """The received instances, compared as sets of SOP Instance UIDs."""

    finding: ReceiptFinding
    _: KW_ONLY
    instance_count: int = 0  # number of distinct instances, without unexpected ones
    missing: tuple[str, ...] = ()  # expected, did not arrive
    unexpected: tuple[str, ...] = ()  # arrived, not expected
    altered: tuple[str, ...] = ()  # arrived as another SOP class than listed, or not the same each time
    duplicates: tuple[str, ...] = ()  # arrived more than once
    corrupt: tuple[tuple[str, str], ...] = ()  # arrived, with the problem of each: not kept, unreadable
    stored_files: tuple[Path, ...] = ()  # kept
    unrelated_senders: tuple[str, ...] = ()  # senders of other studies at the same time (ignored)
    callers: tuple[str, ...] = ()  # callers of the receiver, as reported by them
    move_originators: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RouteAssessment:
    """The route of the instances, as far as the evidence shows it."""

    finding: RouteFinding
    configured_path: str  # the configured route in words
    shown_count: int = 0  # number of instances with a shown route
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict. ``exit_code`` is 0 or 1: a failure before the C-MOVE is an error, not a verdict.

    ``is_accepted`` corresponds to the exit code. ``is_verified`` also requires that the receiver of dcmcfg got the
    instances.
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
