"""Parsing of unsigned decimal integers from external text.

Kept apart: all layers use this module, and it imports nothing of dcmcfg.
"""

from __future__ import annotations

#: No limit in a standard has more digits, and Python refuses to convert thousands of digits.
_MAXIMUM_DIGITS = 20


def parse_unsigned_integer(text: str) -> int | None:
    """Return the number in *text*, or None if *text* does not consist of digits.

    Only the first 20 digits are used: such a number exceeds every limit anyway.
    """
    return int(text[:_MAXIMUM_DIGITS]) if text.isdecimal() else None
