"""The exit code of a list that is filtered by a pattern.

Kept apart: ``ae list`` and ``device list`` use it and do not load each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dcmcfg.cli.printing import print_message
from dcmcfg.printable import escape_unprintable
from dcmcfg.suggestions import suggest_names

_NOTHING = 1


def report_matches(matches: Sequence[object], pattern: str, names: Iterable[str]) -> int:
    """Return 0, or 1 when *matches* is empty for *pattern*; then similar *names* are printed on stderr."""
    if matches or not pattern:
        return 0
    if similar_names := suggest_names(pattern, names):
        print_message(f"Did you mean {escape_unprintable(', '.join(similar_names))}?")
    return _NOTHING
