"""Print lines on standard error (progress, warnings, failures) and on standard output, with escapes."""

from __future__ import annotations

import os
import sys

import click

from dcmcfg.printable import escape_unprintable, escape_unprintable_lines
from dcmcfg.wrapping import wrap_lines


def print_message(*lines: str) -> None:
    """Print each of *lines* on standard error, escaped; wrapped between words if that is a terminal."""
    click.echo("\n".join(wrap_for_terminal(escape_unprintable(line)) for line in lines), err=True)


def print_wait(line: str) -> None:
    """Print *line* from :func:`~dcmcfg.slow_response.report_slow_response`, also from its thread."""
    print_message(f"{line} …")


def print_output(*lines: str, on_stderr: bool = False) -> None:
    """Print each of *lines* on standard output, or *on_stderr*, escaped and not wrapped."""
    click.echo("\n".join(map(escape_unprintable, lines)), err=on_stderr)


def wrap_for_terminal(text: str, *, reserved_columns: int = 0) -> str:
    """Return *text*, escaped except for line feeds; wrapped if standard error is a terminal.

    *reserved_columns* of the terminal's width are kept free for text that follows.
    """
    width, text = _get_terminal_width(), escape_unprintable_lines(text)
    return text if width is None else "\n".join(wrap_lines(text, max(width - reserved_columns, 1)))


def _get_terminal_width() -> int | None:
    """Return the columns of the terminal on standard error; None if it is not a terminal."""
    if not sys.stderr.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except OSError:
        return None
