"""Names that are spelt almost like another."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near_misses(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of *known* that look like *name*, the likeliest first; case counts for nothing."""
    by_folded = {each.casefold(): each for each in sorted(known)}
    return tuple(by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6))
