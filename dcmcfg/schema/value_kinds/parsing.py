"""Parse numbers and split texts in the same way as Java.

Kept apart: the kinds use this module and do not import each other.
"""

from __future__ import annotations

import re

INT_MINIMUM, INT_MAXIMUM = -(2**31), 2**31 - 1
LONG_MAXIMUM = 2**63 - 1
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_HEXADECIMAL = re.compile(r"[-+]?[0-9A-Fa-f]+", re.ASCII)
#: Longer texts are rejected without parsing them: only leading zeros can make a 32-bit integer as long.
_LONGEST = 40


def parse_int(text: str) -> int | None:
    """Return the number that ``Integer.parseInt`` returns, None if it fails."""
    return _check_int_range(int(text)) if _INTEGER.fullmatch(text) and len(text) <= _LONGEST else None


def parse_hexadecimal(text: str) -> int | None:
    """Return the number that ``Integer.parseInt`` with radix 16 returns, None if it fails."""
    return _check_int_range(int(text, 16)) if _HEXADECIMAL.fullmatch(text) and len(text) <= _LONGEST else None


def split_values(text: str, delimiter: str) -> list[str]:
    """Return *text* split at *delimiter*; an empty text has no parts (dcm4che's ``StringUtils.split``)."""
    return text.split(delimiter) if text else []


def split_key_and_value(text: str) -> tuple[str, str] | None:
    """Return the texts before and after the first ``=``, or None if there is no ``=``."""
    key, equals, value = text.partition("=")
    return (key, value) if equals else None


def _check_int_range(number: int) -> int | None:
    return number if INT_MINIMUM <= number <= INT_MAXIMUM else None
