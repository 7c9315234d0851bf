"""Formats of durations (the archive's ``Duration``) and periods (``java.time.Period``)."""

from __future__ import annotations

import re
from collections.abc import Callable

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import INT_MAXIMUM, INT_MINIMUM, LONG_MAXIMUM
from dcmcfg.schema.value_kinds.schedules import find_schedule_problem

_DURATION = re.compile(
    r"P(?=[0-9T])(?:([0-9]+)D)?(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+(?:[.,][0-9]{0,9})?)S)?)?",
    re.I | re.ASCII,
)
_SECONDS = (86400, 3600, 60, 1)
_PERIOD = re.compile(
    r"([-+]?)P(?=.)(?:([-+]?[0-9]+)Y)?(?:([-+]?[0-9]+)M)?(?:([-+]?[0-9]+)W)?(?:([-+]?[0-9]+)D)?", re.I | re.ASCII
)
_DAYS_IN_WEEK = 7


def parse_seconds(text: str) -> float | None:
    """Return the duration *text* in seconds, or None if *text* is not a duration."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    parts = [(part or "0").replace(",", ".") for part in match.groups()]
    # Java reads each number as a ``long``.
    if any(float(part) > LONG_MAXIMUM for part in parts):
        return None
    return sum(float(part) * unit for part, unit in zip(parts, _SECONDS, strict=True))


def find_duration_problem(text: str) -> str:
    """Return why *text* is not a duration; empty if it is one."""
    return (
        ""
        if parse_seconds(text) is not None
        else "not a duration: expected, for example, PT5M, PT30S, P1D or P1DT12H (no months, years or sign)"
    )


def find_period_problem(text: str) -> str:
    """Return why *text* is not a period; empty if it is one."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        return "not a period: expected, for example, P30D, P6M or P1Y (years, months, weeks, days)"
    sign = -1 if match[1] == "-" else 1
    years, months, weeks, days = (sign * int((part or "0")[:40]) for part in match.groups()[1:])
    # Java computes weeks and days with exact ``int`` arithmetic, so each intermediate result must fit (Period.parse).
    numbers = (years, months, weeks * _DAYS_IN_WEEK, days, weeks * _DAYS_IN_WEEK + days)
    return (
        "" if all(INT_MINIMUM <= number <= INT_MAXIMUM for number in numbers) else "not a period: a number is too large"
    )


def allow_schedule_prefix(check_value: Callable[[str], str]) -> Callable[[str], str]:
    """Return a check of a value with an optional schedule in brackets before it, as in ``[hour=18-6]P30D``."""

    def problem(text: str) -> str:
        before, bracket, after = text.partition("]")
        if not bracket:
            return check_value(text)
        if before.count("[") != 1 or "]" in after:
            return "expected at most one schedule in brackets before the value, as in [hour=18-6]P30D"
        # The archive ignores text before ``[``, which only orders thresholds: ``1[hour=18-6]100GB`` (they are sorted as
        # text).
        return find_schedule_problem(before.partition("[")[2]) or check_value(after)

    return problem


DURATION = ValueKind("duration", "a duration: PT5M, P1DT12H", find_duration_problem)
PERIOD = ValueKind("period", "a period: P30D, P1Y6M", find_period_problem)
RETENTION = ValueKind(
    "retention-period",
    "a period with an optional schedule: P30D, [hour=18-6]P30D",
    allow_schedule_prefix(find_period_problem),
)
