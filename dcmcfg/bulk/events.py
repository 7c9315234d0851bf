"""Events that a run reports while it is in progress."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.bulk.study_result import AttemptResult


@dataclass(frozen=True)
class StudyFinished:
    """A study has a final result."""

    study_uid: str
    result: AttemptResult


@dataclass(frozen=True)
class RetryScheduled:
    """A study will be requested again after ``delay_s`` seconds; ``reason`` is a phrase."""

    study_uid: str
    reason: str
    delay_s: float


@dataclass(frozen=True)
class ArchiveOverloaded:
    """The archive is out of resources; all workers slow down."""

    reason: str


@dataclass(frozen=True)
class ArchiveUnavailable:
    """The archive is unavailable; the run waits for it, at most ``max_wait_s`` seconds."""

    reason: str
    max_wait_s: float


@dataclass(frozen=True)
class ArchiveAvailable:
    """The archive responds again, after ``outage_s`` seconds."""

    outage_s: float


@dataclass(frozen=True)
class RunStopping:
    """The run is stopping: no new studies are requested, and active requests are cancelled."""


RunEvent = StudyFinished | RetryScheduled | ArchiveOverloaded | ArchiveUnavailable | ArchiveAvailable | RunStopping
