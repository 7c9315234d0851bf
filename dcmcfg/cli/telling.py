"""Lines on standard error: progress, warnings, failures."""

from __future__ import annotations

import os
import sys

import click

from dcmcfg.render.wrapping import wrapped_lines


def tell(text: str) -> None:
    """Print *text* on standard error: broken between words where that is a terminal, else as it is."""
    click.echo(fitting(text), err=True)


def fitting(text: str, *, beside: int = 0) -> str:
    """Return *text* so that it fits, with *beside* columns for what follows it, where standard error is a terminal."""
    width = _terminal_width()
    return text if width is None else "\n".join(wrapped_lines(text, max(width - beside, 1)))


def _terminal_width() -> int | None:
    """Return the columns of the terminal that standard error is; None where it is none."""
    if not sys.stderr.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except OSError:
        return None
