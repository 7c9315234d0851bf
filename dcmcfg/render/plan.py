"""A plan as a table, as LDIF without secrets, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import groupby
from typing import Any

from rich.console import Console

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.ldif.writer import format_change
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan, PlanStep, UnchangedItem
from dcmcfg.plan.recorded_names import RecordedStudies
from dcmcfg.plan.risk_checks import Risk
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.check import finding_json
from dcmcfg.render.terminal.cells import format_cell_value, format_relative_dn, make_zip_member_rows
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.secret_values import remove_secrets_from_change

#: A plan of more steps is shown up to here; ``-o`` writes all of it.
SHOWN_STEPS = 40
#: One of more steps is not shown a second time, as LDIF.
_MAX_LDIF_STEPS = 10
#: Of entries that come, or go, one after another below one parent, so many are shown when there are more than twice
#: as many: an AE has hundreds of capabilities.
_MAX_SIMILAR_STEPS = 3
_COLUMNS = (
    Column("Entry", WrapMode.AT_COMMAS),
    Column("Attribute"),
    Column("Before", WrapMode.AUTO),
    Column("After", WrapMode.AUTO),
)


def print_plan(console: Console, plan: Plan, *, with_ldif: bool = True) -> None:
    """Print *plan* as a table of what moves, and a short one as LDIF too.

    DNs in the table are relative to the devices' container; of many entries alike the first are shown.
    """
    rows: list[list[str]] = []
    remaining = len(plan.steps)
    shown_count = 0
    for run in _group_similar_steps(plan):
        if shown_count >= SHOWN_STEPS:
            break
        rows += _build_group_rows(run, plan.before)
        remaining -= len(run)
        shown_count += min(len(run), _MAX_SIMILAR_STEPS)
    print_table(console, _COLUMNS, rows)
    if remaining:
        print_line(console, f"… and {remaining} more steps")
    if with_ldif and len(plan.steps) <= _MAX_LDIF_STEPS:
        for line in format_changes_ldif(plan.changes).rstrip("\n").split("\n"):
            print_line(console, line)
    elif len(plan.steps) > _MAX_LDIF_STEPS:
        print_line(console, "-o FILE writes the whole plan as LDIF")


def _group_similar_steps(plan: Plan) -> Iterator[tuple[PlanStep, ...]]:
    """Yield the steps of *plan*: many alike, which follow each other, together, and every other by itself."""

    def get_group_key(step: PlanStep) -> tuple[object, ...]:
        match step.change:
            case Add() | Delete():
                return type(step.change), plan.before.key(step.change.dn.parent)
            case Modify() | Rename():
                return (id(step),)

    for _, similar_steps in groupby(plan.steps, get_group_key):
        run = tuple(similar_steps)
        if len(run) > 2 * _MAX_SIMILAR_STEPS:
            yield run
        else:
            yield from ((step,) for step in run)


def _build_group_rows(run: tuple[PlanStep, ...], tree: Tree) -> Iterator[list[str]]:
    if len(run) == 1:
        yield from _build_table_rows(run, tree)
        return
    yield from _build_table_rows(run[:_MAX_SIMILAR_STEPS], tree)
    parent = format_relative_dn(run[0].change.dn.parent, find_devices_dn(tree))
    hidden_count = len(run) - _MAX_SIMILAR_STEPS
    operation_text = "(new entries)" if isinstance(run[0].change, Add) else "(entries deleted)"
    yield [escape_unprintable(f"… and {hidden_count} more below {parent}"), operation_text, "", ""]


def format_plan_counts(plan: Plan) -> str:
    """Return how many entries are added, changed, renamed, deleted: ``2 to add, 1 to change``."""
    operation_texts = {Add: "to add", Modify: "to change", Rename: "to rename", Delete: "to delete"}
    counts = Counter(type(change) for change in plan.changes)
    return ", ".join(
        f"{counts[kind]} {operation_text}" for kind, operation_text in operation_texts.items() if counts[kind]
    )


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return *plan* for ``--json``: ``steps`` in order, with ``dn``, ``change_type`` and ``ldif``, and ``unchanged``.

    What is so already has ``dn``, ``change_type`` (``content`` for an entry as a content record wants it) and
    ``already_absent``: phrases on what it takes away that is not there.
    """
    return {
        "steps": [
            {"dn": str(change.dn), "change_type": _change_type(change), "ldif": format_changes_ldif([change])}
            for change in plan.changes
        ],
        "unchanged": [
            {
                "dn": str(each.change.dn),
                "change_type": "content" if each.is_content_record else _change_type(each.change),
                "already_absent": list(each.missing_items),
            }
            for each in plan.unchanged
        ],
    }


def risks_json(risks: Iterable[Risk], forced_names: Collection[str]) -> list[dict[str, Any]]:
    """Return *risks* for ``--json``: ``name``, ``message``, ``entries``; ``forced`` if it is among *forced_names*.

    A risk that findings make has ``findings``: each as ``check --json`` has it, with its ``fix`` in words. A name under
    which the archive's database has recorded studies has ``records``: ``kind``, ``name``, ``purged_count`` and
    ``local_count``, which are at least so many unless ``complete``, and ``unknown_reason``, null where it is known.
    """
    return [_risk_json(each, forced=each.is_accepted(forced_names)) for each in risks]


