"""Format of schedules: hours and days of the week (the archive's ``ScheduleExpression``).

Kept apart: each kind of value is a module of its own (catalogue.py lists them).
"""

from __future__ import annotations

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import parse_int, split_values

_LIMITS = {"hour": 24, "dayOfWeek": 7}


def find_schedule_problem(text: str) -> str:
    """Return why *text* is not a schedule: ``hour=18-6 dayOfWeek=*``, with lists and ranges that may wrap around."""
    for part in split_values(text, " "):
        key, equals, ranges = part.partition("=")
        limit = _LIMITS.get(key)
        if not equals or limit is None:
            return "not a schedule: expected, for example, hour=18-6 dayOfWeek=1-5, with one space between the parts"
        if ranges != "*" and not all(_is_range(each, limit) for each in split_values(ranges, ",")):
            return f"not a schedule: {key} must be from 0 to {limit - 1}, as in {key}=0,2-4"
    return ""


def _is_range(text: str, limit: int) -> bool:
    ends = [parse_int(end) for end in text.split("-")]
    return len(ends) <= 2 and all(end is not None and 0 <= end < limit for end in ends)


SCHEDULE = ValueKind("schedule", "a schedule: hour=18-6 dayOfWeek=1-5 (0 is Sunday)", find_schedule_problem)
