"""Failures that are alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.bulk.study_result import AttemptResult, StudyResult

_UID = re.compile(r"\b[0-9]+(?:\.[0-9]+){3,}\b")
_NUMBER = re.compile(r"\b[0-9]+\b")
_NOT_VERIFIED_PREFIX = "NOT verified: "


@dataclass(frozen=True)
class FailureGroup:
    """Studies that failed in like manner; ``reason`` and ``next_step`` are the first one's, in its words.

    Its Study Instance UID is not named in these: they are of all.
    """

    reason: str
    next_step: str
    studies: tuple[StudyResult, ...]


def group_failures(results: Iterable[StudyResult]) -> tuple[FailureGroup, ...]:
    """Return the studies whose answer is no, those that are most alike together; the largest group first.

    Alike are reasons that differ in numbers and UIDs only, with next steps that do.
    """
    alike: dict[tuple[str, str], list[StudyResult]] = {}
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for result in results:
        answer = result.final_result
        if answer is not None and not answer.outcome.is_success:
            key = get_reason_pattern(answer), _replace_numbers(answer.next_step)
            alike.setdefault(key, []).append(result)
            first.setdefault(key, _remove_own_uid(result.study_uid, answer))
    by_size = sorted(alike, key=lambda key: -len(alike[key]))
    return tuple(FailureGroup(*first[key], tuple(alike[key])) for key in by_size)


def _remove_own_uid(uid: str, answer: AttemptResult) -> tuple[str, str]:
    """Return reason and next step without the study's own *uid*."""
    own = rf"(?<![0-9.]){re.escape(uid)}(?![0-9]|\.[0-9])"

    def of_all(words: str) -> str:
        return re.sub(own, "UID", re.sub(rf"\bno study {own}", "no such study", words))

    return of_all(get_failure_reason(answer)), of_all(answer.next_step)


def get_reason_pattern(answer: AttemptResult) -> str:
    """Return what answers have in common that are no for like reasons."""
    return _replace_numbers(get_failure_reason(answer))


def _replace_numbers(text: str) -> str:
    return _NUMBER.sub("N", _UID.sub("UID", text))


def get_failure_reason(answer: AttemptResult) -> str:
    """Return why it is no."""
    return answer.headline.removeprefix(_NOT_VERIFIED_PREFIX)
