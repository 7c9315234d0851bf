"""Format of sizes in octets (the archive's ``BinaryPrefix``).

Kept apart: each kind of value is a module of its own (catalogue.py lists them).
"""

from __future__ import annotations

import re

from dcmcfg.schema.value_kinds.durations import allow_schedule_prefix
from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import LONG_MAXIMUM

_UNIT = "(?:K|[kMGTP]|[KMGTP]i)?B?"
_WHOLE = re.compile(rf"\+?([0-9]+){_UNIT}", re.ASCII)
#: Texts that ``Double.parseDouble`` accepts and that end with a digit. A ``-`` is accepted only after a blank.
_DECIMAL = r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_HEXADECIMAL = r"0[xX](?:[0-9a-fA-F]+\.[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+"
_FRACTION = re.compile(rf"(?:[\x00-\x20]+[+-]?|\+?)(?:{_DECIMAL}|{_HEXADECIMAL})(?<=[0-9]){_UNIT}", re.ASCII)


def find_size_problem(text: str) -> str:
    """Return why *text* is not a size: digits, a unit from k to P or Ki to Pi, and an optional B at the end."""
    whole = _WHOLE.fullmatch(text)
    if whole is not None and len(whole[1]) <= 40 and int(whole[1]) <= LONG_MAXIMUM:
        return ""
    if _FRACTION.fullmatch(text):
        return ""
    return "not a size: expected, for example, 100GB or 500MiB (K, M, G, T, P; only k may be lower case)"


SIZE = ValueKind("size", "a size: 100GB, 500MiB", find_size_problem)
THRESHOLD = ValueKind(
    "deleter-threshold",
    "a size with an optional schedule: 100GB, [hour=18-6]1TB",
    allow_schedule_prefix(find_size_problem),
)
