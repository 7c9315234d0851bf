"""Group studies with similar failures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.bulk.requirements import lacks_only_route
from dcmcfg.bulk.study_result import AttemptResult, StudyResult

_UID = re.compile(r"\b[0-9]+(?:\.[0-9]+){3,}\b")
_NUMBER = re.compile(r"\b[0-9]+\b")
_NOT_VERIFIED_PREFIX = "NOT verified: "


@dataclass(frozen=True)
class FailureGroup:
    """Studies with similar failures; ``reason`` and ``next_step`` come from the first study.

    They do not contain its Study Instance UID, because they apply to all studies of the group. With
    ``lacks_only_route``, the studies were delivered, and only the required route is not shown.
    """

    reason: str
    next_step: str
    studies: tuple[StudyResult, ...]
    lacks_only_route: bool = False


def group_failures(results: Iterable[StudyResult]) -> tuple[FailureGroup, ...]:
    """Return the failed studies in groups of similar failures, the largest group first.

    Failures are similar if their reasons and next steps differ only in numbers and UIDs.
    """
    groups: dict[tuple[str, str], list[StudyResult]] = {}
    first_texts: dict[tuple[str, str], tuple[str, str]] = {}
    delivered: set[tuple[str, str]] = set()
    for result in results:
        final_result = result.final_result
        if final_result is not None and not final_result.outcome.is_success:
            key = get_reason_pattern(final_result), _replace_numbers(final_result.next_step)
            groups.setdefault(key, []).append(result)
            first_texts.setdefault(key, _remove_own_uid(result.study_uid, final_result))
            if lacks_only_route(final_result):
                delivered.add(key)
    by_size = sorted(groups, key=lambda key: -len(groups[key]))
    return tuple(
        FailureGroup(*first_texts[key], tuple(groups[key]), lacks_only_route=key in delivered) for key in by_size
    )


def _remove_own_uid(uid: str, result: AttemptResult) -> tuple[str, str]:
    """Return reason and next step without the study's own *uid*."""
    # The lookarounds prevent a match inside a longer UID.
    uid_pattern = rf"(?<![0-9.]){re.escape(uid)}(?![0-9]|\.[0-9])"

    def replace_uid(text: str) -> str:
        return re.sub(uid_pattern, "UID", re.sub(rf"\bno study {uid_pattern}", "no such study", text))

    return replace_uid(get_failure_reason(result)), replace_uid(result.next_step)


def get_reason_pattern(result: AttemptResult) -> str:
    """Return the text that results with similar reasons have in common."""
    return _replace_numbers(get_failure_reason(result))


def _replace_numbers(text: str) -> str:
    # UIDs are replaced first, because each of their components is a number too.
    return _NUMBER.sub("N", _UID.sub("UID", text))


def get_failure_reason(result: AttemptResult) -> str:
    """Return the reason of a failed *result*."""
    return result.headline.removeprefix(_NOT_VERIFIED_PREFIX)
