"""Render the last writer of each attribute of an entry: as a table, and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.rollout.blame import AttributeBlame, EntryBlame, NamedChange, parse_generalized_time
from dcmcfg.timestamps import format_iso, format_timestamp, reformat_timestamp


def print_blame(console: Console, blame: EntryBlame) -> None:
    """Print a line for each attribute, the last write according to the directory, and all contradictions."""
    print_line(console, escape_unprintable(str(blame.dn)))
    columns = {
        ListColumn(heading="Attribute"): [each.name for each in blame.attributes],
        ListColumn(heading="Change"): [_format_change(each) for each in blame.attributes],
        ListColumn(heading="Time (UTC)"): [
            reformat_timestamp(each.change.record.started_at)[: len("2026-01-31 23:59")] if each.change else ""
            for each in blame.attributes
        ],
        ListColumn(heading="User", min_width=12): [
            f"{each.change.record.account}@{each.change.record.host}" if each.change else ""
            for each in blame.attributes
        ],
        # The history shows the command of a change.
        ListColumn(heading="Command", drop_order=1, min_width=20): [
            each.change.record.command if each.change else "" for each in blame.attributes
        ],
    }
    rows = zip(*([escape_unprintable(cell) for cell in cells] for cells in columns.values()), strict=True)
    print_list(console, list(columns), list(rows))
    for each in blame.attributes:
        if each.change is not None and each.change.record.undo_of is not None:
            print_prose(console, _format_origin(each, each.change))
    print_prose(console, _format_last_write(blame))
    for text in blame.contradictions:
        print_prose(console, f"Contradiction: {text}")


def _format_change(attribute: AttributeBlame) -> str:
    return attribute.change.reference if attribute.change is not None else "unknown"


def _format_origin(attribute: AttributeBlame, change: NamedChange) -> str:
    origin = attribute.origin
    source = f"of change {origin.reference}" if origin is not None else "from before the history"
    return f"{attribute.name}: change {change.reference} is an undo and has restored the value {source}"


def _format_last_write(blame: EntryBlame) -> str:
    if not blame.modifier:
        return "The directory server does not show who wrote this entry last"
    written_at = parse_generalized_time(blame.modified_at)
    time = format_timestamp(written_at) if written_at is not None else blame.modified_at
    return f"Last write according to the directory: {blame.modifier}, {time}"


def blame_json(blame: EntryBlame) -> dict[str, Any]:
    """Return *blame* for ``--json``.

    ``attributes`` has for each ``name`` the ``change`` that wrote it last, and its ``origin``: the change that set the
    value, if ``change`` is an undo. Both are null if the history has none. ``contradicted`` is true if the present
    values are not those of ``change``. ``modifier`` and ``modified_at`` are those of the entry in the directory, null
    if the server does not show them. ``contradictions`` are sentences.
    """
    written_at = parse_generalized_time(blame.modified_at)
    return {
        "dn": str(blame.dn),
        "modifier": blame.modifier or None,
        "modified_at": format_iso(written_at) if written_at is not None else blame.modified_at or None,
        "last_change": _change_json(blame.last_change),
        "attributes": [
            {
                "name": each.name,
                "change": _change_json(each.change),
                "origin": _change_json(each.origin),
                "contradicted": each.is_contradicted,
            }
            for each in blame.attributes
        ],
        "contradictions": list(blame.contradictions),
    }


def _change_json(change: NamedChange | None) -> dict[str, Any] | None:
    if change is None:
        return None
    record = change.record
    return {
        "reference": change.reference,
        "number": record.number,
        "user": record.account,
        "host": record.host,
        "started_at": record.started_at,
        "command": record.command,
        "undo_of": record.undo_of,
    }
