"""The type of a kind of value: its description, and the check that the archive's parser makes.

Kept apart: all kinds use it; in catalogue.py it would create an import cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class ValueKind(NamedTuple):
    """A kind of value as the archive parses it.

    ``find_problem`` returns the problem of a text without repeating the text, or an empty string if the archive accepts
    it. ``constants`` are the values of an enumeration, or the allowed protocols of a reference to a connection; other
    kinds have none.
    """

    name: str
    description: str
    find_problem: Callable[[str], str]
    constants: tuple[str, ...] = ()


def build_enumeration_kind(name: str, constants: tuple[str, ...]) -> ValueKind:
    """Return the kind whose values are *constants*, case-sensitive (Java's ``Enum.valueOf``)."""

    def problem(text: str) -> str:
        if text in constants:
            return ""
        return f"the value must be {description} (case-sensitive)"

    description = f"one of {', '.join(constant for constant in constants if constant)}"
    return ValueKind(name, description, problem, constants)
