"""The stores of runs over many studies, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from dcmcfg.bulk.store_catalog import KeptStore
from dcmcfg.render.terminal.console import bounded_width, print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table
from dcmcfg.timestamps import iso, readable

_COLUMNS = (
    Column("name"),
    Column("last (UTC)"),
    Column("archive"),
    Column("destination"),
    Column("answered"),
    Column("open"),
    Column("size"),
    Column("studies of", Breaks.AT_BLANKS),
)
#: Where lines have a width, so much of a source is shown; a list of UIDs may be long.
_SHOWN_SOURCE = 60
_LABEL = 15  # columns: the longest heading, what is before it and after it


def print_results(console: Console, stores: Sequence[KeptStore], folder: Path) -> None:
    """Print a line for each store, and where they are."""
    if not stores:
        print_line(console, f"no results are kept in {visible(str(folder))}")
        return
    rows = [tuple(map(visible, _row(each, _shown(bounded_width(console))))) for each in stores]
    print_table(console, _COLUMNS, rows, list(map(_block, rows)))
    total = _size(sum(each.octets for each in stores))
    print_line(console, f"{_counted(len(stores))}, {total} in {visible(str(folder))}")


def results_json(stores: Sequence[KeptStore], folder: Path) -> dict[str, Any]:
    """Return the stores for ``--json``: ``folder``, and ``results``."""
    return {"folder": str(folder), "results": [_json(each) for each in stores]}


def _shown(width: int | None) -> int | None:
    """Return how many characters of a source are shown, so that it stays beside its label; None: all."""
    return None if width is None else max(min(_SHOWN_SOURCE, width - _LABEL - 1), 1)


def _block(row: tuple[str, ...]) -> tuple[str, ...]:
    """Return *row* as it is where the table does not fit: what belongs together in a line."""
    name, last, archive, destination, answered, left, size, source = row
    to = archive if destination in ("", archive) else f"{archive} → {destination}"  # of one unread both are a ?
    head = f"{name}  last {last} UTC, {size}"
    return head, "", to, "", f"{answered}, open: {left}" if left else answered, "", "", source


def _row(store: KeptStore, shown: int | None) -> tuple[str, ...]:
    known = (store.name, readable(store.last)[: len("2026-01-31 23:59")])
    size = _size(store.octets)
    if store.problem:
        return *known, "?", "?", "", "", size, store.problem
    facts, source = store.asked.facts, store.source
    if shown is not None and len(source) > shown:
        source = f"{source[:shown]}…"
    left = f"{store.left:,}, under way" if store.under_way else f"{store.left:,}"
    return *known, facts.get("archive", ""), facts.get("destination", ""), f"{store.done:,}", left, size, source


def _json(store: KeptStore) -> dict[str, Any]:
    return {
        "name": store.name,
        "file": str(store.path),
        "last": iso(store.last),
        "asked": dict(store.asked.facts),
        "source": store.source,
        "answered": store.done,
        "open": store.left,
        "octets": store.octets,
        "under_way": store.under_way,
        "problem": store.problem or None,
    }


def _size(octets: int) -> str:
    return f"{octets / 1000:,.0f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:,.1f} MB"


def _counted(number: int) -> str:
    return "1 store" if number == 1 else f"{number:,} stores"
