"""What a run tells while it is under way."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.bulk.study_result import Answer


@dataclass(frozen=True)
class Answered:
    """A study has its answer."""

    uid: str
    answer: Answer


@dataclass(frozen=True)
class Again:
    """A study is asked for again, after *seconds*; ``why`` is a phrase."""

    uid: str
    why: str
    seconds: float


@dataclass(frozen=True)
class Strained:
    """The archive is short of something: all go slower."""

    why: str


@dataclass(frozen=True)
class Away:
    """The archive cannot be had; it is waited for, at most *patience_s*."""

    why: str
    patience_s: float


@dataclass(frozen=True)
class Back:
    """The archive answers again, after *seconds*."""

    seconds: float


@dataclass(frozen=True)
class Stopping:
    """The run was asked to stop: nothing new is asked for, and what is under way is cancelled."""


Event = Answered | Again | Strained | Away | Back | Stopping
