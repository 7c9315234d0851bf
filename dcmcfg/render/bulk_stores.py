"""The stores of runs over many studies, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from dcmcfg.bulk.store_catalog import StoreInfo
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import get_bounded_width, print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.timestamps import format_iso, format_timestamp

_COLUMNS = (
    Column("Name"),
    Column("Used (UTC)"),
    Column("Archive"),
    Column("Destination"),
    Column("Finished"),
    Column("Pending"),
    Column("Size"),
    Column("Source", WrapMode.AT_SPACES),
)
#: Where lines have a width, so much of a source is shown; a list of UIDs may be long.
_MAX_SOURCE_LENGTH = 60
_LABEL = 15  # columns: the longest heading, what is before it and after it


def print_results(console: Console, stores: Sequence[StoreInfo], folder: Path) -> None:
    """Print a line for each store, and where they are."""
    if not stores:
        print_line(console, f"no results are kept in {escape_unprintable(str(folder))}")
        return
    rows = [
        tuple(map(escape_unprintable, _build_row(each, _max_source_length(get_bounded_width(console)))))
        for each in stores
    ]
    print_table(console, _COLUMNS, rows, list(map(_build_block_row, rows)))
    total = _format_size(sum(each.size_bytes for each in stores))
    print_line(
        console, f"{format_count(len(stores), 'store', grouped=True)}, {total} in {escape_unprintable(str(folder))}"
    )


def results_json(stores: Sequence[StoreInfo], folder: Path) -> dict[str, Any]:
    """Return the stores for ``--json``: ``folder``, and ``results``."""
    return {"folder": str(folder), "results": [_store_json(each) for each in stores]}


def _max_source_length(width: int | None) -> int | None:
    """Return how many characters of a source are shown, so that it stays beside its label; None: all."""
    return None if width is None else max(min(_MAX_SOURCE_LENGTH, width - _LABEL - 1), 1)


def _build_block_row(row: tuple[str, ...]) -> tuple[str, ...]:
    """Return *row* as it is where the table does not fit: what belongs together in a line."""
    name, last, archive, destination, answered, open_text, size, source = row
    parties = archive if destination in ("", archive) else f"{archive} → {destination}"  # of one unread both are a ?
    head = f"{name}  used {last} UTC, {size}"
    return head, "", parties, "", f"{answered}, pending: {open_text}" if open_text else answered, "", "", source


def _build_row(store: StoreInfo, max_source_length: int | None) -> tuple[str, ...]:
    name_cells = (store.name, format_timestamp(store.last_used)[: len("2026-01-31 23:59")])
    size = _format_size(store.size_bytes)
    if store.problem:
        return *name_cells, "?", "?", "", "", size, store.problem
    facts, source = store.run_parameters.values, store.source_name
    if max_source_length is not None and len(source) > max_source_length:
        source = f"{source[:max_source_length]}…"
    open_text = f"{store.unfinished_count:,}, in progress" if store.in_progress else f"{store.unfinished_count:,}"
    return (
        *name_cells,
        facts.get("archive", ""),
        facts.get("destination", ""),
        f"{store.finished_count:,}",
        open_text,
        size,
        source,
    )


def _store_json(store: StoreInfo) -> dict[str, Any]:
    return {
        "name": store.name,
        "file": str(store.path),
        "last_used_at": format_iso(store.last_used),
        "request": dict(store.run_parameters.values),
        "source": store.source_name,
        "finished_count": store.finished_count,
        "pending_count": store.unfinished_count,
        "octets": store.size_bytes,
        "in_progress": store.in_progress,
        "problem": store.problem or None,
    }


def _format_size(octets: int) -> str:
    return f"{octets / 1000:,.0f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:,.1f} MB"
