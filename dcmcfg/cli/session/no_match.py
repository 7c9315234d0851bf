"""The exit code of a list that a pattern picks from.

Kept apart: ``aes`` and ``devices`` use it and do not load each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dcmcfg.cli.printing import print_message
from dcmcfg.printable import escape_unprintable
from dcmcfg.suggestions import suggest_names

_NOTHING = 1


def report_matches(matches: Sequence[object], pattern: str, names: Iterable[str]) -> int:
    """Return 0, or 1 when *pattern* has *matches* nothing.

    Then those of *names* that are like it are told on stderr.
    """
    if matches or not pattern:
        return 0
    if near := suggest_names(pattern, names):
        print_message(f"near misses: {escape_unprintable(', '.join(near))}")
    return _NOTHING
