"""Render the result stores of bulk verifications as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from dcmcfg.bulk.store_catalog import StoreInfo
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.timestamps import format_iso, format_timestamp

_COLUMNS = (
    ListColumn(heading="Name"),
    ListColumn(heading="Used (UTC)"),
    ListColumn(heading="Archive", drop_order=3, min_width=16),
    ListColumn(heading="Destination"),
    ListColumn(heading="Finished", drop_order=1),
    ListColumn(heading="Pending"),
    ListColumn(heading="Size", drop_order=4),
    ListColumn(heading="Source", drop_order=2, min_width=16, keep_end=True),
)


def print_results(console: Console, stores: Sequence[StoreInfo], folder: Path) -> None:
    """Print a line for each store, and their *folder*."""
    if not stores:
        print_line(console, f"No results in {escape_unprintable(str(folder))}")
        return
    print_list(console, _COLUMNS, [tuple(map(escape_unprintable, _build_row(each))) for each in stores])
    total = _format_size(sum(each.size_bytes for each in stores))
    print_line(
        console, f"{format_count(len(stores), 'store', grouped=True)}, {total} in {escape_unprintable(str(folder))}"
    )


def results_json(stores: Sequence[StoreInfo], folder: Path) -> dict[str, Any]:
    """Return the stores for ``--json``: ``folder``, and ``results`` with one object for each store."""
    return {"folder": str(folder), "results": [_store_json(each) for each in stores]}


def _build_row(store: StoreInfo) -> tuple[str, ...]:
    name_cells = (store.name, format_timestamp(store.last_used)[: len("2026-01-31 23:59")])
    size = _format_size(store.size_bytes)
    if store.problem:
        return *name_cells, "?", "?", "", "", size, store.problem
    facts = store.run_parameters.values
    open_text = f"{store.unfinished_count:,}, in progress" if store.in_progress else f"{store.unfinished_count:,}"
    return (
        *name_cells,
        facts.get("archive", ""),
        facts.get("destination", ""),
        f"{store.finished_count:,}",
        open_text,
        size,
        store.source_name,
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
