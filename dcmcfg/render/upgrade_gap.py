"""Render the differences between a site and a new installation of a release, as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_relative_dn
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.gap import GapChange
from dcmcfg.upgrade.options import GAP_KINDS

_MAX_NAMES = 8
_HEADINGS = {
    "corrections": "Changes that are missing because of errors in update files",
    "additions": "Entries that a new installation has",
    "values": "Entries with other values in a new installation",
    "removals": "Entries that a new installation no longer has",
}
_OWN_NOTE = (
    "The list also contains changes that the site has made. To omit these changes, specify with --from the release "
    "that the site had before the upgrade"
)


def format_gap_counts(changes: Sequence[GapChange]) -> str:
    """Return the number of *changes* of each kind: ``corrections: 2, additions: 1``."""
    counts = Counter(each.kind for each in changes)
    return ", ".join(f"{kind}: {counts[kind]}" for kind in GAP_KINDS if counts[kind]) or "other changes"


def print_gap(
    console: Console, changes: Sequence[GapChange], base: DN, *, has_own_changes: bool, kinds: Collection[str] = ()
) -> None:
    """Print *changes* by kind; DNs are relative to *base*.

    With *has_own_changes*, the changes of the site itself are among them. *kinds* are those that the user has selected.
    """
    if not changes:
        selected = f" of these kinds ({', '.join(sorted(kinds))})" if kinds else ""
        own = "" if has_own_changes else ", except for the site's own changes"
        print_line(console, f"Compared with a new installation, there are no differences{selected}{own}")
        return
    for kind in GAP_KINDS:
        found = [each for each in changes if each.kind == kind]
        if found:
            count = format_count(len(found), "entry", "entries", grouped=True)
            print_line(console, f"{_HEADINGS[kind]} ({kind}): {count}")
        for each in found:
            names = f": {', '.join(each.attributes)}" if each.attributes else ""
            print_line(console, escape_unprintable(f"  {format_relative_dn(each.dn, base)}{names}"))
            if each.places:
                print_line(console, f"      from {join_limited(each.places, _MAX_NAMES)}")
    if has_own_changes:
        print_prose(console, _OWN_NOTE)


def gap_json(changes: Sequence[GapChange], *, has_own_changes: bool, warnings: Sequence[str] = ()) -> dict[str, Any]:
    """Return *changes* for ``--json``.

    ``own_changes_included`` is true if the changes of the site itself are among ``differences``, which have ``kind``,
    ``dn``, ``attributes`` (of changed entries), ``made`` (in the plan) and ``places`` (official records).
    """
    return {
        "own_changes_included": has_own_changes,
        "warnings": list(warnings),
        "differences": [
            {
                "kind": each.kind,
                "dn": str(each.dn),
                "attributes": list(each.attributes),
                "made": each.is_made,
                "places": list(each.places),
            }
            for each in changes
        ],
    }
