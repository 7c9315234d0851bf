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
    """A study is asked for again, after *seconds*; ``reason`` is a phrase."""

    study_uid: str
    reason: str
    delay_s: float


@dataclass(frozen=True)
class ArchiveOverloaded:
    """The archive is short of something: all go slower."""

    reason: str


@dataclass(frozen=True)
class ArchiveUnavailable:
    """The archive cannot be had; it is waited for, at most *patience_s*."""

    reason: str
    max_wait_s: float


@dataclass(frozen=True)
class ArchiveAvailable:
    """The archive answers again, after *seconds*."""

    outage_s: float


@dataclass(frozen=True)
class RunStopping:
    """The run was asked to stop: nothing new is asked for, and what is under way is cancelled."""


RunEvent = StudyFinished | RetryScheduled | ArchiveOverloaded | ArchiveUnavailable | ArchiveAvailable | RunStopping
