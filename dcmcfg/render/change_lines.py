"""Render changes of entries as lines with a sign: ``+`` added, ``-`` removed, ``~`` changed.

Plans and diffs use the same lines. An added or removed entry has one line with its name and summary. Below a changed
entry, each changed attribute has a line. Many capabilities of one AE are only counted. Secrets are not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from itertools import groupby

from rich.console import Console
from rich.text import Text

from dcmcfg.changes import Add, Delete, Modify, Rename
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.model.capabilities import ROLES
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.entry_summary import describe_entry, find_entry_label, is_capability, name_entry
from dcmcfg.render.terminal.cells import diff_zip_members, format_cell_value, format_relative_dn, format_zip_member
from dcmcfg.render.terminal.console import print_text, wrap_text
from dcmcfg.render.terminal.styles import ADDED, CHANGED, NOTE, REMOVED, SIGN_STYLES
from dcmcfg.schema_names import DICOM_TRANSFER_ROLE

#: The maximum number of added, or removed, values shown for an attribute.
_MAX_VALUES = 5
#: The maximum number of files shown for a ZIP file.
_MAX_MEMBERS = 20
#: Up to this many capabilities of one AE are shown individually. More are counted, because an AE has hundreds.
_MAX_CAPABILITIES = 3
#: Columns before the sign of an entry, and additional indentation of the lines below it.
_INDENT, _STEP = 2, 4
_ARROW = " → "


@dataclass(frozen=True)
class ChangeLine:
    """A line with a ``sign``; ``depth`` is 0 for an entry, 1 for an attribute, 2 for a value. ``text`` is escaped."""

    sign: str
    text: str
    depth: int = 0
    #: The new value if a value is replaced; ``text`` ends with the old one.
    new_value: str | None = None
    _: KW_ONLY
    #: A remark in parentheses at the end, such as what makes the change take effect.
    mark: str = ""
    #: The sign of the only value, which ``text`` has before that value, if it is not that of the line.
    value_sign: str = ""


def print_change_lines(console: Console, lines: Sequence[ChangeLine]) -> None:
    """Print *lines* in the colours of their signs, with an empty line before and after them."""
    print_text(console, Text())
    for line in lines:
        style = SIGN_STYLES[line.sign]
        prefix = Text(f"{' ' * (_INDENT + _STEP * line.depth)}{line.sign} ", style=style)
        continuation = Text(" " * (len(prefix) + 2))
        # For a changed entry only the sign is coloured, because green and red text mean added and removed.
        text = Text(line.text, style="" if line.sign == CHANGED else style)
        if line.new_value is not None:
            text.append(_ARROW).append(line.new_value)
        if line.mark:
            text.append(f"  ({line.mark})", style=NOTE)
        for part in wrap_text(text, console, len(continuation)):
            print_text(console, Text.assemble(prefix, part))
            prefix = continuation
    print_text(console, Text())


@dataclass(frozen=True, kw_only=True)
class ChangeListing:
    """Lists the steps of *plan* as lines, with DNs relative to *base*.

    ``max_similar`` limits consecutive steps that add, or remove, entries of one kind below one parent: if there are
    more than twice as many, only the first ``max_similar`` are shown. None shows all. ``marks`` are remarks for the
    steps, in order; ``attribute_marks`` are remarks for attributes (in lower case) of entries.
    """

    plan: Plan
    base: DN
    with_secrets: bool = False
    max_similar: int | None = None
    marks: Sequence[str] = ()
    attribute_marks: Mapping[tuple[NormalDN, str], str] = field(default_factory=dict)

    def build_lines(self, max_entries: int) -> tuple[list[ChangeLine], int]:
        """Return the lines of the first steps, up to *max_entries* entries, and the number of remaining steps."""
        lines: list[ChangeLine] = []
        shown_count, remaining = 0, len(self.plan.steps)
        for steps in self._group_steps():
            if shown_count >= max_entries:
                break
            group_lines = [self._add_mark(line, steps) for line in self._build_group_lines(steps)]
            lines += group_lines
            remaining -= len(steps)
            shown_count += sum(line.depth == 0 for line in group_lines)
        return lines, remaining

    def _add_mark(self, line: ChangeLine, steps: tuple[PlanStep, ...]) -> ChangeLine:
        """Return *line* with the mark of its step; for a group of similar steps, with all their marks."""
        if line.depth != 0:
            return line
        marks = dict.fromkeys(self._marks_by_step.get(id(step), "") for step in steps)
        return replace(line, mark="; ".join(filter(None, marks)))

    @cached_property
    def _marks_by_step(self) -> Mapping[int, str]:
        return {id(step): mark for step, mark in zip(self.plan.steps, self.marks, strict=False)}

    @cached_property
    def _has_renames(self) -> bool:
        return any(isinstance(change, Rename) for change in self.plan.changes)

    def _is_counted_with_ae(self, step: PlanStep) -> bool:
        """Return whether the AE of a capability is added or removed too: the line of the AE counts the capability.

        A renamed AE also exists in one tree only under its new name, but its line has no count.
        """
        other_tree = self.plan.before if isinstance(step.change, Add) else self.plan.after
        return step.change.dn.parent not in other_tree and not self._has_renames

    def _group_steps(self) -> Iterator[tuple[PlanStep, ...]]:
        """Yield groups of steps: consecutive similar steps as one group, every other step as its own group."""

        def get_group_key(step: PlanStep) -> tuple[object, ...]:
            match step.change:
                case Add() | Delete():
                    parent = self.plan.before.key(step.change.dn.parent)
                    return type(step.change), parent, find_entry_label(_get_entry(step))
                case Modify() | Rename():
                    # The key is unique, so a change or a rename is never grouped.
                    return (id(step),)

        for _, alike in groupby(self.plan.steps, get_group_key):
            steps = tuple(alike)
            if _are_capabilities(steps) or (self.max_similar is not None and len(steps) > 2 * self.max_similar):
                yield steps
            else:
                yield from ((step,) for step in steps)

    def _build_group_lines(self, steps: tuple[PlanStep, ...]) -> Iterator[ChangeLine]:
        first = steps[0]
        if _are_capabilities(steps):
            yield from self._build_capability_lines(steps)
            return
        shown_steps = steps if len(steps) == 1 or self.max_similar is None else steps[: self.max_similar]
        for step in shown_steps:
            yield from self._build_step_lines(step)
        if hidden_count := len(steps) - len(shown_steps):
            parent = escape_unprintable(format_relative_dn(first.change.dn.parent, self.base))
            yield ChangeLine(_get_sign(first), f"… and {hidden_count} more below {parent}")

    def _build_capability_lines(self, steps: tuple[PlanStep, ...]) -> Iterator[ChangeLine]:
        """Yield lines for the capabilities of an AE: a count, or one line each if they are few.

        Yield nothing if the line of the AE counts them.
        """
        first, tree = steps[0], self._get_tree(steps[0])
        ae_dn = first.change.dn.parent
        if self._is_counted_with_ae(first):
            return
        if len(steps) <= _MAX_CAPABILITIES:
            for step in steps:
                yield from self._build_step_lines(step)
            return
        role_counts = Counter(_get_entry(step).text(DICOM_TRANSFER_ROLE) for step in steps)
        counts = ", ".join(f"{role_counts[role]} {role}" for role in reversed(ROLES) if role_counts[role])
        ae = tree.get(ae_dn)
        name = name_entry(ae, tree, self.base) if ae is not None else format_relative_dn(ae_dn, self.base)
        number = format_count(len(steps), "capability", "capabilities")
        yield ChangeLine(_get_sign(first), f"{number} of {escape_unprintable(name)}: {counts}")

    def _build_step_lines(self, step: PlanStep) -> Iterator[ChangeLine]:
        entry, tree = _get_entry(step), self._get_tree(step)
        name = escape_unprintable(name_entry(entry, tree, self.base))
        match step.change:
            case Add() | Delete():
                details = escape_unprintable(describe_entry(entry, tree))
                yield ChangeLine(_get_sign(step), f"{name}: {details}" if details else name)
            case Modify(dn, modifications):
                yield ChangeLine(CHANGED, name)
                for attribute in dict.fromkeys(modification.name for modification in modifications):
                    first, *others = self._build_attribute_lines(attribute, step)
                    mark = self.attribute_marks.get((self.plan.before.key(dn), attribute.lower()), "")
                    yield from (replace(first, mark=mark), *others)
            case Rename() as rename:
                new_name = name_entry(step.after, tree, self.base) if step.after is not None else ""
                if new_name == name:  # the entries have the same name in the report; their DNs differ
                    name, new_name = (str(dn.relative_to(self.base)) for dn in (rename.dn, rename.new_dn))
                yield ChangeLine(CHANGED, name, new_value=escape_unprintable(new_name))

    def _get_tree(self, step: PlanStep) -> Tree:
        return self.plan.after if isinstance(step.change, Add) else self.plan.before

    def _build_attribute_lines(self, name: str, step: PlanStep) -> Iterator[ChangeLine]:
        old, new = (entry.values(name) if entry else () for entry in (step.before, step.after))
        removed = [self._format_value(name, value) for value in old if value not in new]
        added = [self._format_value(name, value) for value in new if value not in old]
        sign = ADDED if not old else REMOVED if not new else CHANGED
        label = escape_unprintable(name)
        match removed, added:
            case [], []:
                yield ChangeLine(sign, f"{label}: same values in a different order", 1)
            case [value], []:
                yield _make_single_value_line(sign, REMOVED, label, value)
            case [], [value]:
                yield _make_single_value_line(sign, ADDED, label, value)
            case [old_value], [new_value]:
                yield ChangeLine(sign, f"{label}: {old_value}", 1, new_value)
            case _:
                yield ChangeLine(sign, label, 1)
                yield from _build_value_lines(REMOVED, removed)
                yield from _build_value_lines(ADDED, added)
        yield from _build_zip_member_lines(
            [value for value in old if value not in new], [value for value in new if value not in old]
        )

    def _format_value(self, name: str, value: bytes) -> str:
        """Return *value* escaped: a DN relative to the base, and only the length of a long or binary value."""
        text = format_cell_value(name, value, with_secrets=self.with_secrets)
        definition = self.plan.before.schema.attribute(name)
        # Only in a value of DN syntax is the base a suffix that can be left out; in other text it may be content.
        if definition is not None and definition.syntax == "DN" and self.base.rdns:
            text = text.removesuffix(f",{self.base}")
        return escape_unprintable(text)


def _make_single_value_line(sign: str, value_sign: str, label: str, value: str) -> ChangeLine:
    """Return the line of one value, with the sign of the value unless the line has the same sign."""
    if value_sign == sign:
        return ChangeLine(sign, f"{label}: {value}", 1)
    return ChangeLine(sign, f"{label}: {value_sign} {value}", 1, value_sign=value_sign)


def _build_value_lines(sign: str, values: Sequence[str]) -> Iterator[ChangeLine]:
    # A line "and 1 more" would take as much room as the last value itself.
    shown = values if len(values) <= _MAX_VALUES + 1 else values[:_MAX_VALUES]
    yield from (ChangeLine(sign, value, 2) for value in shown)
    if hidden_count := len(values) - len(shown):
        yield ChangeLine(sign, f"… and {hidden_count} more", 2)


def _build_zip_member_lines(removed: Sequence[bytes], added: Sequence[bytes]) -> Iterator[ChangeLine]:
    """Yield a line for each file that differs between an old and a new ZIP file; either may be missing."""
    members = diff_zip_members(removed, added)
    for name, before, after in members[:_MAX_MEMBERS]:
        old, new = (escape_unprintable(format_zip_member(name, each)) if each else "" for each in (before, after))
        match before, after:
            case None, _:
                yield ChangeLine(ADDED, new, 2)
            case _, None:
                yield ChangeLine(REMOVED, old, 2)
            case _:
                yield ChangeLine(CHANGED, old, 2, new)
    if (hidden_count := len(members) - _MAX_MEMBERS) > 0:
        yield ChangeLine(CHANGED, f"… and {hidden_count} more files", 2)


def _are_capabilities(steps: Sequence[PlanStep]) -> bool:
    """Return whether the similar *steps* add or remove capabilities."""
    return isinstance(steps[0].change, Add | Delete) and is_capability(_get_entry(steps[0]))


def _get_sign(step: PlanStep) -> str:
    return ADDED if isinstance(step.change, Add) else REMOVED


def _get_entry(step: PlanStep) -> Entry:
    """Return the entry after an Add, otherwise the entry before the step."""
    entry = step.after if step.before is None else step.before
    return Entry(step.change.dn) if entry is None else entry
