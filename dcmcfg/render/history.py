"""Roll-outs as a table, one by one, and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from dcmcfg.render.plan import changes_ldif
from dcmcfg.render.terminal.console import bounded_width, print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table
from dcmcfg.rollout.history import History, Result, result_of
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.reload_result import Reloaded, ReloadResult, read_result
from dcmcfg.secret_values import is_secret
from dcmcfg.timestamps import readable_text

#: Where lines have a width, so much of a command is listed; ``history N`` shows it whole.
_SHOWN_COMMAND = 60
#: In place of "done": the record is of the directory; what became of the reload stands beside it.
_WRITTEN = "written"
_DONE = {"add": "added", "change": "changed", "rename": "renamed", "delete": "deleted"}


def print_history(console: Console, history: History) -> None:
    """Print a line for each roll-out, the newest first; who and where stand above the table where all agree."""
    if not history.records:
        print_line(console, "nothing was rolled out from this account")
        return
    bounded = bounded_width(console) is not None
    between = ",\n" if bounded else ", "
    columns = {
        Column("N"): [str(record.number) for record in history.records],
        Column("when (UTC)"): [visible(_when(record)[: len("2026-01-31 23:59")]) for record in history.records],
        Column("changes"): [visible(_counts(record)).replace(", ", between) for record in history.records],
        Column("result", Breaks.AT_COMMAS): [
            _result(history, record) + _reload_failed(record) for record in history.records
        ],
    }
    for heading, cells in (
        ("who", [visible(_who(record)) for record in history.records]),
        ("directory", [visible(record.head.ldap_url) for record in history.records]),
    ):
        if len(set(cells)) == 1:
            print_line(console, f"{heading + ':':<10} {cells[0]}")
        else:
            columns[Column(heading)] = cells
    commands = [visible(_command(record)) for record in history.records]
    columns[Column("command", Breaks.AT_BLANKS)] = [_cut(each) if bounded else each for each in commands]
    rows = list(zip(*columns.values(), strict=True))
    print_table(console, list(columns), rows)


def print_roll_out(console: Console, history: History, record: Record) -> None:
    """Print one roll-out whole: what there is to say of it, and its changes as LDIF without secrets."""
    head = record.head
    for name, text in (
        ("roll-out", str(record.number)),
        ("when", _when(record)),
        ("who", _who(record)),
        ("site", head.site),
        ("command", _command(record)),
        ("changes", f"{_counts(record)}, {head.manner}"),
        ("result", _result(history, record)),
        ("reload", _reload(record)),
        ("undoes", f"roll-out {head.undoes}" if head.undoes is not None else ""),
        ("undo", str(record.undo_file)),
    ):
        if text:
            print_line(console, f"{name + ':':<10}{visible(text)}")
    for line in ("", *changes_ldif(record.changes).rstrip("\n").split("\n")):
        print_line(console, line)


def history_json(history: History) -> dict[str, Any]:
    """Return as ``roll_outs`` each one as :func:`roll_out_json` does, without the changes, the newest first."""
    return {"roll_outs": [roll_out_json(history, record) for record in history.records]}


def roll_out_json(history: History, record: Record, *, with_changes: bool = False) -> dict[str, Any]:
    """Return one roll-out for ``--json``.

    ``result`` is one of ``done``, ``nothing changed``, ``unfinished``, ``cut off`` (what became of the step under way
    is not known yet), ``under way``, ``put right by hand``; ``made`` and ``steps`` are counts, and ``left_out`` that of
    the changes that did not fit; ``changes`` LDIF. ``reload`` has ``outcome`` (``loaded``, ``failed``, ``unknown``,
    ``not asked for``) and ``what``, the reason of a failure; it is null where the record does not say.
    """
    head, undone_by = record.head, history.undone_by(record)
    found: dict[str, Any] = {
        "number": record.number,
        "when": head.when,
        "user": head.user,
        "host": head.host,
        "ldap_url": head.ldap_url,
        "site": head.site,
        "command": _command(record),
        "counts": dict(head.counts),
        "steps": head.steps,
        "made": record.progress().done,
        "manner": head.manner,
        "left_out": head.left_out,
        "result": "under way" if history.is_under_way(record) else result_of(record).value,
        "reload": _reload_json(record),
        "undoes": head.undoes,
        "undone_by": undone_by.number if undone_by else None,
        "undo_file": str(record.undo_file),
    }
    return found | ({"changes": changes_ldif(record.changes)} if with_changes else {})


def taken_back(record: Record) -> str:
    """Return the line that says which roll-out an undo reverts."""
    return f"takes back {_named(record)}"


def taken_back_in_part(record: Record) -> str:
    """Return the line that says of which roll-out an undo reverts what still fits."""
    return f"reverts the part that still fits of {_named(record)}"


def taken_up(record: Record) -> str:
    """Return the line that says which roll-out is gone on with."""
    return f"goes on with {_named(record)}, of which {record.progress().done} of {record.head.steps} steps are made"


def _named(record: Record) -> str:
    return visible(f"roll-out {record.number} of {_when(record)} by {record.head.user}: {_command(record)}")


def _when(record: Record) -> str:
    return readable_text(record.head.when)


def _command(record: Record) -> str:
    command = record.head.command
    return "(not shown, it holds a secret)" if is_secret("", command.encode()) else command


def _cut(command: str) -> str:
    """Return *command*, without what comes after a word near the limit where it is longer."""
    if len(command) <= _SHOWN_COMMAND:
        return command
    return f"{command[:_SHOWN_COMMAND].rpartition(' ')[0] or command[:_SHOWN_COMMAND]} …"


def _who(record: Record) -> str:
    return f"{record.head.user}@{record.head.host}"


def _counts(record: Record) -> str:
    """Return what was to be done with how many entries: ``2,000 added, 1 changed``."""
    return ", ".join(f"{count:,} {_DONE.get(word, word)}" for word, count in sorted(record.head.counts.items()))


def _reload(record: Record) -> str:
    """Return what became of the reload after the roll-out, empty where the record does not say."""
    result = read_result(record.folder)
    match result:
        case None:
            return ""
        case ReloadResult(Reloaded.FAILED, what):
            return f"failed: {' '.join(what.split())}"
        case ReloadResult(outcome):
            return outcome.value


def _reload_failed(record: Record) -> str:
    result = read_result(record.folder)
    match result.outcome if result else None:
        case Reloaded.FAILED:
            return ", reload failed"
        case Reloaded.UNKNOWN:
            return ", reload unknown"
    return ""


def _reload_json(record: Record) -> dict[str, str] | None:
    result = read_result(record.folder)
    return {"outcome": result.outcome.value, "what": result.what} if result else None


def _result(history: History, record: Record) -> str:
    progress, steps = record.progress(), record.head.steps
    if undoing := history.undone_by(record):
        left_out = undoing.head.left_out
        but = f", but for {left_out} change{'' if left_out == 1 else 's'}" if left_out else ""
        return f"undone by {undoing.number}{but}"
    if history.is_under_way(record):
        return f"under way, {progress.done} of {steps} made"
    result = result_of(record)
    how_far = {
        Result.STOPPED: f", {progress.done} of {steps} made",
        Result.CUT_OFF: f", {progress.done} of {steps} made for sure",
    }
    word = _WRITTEN if result is Result.DONE else str(result.value)
    return word + how_far.get(result, "")
