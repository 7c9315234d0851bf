"""Suggest names that are spelt almost like another, and join names in a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: By difflib's measure: an AE title with two letters changed places is that like.
_DEFAULT_SIMILARITY = 0.6
#: For names that mostly begin alike: at less, ``dicomFoo`` is like ``dicomPort``.
ATTRIBUTE_SIMILARITY = 0.75
_MAXIMUM_LISTED = 10


def format_known_names(name: str, known: Iterable[str]) -> str:
    """Return *known* in a line, those first that *name* may stand for: "none" of none.

    Of many they are the first ten and how many more there are, which is never just one: that is named instead.
    """
    names = tuple(known)
    folded_name = name.casefold()
    likely = (*suggest_names(name, names), *(each for each in names if each.casefold().startswith(folded_name)))
    ordered = tuple(dict.fromkeys((*likely, *names)))
    more = len(ordered) - _MAXIMUM_LISTED
    if more <= 1:
        return ", ".join(ordered) or "none"
    return f"{', '.join(ordered[:_MAXIMUM_LISTED])} and {more} more"


def suggest_names(name: str, known: Iterable[str], *, min_similarity: float = _DEFAULT_SIMILARITY) -> tuple[str, ...]:
    """Return up to three of *known* that look like *name*, the likeliest first; case counts for nothing.

    *min_similarity* is from 0 to 1, where 1 is equal.
    """
    by_folded = {each.casefold(): each for each in sorted(known)}
    return tuple(
        by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, n=3, cutoff=min_similarity)
    )


def join_limited(names: Sequence[str], max_count: int, separator: str = ", ") -> str:
    """Return up to *max_count* of *names*, joined by *separator*, and the number of further ones, if any."""
    more = f" and {len(names) - max_count} more" if len(names) > max_count else ""
    return separator.join(names[:max_count]) + more
