"""Sizes in octets (the archive's ``BinaryPrefix``).

Kept apart: each kind of value is a module of its own (catalogue.py lists them).
"""

from __future__ import annotations

import re

from dcmcfg.schema.value_kinds.durations import allow_schedule_prefix
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import LONG_MAXIMUM

_UNIT = "(?:K|[kMGTP]|[KMGTP]i)?B?"
_WHOLE = re.compile(rf"\+?([0-9]+){_UNIT}", re.ASCII)
#: What ``Double.parseDouble`` reads and ends in a digit. A sign ``-`` may follow a blank; alone it is refused.
_DECIMAL = r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_HEXADECIMAL = r"0[xX](?:[0-9a-fA-F]+\.[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+"
_FRACTION = re.compile(rf"(?:[\x00-\x20]+[+-]?|\+?)(?:{_DECIMAL}|{_HEXADECIMAL})(?<=[0-9]){_UNIT}", re.ASCII)


def find_size_problem(text: str) -> str:
    """Return why *text* is no size: digits, a unit from k to P or Ki to Pi, and B at the end if wanted."""
    whole = _WHOLE.fullmatch(text)
    if whole is not None and len(whole[1]) <= 40 and int(whole[1]) <= LONG_MAXIMUM:
        return ""
    if _FRACTION.fullmatch(text):
        return ""
    return "not a size: 100GB, 500MiB (K, M, G, T, P; only k may be a small letter)"


SIZE = ValueKind("size", "a size: 100GB, 500MiB", find_size_problem)
THRESHOLD = ValueKind(
    "deleter-threshold",
    "a size, a schedule may precede it: 100GB, [hour=18-6]1TB",
    allow_schedule_prefix(find_size_problem),
)
