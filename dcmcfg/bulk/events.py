"""What a run tells while it is under way."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.bulk.study_result import AttemptResult


@dataclass(frozen=True)
class StudyFinished:
    """A study has its answer."""

    study_uid: str
    result: AttemptResult


@dataclass(frozen=True)
class RetryScheduled:
    """A study is asked for again, after ``delay_s``; ``reason`` is a phrase."""

    study_uid: str
    reason: str
    delay_s: float


@dataclass(frozen=True)
class ArchiveOverloaded:
    """The archive is short of something: all go slower."""

    reason: str


@dataclass(frozen=True)
class ArchiveUnavailable:
    """The archive is unavailable; the run waits for it, at most ``max_wait_s``."""

    reason: str
    max_wait_s: float


@dataclass(frozen=True)
class ArchiveAvailable:
    """The archive answers again, after ``outage_s``."""

    outage_s: float


@dataclass(frozen=True)
class RunStopping:
    """The run was asked to stop: nothing new is asked for, and what is under way is cancelled."""


RunEvent = StudyFinished | RetryScheduled | ArchiveOverloaded | ArchiveUnavailable | ArchiveAvailable | RunStopping
