"""The exit code of a list that a pattern picks from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dcmcfg.cli.printing import tell
from dcmcfg.render.terminal.console import visible
from dcmcfg.suggestions import near_misses

_NOTHING = 1


def picked_something(picked: Sequence[object], pattern: str, names: Iterable[str]) -> int:
    """Return 0, or 1 when *pattern* has *picked* nothing; then those of *names* that are like it are told on stderr."""
    if picked or not pattern:
        return 0
    if near := near_misses(pattern, names):
        tell(f"near misses: {visible(', '.join(near))}")
    return _NOTHING
