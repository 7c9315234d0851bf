"""A whole number that somebody else wrote, in decimal digits.

Kept apart: all layers use it, and it loads nothing of dcmcfg.
"""

from __future__ import annotations

#: No bound of a standard has more digits, and Python refuses to convert thousands of them.
_MAXIMUM_DIGITS = 20


def parse_unsigned_integer(text: str) -> int | None:
    """Return the number that *text* consists of, None where it is something else.

    Of more than 20 digits the first 20 count: the number is beyond every bound all the same.
    """
    return int(text[:_MAXIMUM_DIGITS]) if text.isdecimal() else None
