"""One line for each figure, with what it is held against."""

from __future__ import annotations


def row(what: str, seconds: float) -> str:
    """Return a line with a time."""
    return f"    {what:<42} {seconds:7.2f} s"


def judged(what: str, seconds: float, beside: float, whose: str, limit: float) -> str:
    """Return a line with a time, and its ratio to *beside*, which is *whose*, and must be no more than *limit*."""
    ratio = seconds / beside
    return f"{row(what, seconds)}  {ratio:5.2f} of {whose} {verdict(limit, is_met=ratio <= limit)}"


def verdict(limit: float, *, is_met: bool) -> str:
    """Return what is said of a limit."""
    return f"(limit {limit}: {'met' if is_met else 'not met'})"
