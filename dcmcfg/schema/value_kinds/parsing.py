"""Splitting and numbers as Java reads them. Kept apart: the kinds use it and do not import one another."""

from __future__ import annotations

import re

INT_MINIMUM, INT_MAXIMUM = -(2**31), 2**31 - 1
LONG_MAXIMUM = 2**63 - 1
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_HEXADECIMAL = re.compile(r"[-+]?[0-9A-Fa-f]+", re.ASCII)
#: A 32-bit integer has no more digits than these, leading zeros aside.
_LONGEST = 40


def parse_int(text: str) -> int | None:
    """Return the number that ``Integer.parseInt`` returns, None where it fails."""
    return _check_int_range(int(text)) if _INTEGER.fullmatch(text) and len(text) <= _LONGEST else None


def parse_hexadecimal(text: str) -> int | None:
    """Return the number that ``Integer.parseInt`` with radix 16 returns, None where it fails."""
    return _check_int_range(int(text, 16)) if _HEXADECIMAL.fullmatch(text) and len(text) <= _LONGEST else None


def split_values(text: str, delimiter: str) -> list[str]:
    """Return the parts of *text* between *delimiter*; an empty text has none (dcm4che's ``StringUtils.split``)."""
    return text.split(delimiter) if text else []


def split_key_and_value(text: str) -> tuple[str, str] | None:
    """Return what is before and after the first ``=``; None where there is none."""
    key, equals, value = text.partition("=")
    return (key, value) if equals else None


def _check_int_range(number: int) -> int | None:
    return number if INT_MINIMUM <= number <= INT_MAXIMUM else None
