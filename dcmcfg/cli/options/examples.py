"""The examples at the end of a command's help. Kept apart: nine commands use it, and it loads nothing."""

from __future__ import annotations


def format_examples(*each: tuple[str, str]) -> str:
    """Return the epilog for click: of *each* what it is for, and the command line, which can be copied as it is."""
    lines = (f"  # {purpose}\n  {command}" for purpose, command in each)
    return "\b\nExamples:\n" + "\n".join(lines)
