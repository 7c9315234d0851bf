"""Render the releases that a site may have been installed with, as text and as JSON.

Kept apart: only ``upgrade status --releases`` shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import print_prose
from dcmcfg.upgrade.installed_search import InstalledCandidate


def print_installed(console: Console, candidates: Sequence[InstalledCandidate]) -> None:
    """Print *candidates*, the most probable first, with the components that earlier updates have not reached."""
    if not candidates:
        return
    best = candidates[0]
    counts = "; ".join(
        f"from {each.release.label}: {format_count(each.decision_count, 'decision')}, "
        f"{format_count(each.dropped_count, 'change')} not made"
        for each in candidates
    )
    equal = [each.release.label for each in candidates if each.unsolved_count == best.unsolved_count]
    if len(equal) > 1:
        found = f"release {' or '.join(equal)}, which fit the configuration equally well"
    else:
        found = f"probably release {best.release.label}"
    print_prose(console, escape_unprintable(f"first installed with: {found} (upgrade {counts})"))
    if best.behind:
        print_prose(console, escape_unprintable(f"earlier updates not applied to: {', '.join(best.behind)}"))


def installed_json(candidates: Sequence[InstalledCandidate]) -> list[dict[str, Any]]:
    """Return *candidates* for ``--json``, the most probable first."""
    return [
        {
            "release": each.release.label,
            "folder": each.release.name,
            "decision_count": each.decision_count,
            "dropped_count": each.dropped_count,
            "components_behind": list(each.behind),
        }
        for each in candidates
    ]
