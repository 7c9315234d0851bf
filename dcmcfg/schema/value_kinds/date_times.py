"""Format of dates with times (DICOM's DT, as dcm4che's ``DateUtils.parseDT`` parses it).

Kept apart: each kind of value is a module of its own (catalogue.py lists them).
"""

from __future__ import annotations

import re

from dcmcfg.schema.value_kinds.kind import ValueKind

_DATE_TIME = re.compile(
    r"[0-9]{4}(?:[^0-9]?[0-9]{2}(?:[^0-9]?[0-9]{2}(?:[0-9]{2}(?:[^0-9]?[0-9]{2}(?:[^0-9]?[0-9]{2}(?:\.[0-9]*)?)?)?)?)?)?"
    r"(?:[+-][0-9]{4})?",
    re.ASCII,
)


def find_date_time_problem(text: str) -> str:
    """Return why *text* is not a date with time; months and days that do not exist are accepted."""
    return "" if _DATE_TIME.fullmatch(text) else "not a date and time: expected a form such as 20260131235959"


DATE_TIME = ValueKind("date-time", "a date and time: 20260131235959", find_date_time_problem)
