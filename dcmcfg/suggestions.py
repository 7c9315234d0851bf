"""Names that are spelt almost like another.

Names in a line, of many the first ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: By difflib's measure: an AE title with two letters changed places is that like.
_LIKE = 0.6
#: For names that mostly begin alike: at less, ``dicomFoo`` is like ``dicomPort``.
LIKE_ATTRIBUTES = 0.75
_LISTED = 10


def listed(name: str, known: Iterable[str]) -> str:
    """Return *known* in a line, those first that *name* may stand for: "none" of none.

    Of many they are the first ten and how many more there are, which is never just one: that is named instead.
    """
    names = tuple(known)
    wanted = name.casefold()
    likely = (*near_misses(name, names), *(each for each in names if each.casefold().startswith(wanted)))
    ordered = tuple(dict.fromkeys((*likely, *names)))
    more = len(ordered) - _LISTED
    if more <= 1:
        return ", ".join(ordered) or "none"
    return f"{', '.join(ordered[:_LISTED])} and {more} more"


def near_misses(name: str, known: Iterable[str], *, likeness: float = _LIKE) -> tuple[str, ...]:
    """Return up to three of *known* that look like *name*, the likeliest first; case counts for nothing.

    *likeness* is from 0 to 1, where 1 is equal.
    """
    by_folded = {each.casefold(): each for each in sorted(known)}
    return tuple(by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, n=3, cutoff=likeness))


def first_of(names: Sequence[str], most: int, between: str = ", ") -> str:
    """Return up to *most* of *names*, with *between* between them, and how many more there are, where there are any."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + more
