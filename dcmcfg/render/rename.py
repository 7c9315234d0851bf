"""A rename beside its plan: what refers to the thing, where the old name is left, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.edits.rename.leftovers import Leftover
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.model.tree import Tree
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_cell_value, relative_dn
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.suggestions import join_limited

#: Of values that are alike, and of longer words, so many are shown; ``--json`` has all.
_MAX_SIMILAR_VALUES = 3
_WORDS = 5
_COLUMNS = (
    Column("Remaining in", WrapMode.AT_COMMAS),
    Column("Attribute"),
    Column("Value", WrapMode.AUTO),
    Column("Reason", WrapMode.AT_SPACES),
)


def print_rename_summary(console: Console, renaming: Renaming, tree: Tree) -> None:
    """Print how many references are rewritten, by attribute, and where the old name is left; DNs as in the plan."""
    if not renaming.edit.changes:
        return
    print_line(console, _rewritten(renaming))
    rows = list(_rows(renaming, find_devices_dn(tree)))
    if rows:
        print_table(console, _COLUMNS, [[escape_unprintable(cell) for cell in row] for row in rows])
    for line in _partial_match_lines(renaming):
        print_line(console, line)


def renaming_json(renaming: Renaming) -> dict[str, Any]:
    """Return *renaming* for ``--json``: ``kind``, ``old_name``, ``new_name``, and what became of references.

    ``rewritten_reference_counts`` is by attribute; each of ``remaining_values`` has ``dn``, ``attribute``, ``value``
    and ``reason``.
    ``partial_match_counts`` counts the values in which the old name is part of a longer word, by that word.
    """
    return {
        "kind": renaming.kind.value.label,
        "old_name": renaming.old,
        "new_name": renaming.new,
        "rewritten_reference_counts": dict(_counted(renaming)),
        "remaining_values": [
            {
                "dn": str(each.dn),
                "attribute": each.attribute,
                "value": format_cell_value(each.attribute, each.value),
                "reason": each.reason,
            }
            for each in renaming.leftovers.items
        ],
        "partial_match_counts": dict(renaming.leftovers.longer_words),
    }


def _rows(renaming: Renaming, base: DN) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each value that is left; of many that are alike in attribute and reason, the first ones."""
    alike: dict[tuple[str, str], list[Leftover]] = {}
    for each in renaming.leftovers.items:
        alike.setdefault((each.attribute, each.reason), []).append(each)
    for found in alike.values():
        shown = found if len(found) <= _MAX_SIMILAR_VALUES + 1 else found[:_MAX_SIMILAR_VALUES]
        for each in shown:
            value = format_cell_value(each.attribute, each.value)
            yield relative_dn(each.dn, base), each.attribute, value, each.reason
        if more := len(found) - len(shown):
            yield f"(and {more} more)", found[0].attribute, "", found[0].reason


def _counted(renaming: Renaming) -> list[tuple[str, int]]:
    counted = Counter(reference.attribute for reference in renaming.references)
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))


def _rewritten(renaming: Renaming) -> str:
    counted = _counted(renaming)
    if not counted:
        return "nothing refers to it"
    total = sum(count for _, count in counted)
    return f"{format_count(total, 'reference')} rewritten: " + ", ".join(f"{count} {name}" for name, count in counted)


def _partial_match_lines(renaming: Renaming) -> Iterator[str]:
    longer = renaming.leftovers.longer_words
    if not longer:
        return
    total = sum(longer.values())
    words = join_limited(list(map(escape_unprintable, longer)), _WORDS)
    yield f"part of a longer word in {format_count(total, 'value')}, and no name there: {words}"