def _risk_json(risk: Risk, *, forced: bool) -> dict[str, Any]:
    content = {"name": risk.name, "message": risk.description, "entries": list(risk.entries), "forced": forced}
    if risk.findings:
        content["findings"] = [finding_json(each.finding) | {"fix": each.fix} for each in risk.findings]
    if risk.records:
        content["records"] = [_records_json(each) for each in risk.records]
    return content


def _records_json(records: RecordedStudies) -> dict[str, Any]:
    return {
        "kind": records.name.kind.value.label,
        "name": records.name.name,
        "purged_count": records.purged,
        "local_count": records.local,
        "complete": records.is_complete,
        "unknown_reason": records.unknown_reason or None,
    }


def format_unchanged_lines(plan: Plan) -> Iterator[str]:
    """Yield a line for each desired change that the tree holds already, of many the first ones; one for all entries."""
    changes = [each for each in plan.unchanged if not each.is_content_record]
    yield from map(_format_unchanged_line, changes[:SHOWN_STEPS])
    if (hidden_count := len(changes) - SHOWN_STEPS) > 0:
        yield f"already so: {hidden_count} more"
    if content_count := len(plan.unchanged) - len(changes):
        yield f"{content_count} entries are so already" if content_count > 1 else "1 entry is so already"


def _format_unchanged_line(unchanged: UnchangedItem) -> str:
    dn = str(unchanged.change.dn)
    if isinstance(unchanged.change, Delete):
        return f"not there, nothing to delete: {escape_unprintable(dn)}"
    missing_note = f": {escape_unprintable('; '.join(unchanged.missing_items))}" if unchanged.missing_items else ""
    return f"already so: {_change_type(unchanged.change)} {escape_unprintable(dn)}{missing_note}"


def _build_table_rows(steps: Iterable[PlanStep], tree: Tree) -> Iterator[list[str]]:
    base = find_devices_dn(tree)

    def format_value(name: str, value: bytes) -> str:
        text = format_cell_value(name, value)
        definition = tree.schema.attribute(name)
        return _format_relative_dn(text, base) if definition is not None and definition.syntax == "DN" else text

    for step in steps:
        dn = format_relative_dn(step.change.dn, base)
        for number, row in enumerate(_build_rows(step, format_value)):
            yield [escape_unprintable(cell) for cell in (dn if number == 0 else "", *row)]


def _format_relative_dn(text: str, base: DN) -> str:
    """Return the DN in *text* as DNs stand in the table; as it is where that is not plainly a part of it."""
    base_suffix = f",{base}"
    return text.removesuffix(base_suffix) if base.rdns else text


def _build_rows(step: PlanStep, format_value: Callable[[str, bytes], str]) -> Iterator[tuple[str, str, str]]:
    match step.change:
        case Modify(_, modifications):
            before, after = step.before, step.after
            for name in dict.fromkeys(modification.name for modification in modifications):
                yield from _build_attribute_rows(name, before, after, format_value)
        case Add(entry):
            yield "(new entry)", "", f"{len(entry.attributes)} attributes"
        case Delete():
            count = len(step.before.attributes) if step.before else 0
            yield "(entry deleted)", f"{count} attributes", ""
        case Rename(new_superior=None) as rename:
            yield "(renamed)", str(rename.dn.rdn), str(rename.new_rdn)
        case Rename() as rename:
            yield "(moved)", str(rename.dn), str(rename.new_dn)


def _build_attribute_rows(
    name: str, before: Entry | None, after: Entry | None, format_value: Callable[[str, bytes], str]
) -> Iterator[tuple[str, str, str]]:
    """Yield one row for a single value that changes, else one for each value that goes or comes."""
    old, new = (before.values(name) if before else ()), (after.values(name) if after else ())
    removed = [value for value in old if value not in new]
    added = [value for value in new if value not in old]
    for number in range(max(len(removed), len(added))):
        old_cell = format_value(name, removed[number]) if number < len(removed) else ("(absent)" if not old else "")
        new_cell = format_value(name, added[number]) if number < len(added) else ("(absent)" if not new else "")
        yield (name if number == 0 else ""), old_cell, new_cell
    yield from (("", *members) for members in make_zip_member_rows(removed, added))


def format_changes_ldif(changes: Iterable[Change]) -> str:
    """Return *changes* as LDIF to be read, without secrets and controls; a comment names what was left out."""
    records = []
    for change in changes:
        public_change, omitted = remove_secrets_from_change(change)
        records.append(format_change(public_change, comments=[f"not shown, a secret: {name}" for name in omitted]))
    return "".join(records)


def _change_type(change: Change) -> str:
    match change:
        case Add():
            return "add"
        case Modify():
            return "modify"
        case Rename():
            return "rename"
        case Delete():
            return "delete"
