"""A rename beside its plan: what refers to the thing, where the old name is left, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.edits.rename.leftovers import Left
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.model.devices import devices_dn
from dcmcfg.model.tree import Tree
from dcmcfg.render.terminal.cells import relative_dn, shown_value
from dcmcfg.render.terminal.console import print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table
from dcmcfg.suggestions import first_of

#: Of values that are alike, and of longer words, so many are shown; ``--json`` has all.
_ALIKE = 3
_WORDS = 5
_COLUMNS = (
    Column("left in", Breaks.AT_COMMAS),
    Column("attribute"),
    Column("value", Breaks.AS_VALUE),
    Column("why", Breaks.AT_BLANKS),
)


def print_renaming(console: Console, renaming: Renaming, tree: Tree) -> None:
    """Print how many references are rewritten, by attribute, and where the old name is left; DNs as in the plan."""
    if not renaming.edit.changes:
        return
    print_line(console, _rewritten(renaming))
    rows = list(_rows(renaming, devices_dn(tree)))
    if rows:
        print_table(console, _COLUMNS, [[visible(cell) for cell in row] for row in rows])
    for line in _longer(renaming):
        print_line(console, line)


def renaming_json(renaming: Renaming) -> dict[str, Any]:
    """Return *renaming* for ``--json``: ``kind``, ``old``, ``new``, ``references``, ``left`` and ``longer_words``.

    ``references`` counts those that are rewritten by attribute; of what is ``left`` each has ``dn``, ``attribute``,
    ``value`` and ``reason``.
    ``longer_words`` counts the values in which the old name is part of a longer word, by that word.
    """
    return {
        "kind": renaming.kind.value.word,
        "old": renaming.old,
        "new": renaming.new,
        "references": dict(_counted(renaming)),
        "left": [
            {
                "dn": str(each.dn),
                "attribute": each.attribute,
                "value": shown_value(each.attribute, each.value),
                "reason": each.reason,
            }
            for each in renaming.leftovers.left
        ],
        "longer_words": dict(renaming.leftovers.longer),
    }


def _rows(renaming: Renaming, base: DN) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each value that is left; of many that are alike in attribute and reason, the first ones."""
    alike: dict[tuple[str, str], list[Left]] = {}
    for each in renaming.leftovers.left:
        alike.setdefault((each.attribute, each.reason), []).append(each)
    for found in alike.values():
        shown = found if len(found) <= _ALIKE + 1 else found[:_ALIKE]
        for each in shown:
            value = shown_value(each.attribute, each.value)
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
    word = "reference" if total == 1 else "references"
    return f"{total} {word} rewritten: " + ", ".join(f"{count} {name}" for name, count in counted)


def _longer(renaming: Renaming) -> Iterator[str]:
    longer = renaming.leftovers.longer
    if not longer:
        return
    total = sum(longer.values())
    values = "1 value" if total == 1 else f"{total} values"
    words = first_of(list(map(visible, longer)), _WORDS)
    yield f"part of a longer word in {values}, and no name there: {words}"
