"""Print one item as labelled lines, for the ``show`` command of a noun.

Kept apart: tables show many items with one row each; fields show many facts of one item.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console

from dcmcfg.render.terminal.console import print_line

Field = tuple[str, Sequence[str]]


def print_fields(console: Console, fields: Iterable[Field]) -> None:
    """Print each field as ``label: value``, further values below the first; fields without values are left out."""
    shown = [(label, values) for label, values in fields if values]
    width = max((len(label) for label, _ in shown), default=0) + 1
    for label, values in shown:
        for number, value in enumerate(values):
            heading = f"{label}:" if number == 0 else ""
            print_line(console, f"  {heading:<{width}} {value}")


def format_yes_no(*, value: bool) -> str:
    """Return ``yes`` or ``no``."""
    return "yes" if value else "no"
