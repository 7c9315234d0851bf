"""Render a plan as lines with signs, as LDIF without secrets, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from rich.console import Console

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.plan.plan import Plan, UnchangedItem
from dcmcfg.plan.recorded_names import RecordedStudies
from dcmcfg.plan.risk_checks import Risk
from dcmcfg.plan.step_effects import classify_steps
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.change_lines import ChangeListing, print_change_lines
from dcmcfg.render.check import finding_json
from dcmcfg.render.ldif_lines import format_changes_ldif, print_ldif
from dcmcfg.render.terminal.console import print_line

#: The maximum number of entries shown for a plan; ``--output`` writes all of it.
SHOWN_STEPS = 40
#: LDIF of up to this many lines (one or two changed values) is shown with the plan. Together with the plan and the
#: question, it fits on a terminal of 24 lines.
MAX_LDIF_LINES = 12
#: What is already the case, by the type of an unnecessary change.
_UNCHANGED_LABELS = {
    "add": "already present",
    "modify": "unchanged",
    "rename": "already renamed",
    "delete": "already absent",
}
#: The number of entries shown of many similar ones that are added, or removed, below one parent.
_MAX_SIMILAR_STEPS = 3


def print_plan(console: Console, plan: Plan, *, show_ldif: bool = False, show_short_ldif: bool = True) -> None:
    """Print *plan*: a line with a sign for each entry, with its effect, and one for each changed attribute.

    With *show_ldif*, the plan is also printed as LDIF; with *show_short_ldif*, only if the LDIF is short. Of many
    similar entries, the first ones are shown.
    """
    lines, remaining = ChangeListing(
        plan=plan,
        base=find_devices_dn(plan.before, plan.after),
        max_similar=_MAX_SIMILAR_STEPS,
        marks=[each.describe() for each in classify_steps(plan)],
    ).build_lines(SHOWN_STEPS)
    print_change_lines(console, lines)
    if remaining:
        print_line(console, f"… and {remaining} more steps")
    # Each step has at least one line, so the LDIF of a large plan is not formatted only to count its lines.
    may_be_short = show_short_ldif and len(plan.steps) <= MAX_LDIF_LINES
    ldif = format_changes_ldif(plan.changes).rstrip("\n") if show_ldif or may_be_short else ""
    if show_ldif or 0 < len(ldif.splitlines()) <= MAX_LDIF_LINES:
        print_ldif(console, ldif)
        print_line(console, "")
    else:
        print_line(console, "To show the LDIF, use --show-ldif. To save the LDIF, use --output FILE.")


def format_plan_counts(plan: Plan) -> str:
    """Return the numbers of entries by operation: ``2 to add, 1 to change``."""
    return _format_counts(plan, {Add: "to add", Modify: "to change", Rename: "to rename", Delete: "to delete"})


def format_applied_counts(plan: Plan) -> str:
    """Return the numbers of entries by operation of an applied plan: ``2 added, 1 changed``."""
    return _format_counts(plan, {Add: "added", Modify: "changed", Rename: "renamed", Delete: "deleted"})


def _format_counts(plan: Plan, operation_texts: Mapping[type[Change], str]) -> str:
    counts = Counter(type(change) for change in plan.changes)
    return ", ".join(
        f"{counts[kind]} {operation_text}" for kind, operation_text in operation_texts.items() if counts[kind]
    )


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return *plan* for ``--json``: ``steps`` in order, and ``unchanged``.

    Each step has ``dn``, ``change_type``, ``ldif``, ``takes_effect`` and ``cache_time``. Each item of ``unchanged`` has
    ``dn``, ``change_type`` (``content`` for an entry of a content record) and ``already_absent``: phrases about values
    to delete that do not exist.
    """
    return {
        "steps": [
            {
                "dn": str(step.change.dn),
                "change_type": _change_type(step.change),
                "ldif": format_changes_ldif([step.change]),
                "takes_effect": [each.value for each in effect.effects],
                "cache_time": effect.cache_time or None,
            }
            for step, effect in zip(plan.steps, classify_steps(plan), strict=True)
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
    """Return *risks* for ``--json``: ``name``, ``message``, ``entries``, and ``forced`` for those in *forced_names*.

    A risk from findings has ``findings``: the objects of ``check --json``, with the ``fix`` in words. A name with
    studies in the archive's database has ``records``: ``kind``, ``name``, ``purged_count`` and ``local_count`` (lower
    bounds unless ``complete``), and ``unknown_reason``, null if the numbers are known.
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
    """Yield a line for each change that the tree already has (the first ones of many), and one for content records.

    A change that a typo warning reports has no line.
    """
    changes = [each for each in plan.unchanged if not each.is_content_record and not each.is_in_warnings]
    yield from map(_format_unchanged_line, changes[:SHOWN_STEPS])
    if (hidden_count := len(changes) - SHOWN_STEPS) > 0:
        yield f"unchanged: {hidden_count} more"
    if content_count := sum(each.is_content_record for each in plan.unchanged):
        yield f"{content_count} entries are unchanged" if content_count > 1 else "1 entry is unchanged"


def _format_unchanged_line(unchanged: UnchangedItem) -> str:
    dn = str(unchanged.change.dn)
    missing_note = f" ({escape_unprintable('; '.join(unchanged.missing_items))})" if unchanged.missing_items else ""
    return f"{_UNCHANGED_LABELS[_change_type(unchanged.change)]}: {escape_unprintable(dn)}{missing_note}"


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
