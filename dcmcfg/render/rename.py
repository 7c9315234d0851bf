"""Render the summary of a rename: the rewritten references, and the remaining values with the old name and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.edits.rename.leftovers import LeftoverName
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.model.tree import Tree
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_cell_value, format_relative_dn
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.suggestions import join_limited

#: The number of similar values, and of longer words, that are shown; ``--json`` has all.
_MAX_SIMILAR_VALUES = 3
_MAX_WORDS = 5
_COLUMNS = (
    Column("Remaining in", WrapMode.AT_COMMAS),
    Column("Attribute"),
    Column("Value", WrapMode.AUTO),
    Column("Reason", WrapMode.AT_SPACES),
)


def print_rename_summary(console: Console, renaming: Renaming, tree: Tree) -> None:
    """Print the number of rewritten references by attribute, and the remaining values; DNs are shown as in the plan."""
    if not renaming.edit.changes:
        return
    print_line(console, _format_reference_counts(renaming))
    rows = list(_build_rows(renaming, find_devices_dn(tree)))
    if rows:
        print_table(console, _COLUMNS, [[escape_unprintable(cell) for cell in row] for row in rows])
    for line in _format_partial_matches(renaming):
        print_line(console, line)


def renaming_json(renaming: Renaming) -> dict[str, Any]:
    """Return *renaming* for ``--json``: ``kind``, ``old_name``, ``new_name``, and the references.

    ``rewritten_reference_counts`` has the counts by attribute. Each of ``remaining_values`` has ``dn``, ``attribute``,
    ``value`` and ``reason``. ``partial_match_counts`` has the number of values by each longer word that contains the
    old name.
    """
    return {
        "kind": renaming.kind.value.label,
        "old_name": renaming.old_name,
        "new_name": renaming.new_name,
        "rewritten_reference_counts": dict(_count_references(renaming)),
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


def _build_rows(renaming: Renaming, base: DN) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each remaining value; of many with the same attribute and reason, only the first ones."""
    similar_leftovers: dict[tuple[str, str], list[LeftoverName]] = {}
    for each in renaming.leftovers.items:
        similar_leftovers.setdefault((each.attribute, each.reason), []).append(each)
    for leftovers in similar_leftovers.values():
        shown = leftovers if len(leftovers) <= _MAX_SIMILAR_VALUES + 1 else leftovers[:_MAX_SIMILAR_VALUES]
        for each in shown:
            value = format_cell_value(each.attribute, each.value)
            yield format_relative_dn(each.dn, base), each.attribute, value, each.reason
        if hidden_count := len(leftovers) - len(shown):
            yield f"(and {hidden_count} more)", leftovers[0].attribute, "", leftovers[0].reason


def _count_references(renaming: Renaming) -> list[tuple[str, int]]:
    counts = Counter(reference.attribute for reference in renaming.references)
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _format_reference_counts(renaming: Renaming) -> str:
    counts = _count_references(renaming)
    if not counts:
        return "no references"
    total = sum(count for _, count in counts)
    return f"{format_count(total, 'reference')} rewritten: " + ", ".join(f"{count} {name}" for name, count in counts)


def _format_partial_matches(renaming: Renaming) -> Iterator[str]:
    longer_words = renaming.leftovers.longer_words
    if not longer_words:
        return
    total = sum(longer_words.values())
    words = join_limited(list(map(escape_unprintable, longer_words)), _MAX_WORDS)
    yield f"unchanged, because the name is part of a longer word ({format_count(total, 'value')}): {words}"
