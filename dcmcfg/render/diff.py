"""Render a diff as lines with signs, as JSON, as LDIF change records that can be applied, and as unified text.

The unified text compares the output of ``export-ldif`` for both trees.
"""

from __future__ import annotations

import base64
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from rich.console import Console

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.ldif.writer import VERSION_LINE, format_change
from dcmcfg.model.export import export_ldif
from dcmcfg.nodes.second_look import Writer
from dcmcfg.plan.plan import PlanStep
from dcmcfg.plan.tree_diff import TreeDiff
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.change_lines import ChangeListing, print_change_lines
from dcmcfg.render.plan import format_plan_counts
from dcmcfg.render.terminal.cells import diff_zip_members
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.schema.definitions import Schema
from dcmcfg.secret_values import is_secret, remove_secrets_from_change

#: The maximum number of entries shown without ``--details``.
SHOWN_ENTRIES = 200
_CHANGE_TYPES: dict[type[Change], str] = {Add: "add", Modify: "modify", Delete: "delete"}
_PAST_VERBS: dict[type[Change], str] = {Add: "added", Modify: "changed", Delete: "deleted"}


@dataclass(frozen=True)
class DiffDirection:
    """The meaning of the changes of a diff, which depends on the side of the live tree.

    ``heading`` is printed above the changes. ``is_past`` is set if the second side is the live tree: its changes have
    already happened. ``reverse_command`` shows the other direction, the changes of ``reverse_subject``.
    """

    heading: str
    is_past: bool = False
    reverse_subject: str = ""
    reverse_command: str = ""

    @property
    def reverse_hint(self) -> str:
        """The sentence with the command for the other direction; empty without one."""
        return (
            f"To show the changes since {self.reverse_subject}: {self.reverse_command}" if self.reverse_command else ""
        )

    @staticmethod
    def for_sides(
        side_names: tuple[str, str], live_index: int | None, scope_options: tuple[str, ...] = ()
    ) -> DiffDirection:
        """Return the direction for sides named *side_names*; the side at *live_index*, if any, is the live tree.

        *scope_options* are the options that limit the compared part of the tree.
        """
        match live_index:
            case 0:
                command = shlex.join(("dcmcfg", "diff", _command_argument(side_names[1]), "live", *scope_options))
                return DiffDirection(
                    f"Changes that would turn {side_names[0]} into {side_names[1]}:",
                    reverse_subject=side_names[1],
                    reverse_command=command,
                )
            case 1:
                return DiffDirection(f"Changes in {side_names[1]} since {side_names[0]}:", is_past=True)
        return DiffDirection(f"Changes from {side_names[0]} to {side_names[1]}:")


def _command_argument(name: str) -> str:
    return "-" if name == "standard input" else name


def print_diff(
    console: Console,
    diff: TreeDiff,
    direction: DiffDirection,
    base: DN,
    *,
    with_secrets: bool,
    details: bool = False,
    writers: Mapping[tuple[NormalDN, str], Writer] | None = None,
) -> None:
    """Print the differences and their number, or one line if there are none.

    DNs are relative to *base*, the devices' container. With *details* all entries are shown, not only the first.
    *writers* has the likely writer of attributes (in lower case) of entries.
    """
    steps = diff.plan.steps
    if not steps:
        print_prose(console, f"No differences{_not_compared_note(diff)}")
        return
    print_line(console, format_single_line(direction.heading))
    marks = {key: writer.value for key, writer in (writers or {}).items()}
    listing = ChangeListing(plan=diff.plan, base=base, with_secrets=with_secrets, attribute_marks=marks)
    lines, remaining = listing.build_lines(len(steps) if details else SHOWN_ENTRIES)
    print_change_lines(console, lines)
    if remaining:
        print_line(console, f"… and {remaining} more entries; --details shows all")
    print_prose(console, f"{format_diff_counts(diff, direction)}{_not_compared_note(diff)}")
    if direction.reverse_hint:
        print_prose(console, format_single_line(direction.reverse_hint))


def format_diff_counts(diff: TreeDiff, direction: DiffDirection) -> str:
    """Return the number of entries that differ in one line."""
    count = len(diff.plan.steps)
    differ = "1 entry differs" if count == 1 else f"{count} entries differ"
    counts = Counter(type(change) for change in diff.plan.changes)
    past_counts = ", ".join(f"{counts[kind]} {word}" for kind, word in _PAST_VERBS.items() if counts[kind])
    return f"{differ}: {past_counts if direction.is_past else format_plan_counts(diff.plan)}"


