"""Suggestions for misspelt names ("did you mean"), and lists of names in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

#: The ratio of difflib: enough for an AE title with two swapped letters.
_DEFAULT_SIMILARITY = 0.6
#: For names with a common prefix: with a lower ratio, ``dicomFoo`` would match ``dicomPort``.
ATTRIBUTE_SIMILARITY = 0.75
#: Titles of one site are similar. A title that does not require an AE is reported as a typo only if it is nearly equal.
TYPO_SIMILARITY = 0.85
_MAXIMUM_LISTED = 10


def format_known_names(name: str, known: Iterable[str]) -> str:
    """Return *known* in one line, with the names that *name* may mean first; "none" if there are none.

    Of more than eleven names, the first ten are listed, followed by the number of the others.
    """
    names = tuple(known)
    folded_name = name.casefold()
    likely = (*suggest_names(name, names), *(each for each in names if each.casefold().startswith(folded_name)))
    ordered = tuple(dict.fromkeys((*likely, *names)))
    more = len(ordered) - _MAXIMUM_LISTED
    # "and 1 more" would not be shorter than one name.
    if more <= 1:
        return ", ".join(ordered) or "none"
    return f"{', '.join(ordered[:_MAXIMUM_LISTED])} and {more} more"


def suggest_names(name: str, known: Iterable[str], *, min_similarity: float = _DEFAULT_SIMILARITY) -> tuple[str, ...]:
    """Return up to three of *known* that are similar to *name*, the most similar first; case is ignored.

    *min_similarity* is from 0 to 1, where 1 is equal.
    """
    # Sorting makes the result reproducible, because *known* may be a set.
    by_folded = {each.casefold(): each for each in sorted(known)}
    return tuple(
        by_folded[folded] for folded in get_close_matches(name.casefold(), by_folded, n=3, cutoff=min_similarity)
    )


def join_limited(names: Sequence[str], max_count: int, separator: str = ", ") -> str:
    """Return up to *max_count* of *names*, joined by *separator*, followed by the number of the others, if any."""
    more = f" and {len(names) - max_count} more" if len(names) > max_count else ""
    return separator.join(names[:max_count]) + more
