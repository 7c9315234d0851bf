"""Lines on standard error (progress, warnings, failures) and on standard output, whatever is in them."""

from __future__ import annotations

import os
import sys

import click

from dcmcfg.printable import visible, visible_lines
from dcmcfg.wrapping import wrapped_lines


def tell(*lines: str) -> None:
    """Print each of *lines* on standard error, escaped: broken between words where that is a terminal, else whole."""
    click.echo("\n".join(fitting(visible(line)) for line in lines), err=True)


def say(*lines: str, on_stderr: bool = False) -> None:
    """Print each of *lines* on standard output, or *on_stderr*, escaped and unbroken."""
    click.echo("\n".join(map(visible, lines)), err=on_stderr)


def fitting(text: str, *, beside: int = 0) -> str:
    """Return *text* so that it fits, with *beside* columns for what follows it, where standard error is a terminal.

    It is escaped, but for its line feeds.
    """
    width, text = _terminal_width(), visible_lines(text)
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
