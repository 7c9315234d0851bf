"""Formats of whole numbers within bounds, and of ports."""

from __future__ import annotations

from dcmcfg.schema.value_kinds.kind import ValueKind
from dcmcfg.schema.value_kinds.parsing import INT_MAXIMUM, INT_MINIMUM

_MAXIMUM_PORT = 65535
#: The ``dicomPort`` of a connection that does not listen (``Connection.NOT_LISTENING``).
NOT_LISTENING = -1
#: Longer numbers are cut off: they still exceed every bound, and a hostile file cannot slow down the check.
_LONGEST = 40


def build_integer_kind(low: int = INT_MINIMUM, high: int = INT_MAXIMUM) -> ValueKind:
    """Return the kind of whole numbers from *low* to *high*, by default the range of Java's ``int``."""
    if high < INT_MAXIMUM or (low > INT_MINIMUM and high > INT_MAXIMUM):
        bounds = f"from {low} to {high}"
    else:
        bounds = f"{low} or more" if low > INT_MINIMUM else "of 32 bits"

    def problem(text: str) -> str:
        number = _parse_number(text)
        if number is None:
            return "not a whole number"
        if low <= number <= high:
            return ""
        return (
            f"it must be {bounds}"
            if INT_MINIMUM <= number <= INT_MAXIMUM or high > INT_MAXIMUM
            else "the number does not fit into 32 bits"
        )

    return ValueKind("integer", f"a whole number {bounds}", problem)


def find_port_problem(text: str) -> str:
    """Return why *text* is not a TCP or UDP port; -1 stands for a connection that does not listen."""
    number = _parse_number(text)
    if number is not None and (1 <= number <= _MAXIMUM_PORT or number == NOT_LISTENING):
        return ""
    return f"a port must be a number from 1 to {_MAXIMUM_PORT}"


def _parse_number(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("-", "+") else text
    return int(text[:_LONGEST]) if digits.isascii() and digits.isdigit() else None


PORT = ValueKind("port", f"a TCP port, 1 to {_MAXIMUM_PORT}", find_port_problem)
