"""Names in a line, of many the first ones."""

from __future__ import annotations

from collections.abc import Sequence


def first_of(names: Sequence[str], most: int, between: str = ", ") -> str:
    """Return up to *most* of *names*, with *between* between them, and how many more there are, where there are any."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more
