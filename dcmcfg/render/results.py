"""The stores of runs over many studies, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from dcmcfg.bulk.kept import KeptStore
from dcmcfg.moments import iso, readable
from dcmcfg.render.console import bounded_width, print_line, visible
from dcmcfg.render.table import Breaks, Column, print_table

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


def print_results(console: Console, stores: Sequence[KeptStore], folder: Path) -> None:
    """Print a line for each store, and where they are."""
    if not stores:
        print_line(console, f"no results are kept in {visible(str(folder))}")
        return
    bounded = bounded_width(console) is not None
    print_table(console, _COLUMNS, [tuple(map(visible, _row(each, bounded=bounded))) for each in stores])
    total = _size(sum(each.octets for each in stores))
    print_line(console, f"{_counted(len(stores))}, {total} in {visible(str(folder))}")


def results_json(stores: Sequence[KeptStore], folder: Path) -> dict[str, Any]:
    """Return the stores for ``--json``: ``folder``, and ``results``."""
    return {"folder": str(folder), "results": [_json(each) for each in stores]}


def _row(store: KeptStore, *, bounded: bool) -> tuple[str, ...]:
    known = (store.name, readable(store.last)[: len("2026-01-31 23:59")])
    size = _size(store.octets)
    if store.problem:
        return *known, "?", "?", "", "", size, store.problem
    facts, source = store.asked.facts, store.source
    if bounded and len(source) > _SHOWN_SOURCE:
        source = f"{source[:_SHOWN_SOURCE]}…"
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
