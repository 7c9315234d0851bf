"""The reports of applied changes, for Markdown and for a web page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.change_lines import ChangeLine
from dcmcfg.render.history import format_empty_history, list_history_rows, list_rollout_facts
from dcmcfg.render.ldif_lines import format_changes_ldif
from dcmcfg.render.plan import MAX_LDIF_LINES
from dcmcfg.render.report import Fact, Rating, Report, ReportCell, ReportSection
from dcmcfg.render.shared_history import format_recorded_value, list_shared_facts
from dcmcfg.render.terminal.styles import ADDED, CHANGED, REMOVED
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.recorded_steps import RecordedAttribute, RecordedStep, StepOperation
from dcmcfg.rollout.shared_record import SharedRecord, list_recorded_steps
from dcmcfg.rollout.site_history import SiteHistory

_COMMAND = "dcmcfg history"
_SIGNS = {
    StepOperation.ADD: ADDED,
    StepOperation.DELETE: REMOVED,
    StepOperation.CHANGE: CHANGED,
    StepOperation.RENAME: CHANGED,
}
_RATINGS: dict[RolloutStatus, Rating] = {
    RolloutStatus.APPLIED: "good",
    RolloutStatus.PARTIALLY_APPLIED: "bad",
    RolloutStatus.INTERRUPTED: "bad",
}
#: Facts to copy: they are shown as code.
_CODE_FACTS = frozenset({"Command", "Undo file"})
#: The maximum number of entries in a report.
_MAX_STEPS = 500


def build_history_report(site_history: SiteHistory, created: datetime) -> Report:
    """Return the list of all changes, the newest first."""
    rows = list_history_rows(site_history)
    if not rows:
        return Report(command=_COMMAND, headline=format_empty_history(site_history), created=created)
    section = ReportSection(
        title="Changes",
        columns=("Change", "Time (UTC)", "Entries", "Result", "User", "Directory", "Command"),
        rows=tuple(
            (
                *map(ReportCell, row.cells),
                ReportCell(row.user),
                ReportCell(row.directory, is_code=True),
                ReportCell(row.command, is_code=True),
            )
            for row in rows
        ),
    )
    return Report(
        command=_COMMAND,
        headline=format_count(len(rows), "change", grouped=True),
        sections=(section,),
        created=created,
    )


def build_rollout_report(history: History, record: RolloutRecord, created: datetime, *, undo_command: str) -> Report:
    """Return the details of *record*, a change of this account, with the values before and after each step.

    *undo_command* reverts the change.
    """
    facts = list_rollout_facts(history, record)
    is_reverted = history.find_undo_of(record) is not None
    sections = list(_build_step_sections(list_recorded_steps(record)))
    status = determine_status(record)
    if not is_reverted and status not in (RolloutStatus.NOTHING_CHANGED, RolloutStatus.CLOSED):
        sections.append(ReportSection(title="To revert the change", commands=(undo_command,)))
    ldif = format_changes_ldif(record.changes)
    if len(ldif.splitlines()) <= MAX_LDIF_LINES:
        sections.append(ReportSection(title="LDIF", text=ldif, text_language="ldif"))
    return Report(
        command=_COMMAND,
        headline=f"Change {record.number}: {dict(facts)['Result']}",
        rating="plain" if is_reverted or history.is_running(record) else _RATINGS.get(status, "plain"),
        facts=tuple(map(_make_fact, facts)),
        sections=tuple(sections),
        created=created,
    )


def build_shared_record_report(site_history: SiteHistory, record: SharedRecord, created: datetime) -> Report:
    """Return the details of *record*, a change by another account."""
    facts = list_shared_facts(site_history, record)
    return Report(
        command=_COMMAND,
        headline=f"Change {site_history.get_reference(record)}: {dict(facts)['Result']}",
        rating="plain" if site_history.find_undo_of(record) is not None else _RATINGS.get(record.status, "plain"),
        facts=tuple(map(_make_fact, facts)),
        sections=tuple(_build_step_sections(record.steps)),
        created=created,
    )


def _make_fact(fact: tuple[str, str]) -> Fact:
    name, text = fact
    return name, ReportCell(text, is_code=name in _CODE_FACTS)


def _build_step_sections(steps: Sequence[RecordedStep]) -> Iterator[ReportSection]:
    if steps:
        hidden_count = len(steps) - _MAX_STEPS
        more = f"The first {_MAX_STEPS} entries are shown. {hidden_count} more were changed."
        yield ReportSection(
            title="Changes",
            sentences=(more,) if hidden_count > 0 else (),
            changes=tuple(line for step in steps[:_MAX_STEPS] for line in _build_step_lines(step)),
        )


def _build_step_lines(step: RecordedStep) -> Iterator[ChangeLine]:
    new_name = escape_unprintable(step.new_dn) if step.new_dn else None
    yield ChangeLine(_SIGNS[step.operation], escape_unprintable(step.dn), new_value=new_name)
    if step.operation is not StepOperation.RENAME:
        for attribute in step.attributes:
            yield from _build_attribute_lines(attribute)


def _build_attribute_lines(attribute: RecordedAttribute) -> Iterator[ChangeLine]:
    name, mark = escape_unprintable(attribute.name), attribute.hidden
    removed, added = (
        [escape_unprintable(format_recorded_value(value)) for value in values]
        for values in (attribute.removed, attribute.added)
    )
    match removed, added:
        case [], []:
            yield ChangeLine(CHANGED, name, 1, mark=mark or "removed")
        case [old], [new]:
            yield ChangeLine(CHANGED, f"{name}: {old}", 1, new, mark=mark)
        case _:
            yield from (ChangeLine(REMOVED, f"{name}: {each}", 1, mark=mark) for each in removed)
            yield from (ChangeLine(ADDED, f"{name}: {each}", 1, mark=mark) for each in added)