def diff_json(
    diff: TreeDiff,
    side_names: tuple[str, str],
    *,
    with_secrets: bool,
    writers: Mapping[tuple[NormalDN, str], Writer] | None = None,
) -> dict[str, Any]:
    """Return the diff for ``--json``.

    ``entry_counts`` counts the compared entries of each side, ``source`` and ``target``. ``changes`` are in the order
    in which they apply, each with ``dn``, ``change_type`` (add, modify, delete) and ``attributes``: ``name``, and the
    lists of values ``removed`` and ``added``. A value is text, ``{"base64": …}`` for other octets, or
    ``{"secret": true}``. ``writer`` is null, or the likely writer: *writers* has those of attributes (in lower case) of
    entries. For a ZIP file, ``files`` are the files in it that differ: ``name``, ``size_before`` and
    ``size_after`` in octets or null.
    """
    plan = diff.plan
    return {
        "source": side_names[0],
        "target": side_names[1],
        "equal": not plan.steps,
        "entry_counts": {"source": len(plan.before.entries), "target": len(plan.after.entries)},
        "not_compared": list(diff.not_compared),
        "changes": [
            {
                "dn": str(step.change.dn),
                "change_type": _CHANGE_TYPES[type(step.change)],
                "attributes": [
                    _attribute_json(value_change, with_secrets=with_secrets)
                    | {"writer": _get_writer(writers, plan.before.key(step.change.dn), value_change.name)}
                    for value_change in _find_value_changes(step)
                ],
            }
            for step in plan.steps
        ],
    }


def _get_writer(writers: Mapping[tuple[NormalDN, str], Writer] | None, key: NormalDN, name: str) -> str | None:
    writer = (writers or {}).get((key, name.lower()))
    return writer.value if writer is not None else None


class _ValueChange(NamedTuple):
    """The removed and added values of an attribute."""

    name: str
    removed: tuple[bytes, ...]
    added: tuple[bytes, ...]


def _find_value_changes(step: PlanStep) -> Iterator[_ValueChange]:
    entries = [entry for entry in (step.before, step.after) if entry is not None]
    # Attribute names are case-insensitive (RFC 4512 2.5), so both sides may spell a name differently.
    for name in {each.name.lower(): each.name for entry in entries for each in entry.attributes}.values():
        old, new = (entry.values(name) if entry else () for entry in (step.before, step.after))
        removed = tuple(value for value in old if value not in new)
        added = tuple(value for value in new if value not in old)
        if removed or added:
            yield _ValueChange(name, removed, added)


def _attribute_json(value_change: _ValueChange, *, with_secrets: bool) -> dict[str, Any]:
    removed, added = (
        [_json_value(value_change.name, value, with_secrets=with_secrets) for value in values]
        for values in value_change[1:]
    )
    content: dict[str, Any] = {"name": value_change.name, "removed": removed, "added": added}
    if files := diff_zip_members(value_change.removed, value_change.added):
        content["files"] = [
            {"name": name, "size_before": before and before.length, "size_after": after and after.length}
            for name, before, after in files
        ]
    return content


def _json_value(name: str, value: bytes, *, with_secrets: bool) -> str | dict[str, Any]:
    if is_secret(name, value) and not with_secrets:
        # A text such as (secret) could be mistaken for the value by a script.
        return {"secret": True}
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _not_compared_note(diff: TreeDiff) -> str:
    names = ", ".join(diff.not_compared)
    return (
        ". dcmcfg did not compare these secrets and vendor data, because only one of the two configurations contains "
        f"them: {names}"
        if names
        else ""
    )


def format_single_line(text: str) -> str:
    """Return *text* in one line, with unprintable characters escaped."""
    return escape_unprintable(" ".join(text.split()))


def render_diff_ldif(diff: TreeDiff, side_names: tuple[str, str], *, with_secrets: bool) -> Iterator[str]:
    """Yield the changes as LDIF records that any LDIF client can apply.

    Unless *with_secrets*, secrets are left out of a change, and the whole change if the rest alone would not lead to
    the desired state. A comment lists the attributes.
    """
    yield (
        f"{VERSION_LINE}# dcmcfg diff: from {format_single_line(side_names[0])} to "
        f"{format_single_line(side_names[1])}\n\n"
    )
    for change in diff.plan.changes:
        if with_secrets:
            yield format_change(change)
            continue
        public_change, omitted = make_applicable_without_secrets(change, diff.plan.before.schema)
        comments = [f"secret omitted: {name}" for name in omitted]
        yield (
            format_change(public_change, comments=comments)
            if public_change
            else _format_comment_record(change, comments)
        )


