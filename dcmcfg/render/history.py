"""Render applied changes (roll-outs) as a table, one by one, and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from dcmcfg.nodes.node_record import RecordedNode, read_node_record
from dcmcfg.nodes.run import NodeState
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.ldif_lines import format_changes_ldif, print_ldif
from dcmcfg.render.shared_history import format_counts, format_shared_result, shared_record_json
from dcmcfg.render.terminal.console import get_bounded_width, print_command, print_line, print_prose
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.reload_result import RecordedReload, RecordedReloadOutcome, read_reload
from dcmcfg.rollout.shared_record import SharedRecord
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.secret_values import redact_command
from dcmcfg.timestamps import make_iso_key, reformat_timestamp


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """The cells of a change in the list (change, time, entries, result), and its start for the order."""

    started_at: str
    number: int
    cells: tuple[str, str, str, str]
    user: str
    directory: str
    command: str


def print_history(console: Console, site_history: SiteHistory) -> None:
    """Print a line for each change, the newest first; user and directory are above the table if all are the same."""
    rows = list_history_rows(site_history)
    if not rows:
        print_line(console, format_empty_history(site_history))
        return
    changes, times, counts, results = zip(*(row.cells for row in rows), strict=True)
    columns = {
        ListColumn(heading="Change"): changes,
        ListColumn(heading="Time (UTC)"): times,
        ListColumn(heading="Entries", drop_order=1, min_width=12): counts,
        ListColumn(heading="Result"): results,
    }
    for heading, drop_order, cells in (
        ("User", 2, tuple(row.user for row in rows)),
        ("Directory", 3, tuple(row.directory for row in rows)),
    ):
        # One line above the table leaves its width to the commands.
        if len(set(cells)) == 1:
            print_line(console, f"{heading + ':':<10} {cells[0]}")
        else:
            columns[ListColumn(heading=heading, drop_order=drop_order, min_width=12)] = cells
    columns[ListColumn(heading="Command", min_width=24)] = tuple(row.command for row in rows)
    print_list(console, list(columns), list(zip(*columns.values(), strict=True)))


def format_empty_history(site_history: SiteHistory) -> str:
    """Return the sentence for a history without changes."""
    return f"No changes were applied{'' if site_history.is_shared else ' from this account'}"


def list_history_rows(site_history: SiteHistory) -> list[HistoryRow]:
    """Return a row for each change, the newest first; the texts are escaped."""
    own = [_make_row(site_history.own, record) for record in site_history.own.records]
    foreign = [_make_shared_row(site_history, record) for record in site_history.foreign]
    # Alone, the changes of an account are in the order of their numbers, also if the clock was set back.
    if not foreign:
        return own
    return sorted((*own, *foreign), key=lambda row: (make_iso_key(row.started_at), row.number), reverse=True)


def _make_row(history: History, record: RolloutRecord) -> HistoryRow:
    result = _format_result(history, record) + _reload_suffix(_read_outcome(record))
    time, counts = _shorten_time(_format_time(record)), escape_unprintable(_format_counts(record))
    return HistoryRow(
        started_at=record.header.started_at,
        number=record.number,
        cells=(str(record.number), time, counts, result),
        user=escape_unprintable(_format_user(record)),
        directory=escape_unprintable(record.header.ldap_url),
        command=escape_unprintable(_get_command(record)),
    )


def _make_shared_row(site_history: SiteHistory, record: SharedRecord) -> HistoryRow:
    reference = escape_unprintable(site_history.get_reference(record))
    time = _shorten_time(reformat_timestamp(record.started_at))
    result = format_shared_result(site_history, record) + _reload_suffix(record.reload)
    return HistoryRow(
        started_at=record.started_at,
        number=record.number,
        cells=(reference, time, escape_unprintable(format_counts(record.counts)), result),
        user=escape_unprintable(f"{record.account}@{record.host}"),
        directory=escape_unprintable(record.ldap_url),
        command=escape_unprintable(record.command),
    )


def _shorten_time(text: str) -> str:
    return escape_unprintable(text[: len("2026-01-31 23:59")])


def print_rollout(console: Console, history: History, record: RolloutRecord) -> None:
    """Print all details of the change *record*, and its steps as LDIF without secrets."""
    for name, text in list_rollout_facts(history, record):
        if text:
            print_line(console, f"{name + ':':<11}{escape_unprintable(text)}")
    print_line(console, "")
    print_ldif(console, format_changes_ldif(record.changes))


def list_rollout_facts(history: History, record: RolloutRecord) -> tuple[tuple[str, str], ...]:
    """Return names and texts of the details of the change *record*; a text may be empty, and is not escaped."""
    header = record.header
    return (
        ("Change", str(record.number)),
        ("Time", _format_time(record)),
        ("User", _format_user(record)),
        ("Site", header.site),
        ("Command", _get_command(record)),
        ("Entries", f"{_format_counts(record)}, {header.strategy}"),
        ("Result", _format_result(history, record)),
        ("Reload", _format_reload(record)),
        *(("Node", _format_node(each)) for each in _list_nodes(record)),
        *(("Written", text) for text in _list_overwritten(record)),
        ("Reverts", f"change {header.undo_of}" if header.undo_of is not None else ""),
        ("Undo file", str(record.undo_file)),
    )


def history_json(site_history: SiteHistory) -> dict[str, Any]:
    """Return ``rollouts`` for ``--json``: each change without its steps, the newest first.

    Changes of this account are those of :func:`rollout_json`, changes by other accounts those of
    :func:`~dcmcfg.render.shared_history.shared_record_json`.
    """
    own = [rollout_json(site_history.own, record) for record in site_history.own.records]
    foreign = [shared_record_json(site_history, record) for record in site_history.foreign]
    if not foreign:
        return {"rollouts": own}
    every = sorted((*own, *foreign), key=lambda each: (make_iso_key(each["started_at"]), each["number"]), reverse=True)
    return {"rollouts": every}


def rollout_json(history: History, record: RolloutRecord, *, with_changes: bool = False) -> dict[str, Any]:
    """Return the change *record* for ``--json``.

    ``reference`` is the name of the change in commands. ``result`` is one of ``applied``, ``nothing changed``,
    ``partially applied``, ``interrupted`` (the result of the current step is not known yet), ``in progress``, ``closed
    manually``. ``rejected_count`` is the number of rejected changes. ``changes`` is LDIF (only with *with_changes*).
    ``reload`` has ``outcome`` (``loaded``, ``failed``, ``unknown``, ``not requested``) and the ``reason`` of a failure;
    it is null if the record has no reload. ``nodes`` has the state of each node, null if the record has none.
    ``overwritten`` are sentences about entries that somebody wrote after the change.
    """
    header, undo_record = record.header, history.find_undo_of(record)
    content: dict[str, Any] = {
        "number": record.number,
        "reference": str(record.number),
        "started_at": header.started_at,
        "user": header.user,
        "host": header.host,
        "ldap_url": header.ldap_url,
        "site": header.site,
        "command": _get_command(record),
        "counts": dict(header.counts),
        "step_count": header.steps,
        "applied_step_count": record.read_progress().applied,
        "strategy": header.strategy,
        "rejected_count": header.rejected_count,
        "result": "in progress" if history.is_running(record) else determine_status(record).value,
        "reload": _reload_json(record),
        "nodes": _nodes_json(record),
        "overwritten": list(_list_overwritten(record)),
        "undo_of": header.undo_of,
        "undone_by": undo_record.number if undo_record else None,
        "undo_file": str(record.undo_file),
    }
    return content | ({"changes": format_changes_ldif(record.changes)} if with_changes else {})


def print_undo(console: Console, record: RolloutRecord) -> None:
    """Print the change that an undo reverts."""
    _print_with_command(console, f"Reverts {_describe_rollout(record)}", record)


def print_partial_undo(console: Console, record: RolloutRecord) -> None:
    """Print the change that a partial undo reverts as far as possible."""
    _print_with_command(console, f"Partially reverts {_describe_rollout(record)}", record)


def print_resume(console: Console, record: RolloutRecord) -> None:
    """Print the change that is resumed, and its progress."""
    progress = f"{record.read_progress().applied} of {record.header.steps} steps are applied"
    _print_with_command(console, f"Resumes {_describe_rollout(record)} ({progress})", record)


def _print_with_command(console: Console, text: str, record: RolloutRecord) -> None:
    """Print *text* and the command of *record*: in one line, or if this is too long, the command on its own line."""
    width, command = get_bounded_width(console), _get_command(record)
    line = escape_unprintable(f"{text}: {command}")
    if width is None or cell_len(line) <= width:
        print_line(console, line)
        return
    print_prose(console, f"{text}:")
    print_command(console, command)


def _describe_rollout(record: RolloutRecord) -> str:
    return f"change {record.number} of {_format_time(record)} by {record.header.user}"


def _format_time(record: RolloutRecord) -> str:
    return reformat_timestamp(record.header.started_at)


def _get_command(record: RolloutRecord) -> str:
    return redact_command(record.header.command)


def _format_user(record: RolloutRecord) -> str:
    return f"{record.header.user}@{record.header.host}"


def _format_counts(record: RolloutRecord) -> str:
    return format_counts(record.header.counts)


def _format_reload(record: RolloutRecord) -> str:
    """Return the result of the reload after the change, empty if the record has none."""
    result = _read_reload(record)
    match result:
        case None:
            return ""
        case RecordedReload(RecordedReloadOutcome.FAILED, reason):
            return f"failed: {' '.join(reason.split())}"
        case RecordedReload(outcome):
            return outcome.value


def _list_nodes(record: RolloutRecord) -> tuple[RecordedNode, ...]:
    """Return the nodes of the change; none for an archive of one node whose result is that of the reload."""
    node_record = read_node_record(record.folder)
    nodes = node_record.nodes if node_record is not None else ()
    return nodes if len(nodes) > 1 or any(each.confirmed_by for each in nodes) else ()


def _format_node(node: RecordedNode) -> str:
    state, reason = node.state.value, " ".join(node.reason.split())
    if node.confirmed_by:
        return f"{node.name}, {state}, confirmed by {', '.join(node.confirmed_by)}"
    if node.state is NodeState.LOADED and reason:
        return f"{node.name}, {state}, not confirmed: {reason}"
    return f"{node.name}, {state}" + (f": {reason}" if reason else "")


def _list_overwritten(record: RolloutRecord) -> tuple[str, ...]:
    node_record = read_node_record(record.folder)
    return node_record.overwritten if node_record is not None else ()


def _nodes_json(record: RolloutRecord) -> list[dict[str, Any]] | None:
    node_record = read_node_record(record.folder)
    if node_record is None:
        return None
    return [
        {
            "name": each.name,
            "archive_url": each.archive_url,
            "ldap_url": each.ldap_url,
            "state": each.state.value,
            "confirmed_by": list(each.confirmed_by),
            "reason": each.reason or None,
        }
        for each in node_record.nodes
    ]


def _read_reload(record: RolloutRecord) -> RecordedReload | None:
    """Return the result of the reload after the change, or None if the record has none.

    A run that was killed after its last node has left an unknown result, but the record of the nodes has their states.
    """
    result = read_reload(record.folder)
    if result is None or result.outcome is not RecordedReloadOutcome.UNKNOWN:
        return result
    node_record = read_node_record(record.folder)
    is_loaded = node_record is not None and bool(node_record.nodes) and not node_record.pending_nodes
    return RecordedReload(RecordedReloadOutcome.LOADED) if is_loaded else result


def _read_outcome(record: RolloutRecord) -> RecordedReloadOutcome | None:
    result = _read_reload(record)
    return result.outcome if result is not None else None


def _reload_suffix(outcome: RecordedReloadOutcome | None) -> str:
    match outcome:
        case RecordedReloadOutcome.FAILED:
            return ", reload failed"
        case RecordedReloadOutcome.UNKNOWN:
            return ", reload unknown"
    return ""


def _reload_json(record: RolloutRecord) -> dict[str, str] | None:
    result = _read_reload(record)
    return {"outcome": result.outcome.value, "reason": result.reason} if result else None


def _format_result(history: History, record: RolloutRecord) -> str:
    progress, steps = record.read_progress(), record.header.steps
    if undo_record := history.find_undo_of(record):
        rejected_count = undo_record.header.rejected_count
        exception_text = f", except {format_count(rejected_count, 'change')}" if rejected_count else ""
        return f"reverted by {undo_record.number}{exception_text}"
    if history.is_running(record):
        return f"in progress, {progress.applied} of {steps} applied"
    result = determine_status(record)
    progress_texts = {
        RolloutStatus.PARTIALLY_APPLIED: f", {progress.applied} of {steps}",
        RolloutStatus.INTERRUPTED: f", at least {progress.applied} of {steps} applied",
    }
    return str(result.value) + progress_texts.get(result, "")
