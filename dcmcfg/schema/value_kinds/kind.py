"""A kind of value: what a value looks like, and what is wrong with a text that the archive refuses.

Kept apart: all kinds use it: a cycle in catalogue.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class ValueKind(NamedTuple):
    """A kind of value as the archive parses it.

    ``find_problem`` returns what is wrong with a text, without repeating it, and an empty string for a text that the
    archive accepts. ``constants`` are the only values of an enumeration; of a reference to a connection they are the
    protocols that the connection may have; other kinds have none.
    """

    name: str
    description: str
    find_problem: Callable[[str], str]
    constants: tuple[str, ...] = ()


def build_enumeration_kind(name: str, constants: tuple[str, ...]) -> ValueKind:
    """Return the kind whose values are *constants*, compared letter by letter (Java's ``Enum.valueOf``)."""

    def problem(text: str) -> str:
        if text in constants:
            return ""
        return f"it must be {description} (case is significant)"

    description = f"one of {', '.join(constant for constant in constants if constant)}"
    return ValueKind(name, description, problem, constants)
