"""Render changes by other accounts from the shared history: in detail, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console

from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import print_line
from dcmcfg.rollout.history import RolloutStatus
from dcmcfg.rollout.recorded_steps import RecordedAttribute, RecordedStep, StepOperation
from dcmcfg.rollout.shared_record import SharedRecord
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.timestamps import reformat_timestamp

_PAST_VERBS = {"add": "added", "change": "changed", "rename": "renamed", "delete": "deleted"}
_SIGNS = {StepOperation.ADD: "+", StepOperation.DELETE: "-", StepOperation.CHANGE: "~", StepOperation.RENAME: "~"}


def format_counts(counts: Mapping[str, int]) -> str:
    """Return the planned number of entries by operation: ``2,000 added, 1 changed``."""
    return ", ".join(
        f"{count:,} {_PAST_VERBS.get(operation, operation)}" for operation, count in sorted(counts.items())
    )


def format_shared_result(site_history: SiteHistory, record: SharedRecord) -> str:
    """Return the result of *record* for output, such as ``applied`` or ``reverted by op2-4``."""
    applied, steps = record.applied_step_count, len(record.steps)
    if (undo := site_history.find_undo_of(record)) is not None:
        exception_text = f", except {format_count(undo.rejected_count, 'change')}" if undo.rejected_count else ""
        return escape_unprintable(f"reverted by {site_history.get_reference(undo)}{exception_text}")
    if site_history.is_running(record):
        return f"in progress, {applied} of {steps} applied"
    progress_texts = {
        RolloutStatus.PARTIALLY_APPLIED: f", {applied} of {steps}",
        RolloutStatus.INTERRUPTED: f", at least {applied} of {steps} applied",
    }
    return record.status.value + progress_texts.get(record.status, "")


def print_shared_record(console: Console, site_history: SiteHistory, record: SharedRecord) -> None:
    """Print all details of *record*, and its steps without secrets and vendor data."""
    for name, text in list_shared_facts(site_history, record):
        if text:
            print_line(console, f"{name + ':':<11}{escape_unprintable(text)}")
    print_line(console, "")
    for step in record.steps:
        for line in _format_step(step):
            print_line(console, escape_unprintable(line))


def list_shared_facts(site_history: SiteHistory, record: SharedRecord) -> tuple[tuple[str, str], ...]:
    """Return names and texts of the details of *record*; a text may be empty, and is not escaped."""
    undo_of = f"change {record.undo_of} of {record.account}" if record.undo_of is not None else ""
    return (
        ("Change", site_history.get_reference(record)),
        ("Time", reformat_timestamp(record.started_at)),
        ("User", f"{record.account}@{record.host}"),
        ("Site", record.site),
        ("Command", record.command),
        ("Entries", f"{format_counts(record.counts)}, {record.strategy}"),
        ("Result", format_shared_result(site_history, record)),
        ("Reload", record.reload.value if record.reload is not None else ""),
        ("Reverts", undo_of),
        ("Undo", f"only {record.account} can revert this change"),
    )


def _format_step(step: RecordedStep) -> Iterator[str]:
    yield f"  {_SIGNS[step.operation]} {step.dn}" + (f" → {step.new_dn}" if step.new_dn else "")
    for attribute in step.attributes:
        yield f"      {_format_attribute(attribute)}"


def _format_attribute(attribute: RecordedAttribute) -> str:
    hidden = f" ({attribute.hidden})" if attribute.hidden else ""
    removed, added = (", ".join(map(format_recorded_value, each)) for each in (attribute.removed, attribute.added))
    match removed, added:
        case "", "":
            return f"{attribute.name}:{hidden or ' removed'}"
        case "", _:
            return f"+ {attribute.name}: {added}{hidden}"
        case _, "":
            return f"- {attribute.name}: {removed}{hidden}"
    return f"~ {attribute.name}: {removed} → {added}{hidden}"


def format_recorded_value(value: str | int) -> str:
    """Return *value* of a recorded step, which may be only the number of its octets."""
    return value if isinstance(value, str) else f"({format_count(value, 'octet')})"


def shared_record_json(
    site_history: SiteHistory, record: SharedRecord, *, with_changes: bool = False
) -> dict[str, Any]:
    """Return *record*, a change by another account, for ``--json``.

    The keys are those of a change of this account (:func:`~dcmcfg.render.history.rollout_json`). Keys of files that are
    private to the other account are null. With *with_changes*, ``steps`` has the entries and attributes of each step.
    """
    undo = site_history.find_undo_of(record)
    content: dict[str, Any] = {
        "number": record.number,
        "reference": site_history.get_reference(record),
        "started_at": record.started_at,
        "user": record.account,
        "host": record.host,
        "ldap_url": record.ldap_url,
        "site": record.site,
        "command": record.command,
        "counts": dict(record.counts),
        "step_count": len(record.steps),
        "applied_step_count": record.applied_step_count,
        "strategy": record.strategy,
        "rejected_count": record.rejected_count,
        "result": "in progress" if site_history.is_running(record) else record.status.value,
        "reload": {"outcome": record.reload.value, "reason": ""} if record.reload is not None else None,
        "nodes": None,
        "overwritten": [],
        "undo_of": record.undo_of,
        "undone_by": undo.number if undo is not None else None,
        "undo_file": None,
    }
    return content | ({"steps": [step.to_json() for step in record.steps]} if with_changes else {})
