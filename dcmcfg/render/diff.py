"""A diff as a table, or as JSON."""

from __future__ import annotations

import base64
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from dcmcfg.changes import Add, Change, Delete, Modify
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.plan.diff import Diff
from dcmcfg.plan.plan import Step
from dcmcfg.render.cells import changed_files, member_rows, relative_dn, shown_value
from dcmcfg.render.console import print_line, visible
from dcmcfg.render.plan import plan_counts
from dcmcfg.render.table import Breaks, Column, print_table
from dcmcfg.secret_values import is_secret

#: A table of more entries is cut here.
SHOWN_ENTRIES = 200
_WORDS: dict[type[Change], str] = {Add: "add", Modify: "modify", Delete: "delete"}
_HAPPENED: dict[type[Change], str] = {Add: "added", Modify: "changed", Delete: "deleted"}


@dataclass(frozen=True)
class Direction:
    """What the changes of a diff mean, by which side is the live tree.

    ``heading`` stands above them, ``columns`` name the values of each side. ``happened`` says that the changes lie in
    the past: the live tree is the second side. ``other`` names the command that shows the other direction.
    """

    heading: str
    columns: tuple[str, str]
    happened: bool = False
    other: str = ""

    @staticmethod
    def of(names: tuple[str, str], live: int | None, options: tuple[str, ...] = ()) -> Direction:
        """Return it for sides called *names*, of which the one at place *live* is the live tree, if any.

        *options* are those that say which part is compared.
        """
        columns = tuple("live" if place == live else _short(name) for place, name in enumerate(names))
        pair = (columns[0], columns[1]) if columns[0] != columns[1] else ("from", "to")
        match live:
            case 0:
                command = shlex.join(("dcmcfg", "diff", _typed(names[1]), "live", *options))
                other = f"What has changed since {names[1]}: {command}"
                return Direction(f"What would make {names[0]} like {names[1]}:", pair, other=other)
            case 1:
                return Direction(f"What has changed in {names[1]} since {names[0]}:", pair, happened=True)
        return Direction(f"From {names[0]} to {names[1]}:", pair)


def _short(name: str) -> str:
    return Path(name).name or name


def _typed(name: str) -> str:
    return "-" if name == "standard input" else name


def print_diff(console: Console, diff: Diff, direction: Direction, base: DN, *, with_secrets: bool) -> None:
    """Print a table of what differs, then how many entries do; or one line.

    DNs are relative to *base*, the devices' container.
    """
    steps = diff.plan.steps
    if not steps:
        print_line(console, f"no differences{_passed_over(diff)}")
        return
    print_line(console, one_line(direction.heading))
    rows = []
    for step in steps[:SHOWN_ENTRIES]:
        entry = relative_dn(step.change.dn, base)
        for number, row in enumerate(_rows(step, with_secrets=with_secrets)):
            rows.append([visible(cell) for cell in (entry if number == 0 else "", *row)])
    values = (Column(visible(title), Breaks.AS_VALUE) for title in direction.columns)
    print_table(console, (Column("entry", Breaks.AT_COMMAS), Column("attribute"), *values), rows)
    if len(steps) > SHOWN_ENTRIES:
        more = len(steps) - SHOWN_ENTRIES
        print_line(console, f"… and {more} more entries; --ldif, --unified and --json show all")
    print_line(console, _summary(diff, direction))
    if direction.other:
        print_line(console, one_line(direction.other))


def _summary(diff: Diff, direction: Direction) -> str:
    """Return how many entries differ, and what was passed over, in one line."""
    count = len(diff.plan.steps)
    differ = "1 entry differs" if count == 1 else f"{count} entries differ"
    counted = Counter(type(change) for change in diff.plan.changes)
    happened = ", ".join(f"{counted[kind]} {word}" for kind, word in _HAPPENED.items() if counted[kind])
    return f"{differ}: {happened if direction.happened else plan_counts(diff.plan)}{_passed_over(diff)}"


def diff_json(diff: Diff, names: tuple[str, str], *, with_secrets: bool) -> dict[str, Any]:
    """Return the diff for ``--json``.

    ``entries`` counts those compared on each side. ``changes`` stand in the order in which they apply, each with
    ``dn``, ``change`` (add, modify, delete) and ``attributes``: ``name``, ``from`` and ``to``, lists of the values
    that go and come. A value is text, ``{"base64": …}`` for other octets, or ``{"secret": true}``. Where a ZIP file
    goes or comes there are ``files``, those that differ: ``name``, ``from`` and ``to``, their octets or null.
    """
    plan = diff.plan
    return {
        "from": names[0],
        "to": names[1],
        "equal": not plan.steps,
        "entries": {"from": len(plan.before.entries), "to": len(plan.after.entries)},
        "not_compared": list(diff.passed_over),
        "changes": [
            {
                "dn": str(step.change.dn),
                "change": _WORDS[type(step.change)],
                "attributes": [_attribute_json(moved, with_secrets=with_secrets) for moved in _moved(step)],
            }
            for step in plan.steps
        ],
    }


class _Moved(NamedTuple):
    """The values of an attribute that go and come."""

    name: str
    gone: tuple[bytes, ...]
    come: tuple[bytes, ...]


def _moved(step: Step) -> Iterator[_Moved]:
    entries = [entry for entry in (step.before, step.after) if entry is not None]
    for name in {each.name.lower(): each.name for entry in entries for each in entry.attributes}.values():
        old, new = (entry.values(name) if entry else () for entry in (step.before, step.after))
        gone = tuple(value for value in old if value not in new)
        come = tuple(value for value in new if value not in old)
        if gone or come:
            yield _Moved(name, gone, come)


def _attribute_json(moved: _Moved, *, with_secrets: bool) -> dict[str, Any]:
    gone, come = ([_json_value(moved.name, v, with_secrets=with_secrets) for v in held] for held in moved[1:])
    found: dict[str, Any] = {"name": moved.name, "from": gone, "to": come}
    if files := changed_files(moved.gone, moved.come):
        found["files"] = [
            {"name": name, "from": before and before.length, "to": after and after.length}
            for name, before, after in files
        ]
    return found


def _json_value(name: str, value: bytes, *, with_secrets: bool) -> str | dict[str, Any]:
    if is_secret(name, value) and not with_secrets:
        return {"secret": True}
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _rows(step: Step, *, with_secrets: bool) -> Iterator[tuple[str, str, str]]:
    """Yield (attribute, from, to), one row for a single value that changes, else one for each that goes or comes."""
    match step:
        case Step(before=None, after=Entry(attributes=attributes)):
            yield "(entry)", "(absent)", f"{len(attributes)} attributes"
        case Step(before=Entry(attributes=attributes), after=None):
            yield "(entry)", f"{len(attributes)} attributes", "(absent)"
        case Step(before=before, after=after):
            for name, gone, come in _moved(step):
                left = [shown_value(name, value, with_secrets=with_secrets) for value in gone]
                right = [shown_value(name, value, with_secrets=with_secrets) for value in come]
                left = left or ["" if before and name in before else "(absent)"]
                right = right or ["" if after and name in after else "(absent)"]
                for number, (old, new) in enumerate(zip_longest(left, right, fillvalue="")):
                    yield (name if number == 0 else ""), old, new
                yield from (("", *members) for members in member_rows(gone, come))


def _passed_over(diff: Diff) -> str:
    names = visible(", ".join(diff.passed_over))
    return f" (not compared, because one side lacks these secrets or vendor data: {names})" if names else ""


def one_line(text: str) -> str:
    """Return *text* without line ends or anything else that is not printable."""
    return visible(" ".join(text.split()))