def make_applicable_without_secrets(change: Change, schema: Schema) -> tuple[Change | None, tuple[str, ...]]:
    """Return *change* without secrets (None if nothing is left), and the attributes with removed values.

    The result can be applied: single-valued attributes and REPLACE modifications with secrets are removed as a whole.
    """
    if not isinstance(change, Modify):
        return remove_secrets_from_change(change)
    omitted = dict.fromkeys(each.name for each in change.modifications if _public_values(each) != each.values)
    kept_modifications = []
    for each in change.modifications:
        if each.name not in omitted:
            kept_modifications.append(each)
        # A REPLACE with only the public values would delete the secret ones.
        elif not _replaces_all_values(each, schema) and (values := _public_values(each)):
            kept_modifications.append(replace(each, values=values))
    return (replace(change, modifications=tuple(kept_modifications)) if kept_modifications else None), tuple(omitted)


def _public_values(modification: Modification) -> tuple[bytes, ...]:
    return tuple(value for value in modification.values if not is_secret(modification.name, value))


def _replaces_all_values(modification: Modification, schema: Schema) -> bool:
    definition = schema.attribute(modification.name)
    return modification.operation is Operation.REPLACE or (definition is not None and definition.single_valued)


def _format_comment_record(change: Change, comments: list[str]) -> str:
    return "".join(f"# {line}\n" for line in [format_single_line(str(change.dn)), *comments]) + "\n"


#: Unchanged lines around a change, as in ``diff -u`` and git.
_CONTEXT = 3


def render_unified_diff(diff: TreeDiff, side_names: tuple[str, str], *, with_secrets: bool) -> Iterator[str]:
    """Yield the lines of a unified diff between the exports of both trees, with line ends; none without differences.

    Values that are equal by the schema, or were not compared, appear on both sides as on the first side. Line numbers
    refer to the exports, and the heading of each hunk is the DN of its entry. Entries are compared one by one, so the
    time grows linearly with the text instead of quadratically.
    """
    before, after = diff.plan.before.entries, diff.plan.after.entries
    if not diff.plan.steps:
        return
    yield f"--- {escape_unprintable(side_names[0])}\n"
    yield f"+++ {escape_unprintable(side_names[1])}\n"
    old_line = new_line = 3  # after "version: 1" with its empty line
    # Reversed keys sort a parent directly before its children, as in the exports.
    for key in sorted(before.keys() | after.keys(), key=lambda key: key[::-1]):
        before_entry, after_entry = before.get(key), after.get(key)
        old = _export_lines(before_entry, with_secrets=with_secrets)
        new = old if after_entry is before_entry else _export_lines(after_entry, with_secrets=with_secrets)
        if after_entry is not before_entry:
            if before_entry is not None and after_entry is not None and not with_secrets:
                # Without secrets, both exports have the same comment for different secret values.
                new = _mark_changed_secrets(new, before_entry, after_entry)
            entry = before_entry or after_entry
            yield from _build_hunks(
                old, new, old_line=old_line, new_line=new_line, heading=str(entry.dn) if entry else ""
            )
        old_line += len(old)
        new_line += len(new)


def _export_lines(entry: Entry | None, *, with_secrets: bool) -> list[str]:
    if entry is None:
        return []
    _, record = export_ldif((entry,), with_secrets=with_secrets)
    return record.splitlines(keepends=True)


def _mark_changed_secrets(lines: list[str], before_entry: Entry, after_entry: Entry) -> list[str]:
    """Return *lines* with other comments for secrets that differ; otherwise the diff would not show them."""
    marked_lines = {
        f"# secret omitted: {each.name}\n": f"# different secret omitted: {each.name}\n"
        for each in after_entry.attributes
        if _secret_values(before_entry, each.name) != _secret_values(after_entry, each.name)
    }
    return [marked_lines.get(line, line) for line in lines]


def _secret_values(entry: Entry, name: str) -> set[bytes]:
    return {value for value in entry.values(name) if is_secret(name, value)}


def _build_hunks(old: list[str], new: list[str], *, old_line: int, new_line: int, heading: str) -> Iterator[str]:
    # With autojunk, difflib ignores frequent lines in entries of 200 lines and more, and the hunks get longer.
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        old_range = _format_range(old_line + group[0][1], group[-1][2] - group[0][1])
        new_range = _format_range(new_line + group[0][3], group[-1][4] - group[0][3])
        yield f"@@ -{old_range} +{new_range} @@ {escape_unprintable(heading)}\n"
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                yield from (" " + line for line in old[old_from:old_to])
            else:
                yield from ("-" + line for line in old[old_from:old_to])
                yield from ("+" + line for line in new[new_from:new_to])


def _format_range(start: int, length: int) -> str:
    """Return a range of lines as ``start,length``; an empty range starts at the line before it (POSIX diff)."""
    return f"{start if length else start - 1},{length}"
