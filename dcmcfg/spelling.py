"""Names that are spelt almost like another."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: By difflib's measure. At 0.6 ``dicomFoo`` is like ``dicomPort``: what all names begin with counts as likeness.
_CUTOFF = 0.75
_LISTED = 10


def listed(name: str, known: Iterable[str]) -> str:
    """Return *known* in a line, those first that *name* may stand for: of many the first ten; "none" of none."""
    names = tuple(known)
    wanted = name.casefold()
    likely = (*near_misses(name, names), *(each for each in names if each.casefold().startswith(wanted)))
    ordered = tuple(dict.fromkeys((*likely, *names)))
    more = len(ordered) - _LISTED
    return (", ".join(ordered[:_LISTED]) or "none") + (f" and {more} more" if more > 0 else "")


def near_misses(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of *known* that look like *name*, the likeliest first; case counts for nothing."""
    by_folded = {each.casefold(): each for each in sorted(known)}
    return tuple(by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, n=3, cutoff=_CUTOFF))
