"""Create the consoles for results, progress and problems, and print text, commands and progress bars on them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from dcmcfg.printable import escape_unprintable, escape_unprintable_lines
from dcmcfg.render.terminal.styles import choose_color_system, get_unified_diff_style
from dcmcfg.wrapping import find_break_points, split_command_lines, wrap_lines

#: Without a terminal and COLUMNS, lines do not wrap. rich requires a width, and no line is as long as this.
UNBOUNDED_WIDTH = 1_000_000
_HEIGHT = 25  # lines; the value is not used


def make_stdout_console() -> Console:
    """Return a console on standard output, for results."""
    return make_console(on_stderr=False)


def make_stderr_console() -> Console:
    """Return a console on standard error, for progress and problems."""
    return make_console(on_stderr=True)


def make_console(*, on_stderr: bool) -> Console:
    """Return a console on standard error or on standard output."""
    # NO_COLOR is handled together with --color, because rich itself would still print bold text.
    create = functools.partial(
        _PipeSafeConsole, stderr=on_stderr, highlight=False, color_system=choose_color_system(), no_color=False
    )
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        # On a dumb terminal, rich uses the width from COLUMNS only if the height is set too.
        return create(width=int(columns), height=_HEIGHT)
    console = create()
    return console if console.is_terminal else create(width=UNBOUNDED_WIDTH)


def get_bounded_width(console: Console) -> int | None:
    """Return the maximum width of a line in columns, or None in a pipe, where lines do not wrap."""
    return None if console.width == UNBOUNDED_WIDTH else console.width


def print_line(console: Console, line: str) -> None:
    """Print *line*, escaped, without wrapping at any width, so that it can be copied."""
    print_text(console, Text(escape_unprintable(line)))


def print_text(console: Console, text: Text) -> None:
    """Print *text*, which is already escaped, with its styles and without wrapping."""
    console.print(text, soft_wrap=True)


def print_unified_diff(console: Console, pieces: Iterable[str]) -> None:
    """Print the lines of a unified diff, coloured as git does."""
    for piece in pieces:
        for line in piece.splitlines():
            print_text(console, Text(escape_unprintable(line), style=get_unified_diff_style(line)))


def has_colors(console: Console) -> bool:
    """Return whether *console* prints colours."""
    return console.color_system is not None


def print_prose(console: Console, line: str) -> None:
    """Print *line*, escaped, wrapped between words if lines have a width; continuation lines are indented."""
    width, line = get_bounded_width(console), escape_unprintable(line)
    for part in [line] if width is None else wrap_lines(line, width):
        print_line(console, part)


def print_command(console: Console, command: str) -> None:
    """Print *command* for a shell, indented; a long one is split with backslashes at the ends of lines."""
    width, command = get_bounded_width(console), escape_unprintable(command)
    for line in [f"  {command}"] if width is None or len(command) + 2 <= width else split_command_lines(command, width):
        print_line(console, line)


def wrap_text(text: Text, console: Console, indent: int) -> Iterable[Text]:
    """Return the lines of *text*, wrapped between words to fit after *indent* columns, without trailing spaces.

    Text to be copied, such as commands, stays in one piece even on a narrower terminal (:mod:`~dcmcfg.wrapping`).
    Characters that move the cursor are escaped; the text then loses its styles.
    """
    width = get_bounded_width(console)
    # Escapes change the length of the text, so the positions of its styles no longer match.
    if (escaped := escape_unprintable_lines(text.plain)) != text.plain:
        text = Text(escaped, style=text.style)
    for line in text.split("\n"):
        break_points = [] if width is None else find_break_points(line.plain, max(width - indent, 1))
        for part in line.divide(break_points):
            part.rstrip()
            yield part


class _PipeSafeConsole(Console):
    """A console that raises BrokenPipeError if the reader has closed the pipe; rich's own exits with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@contextmanager
def show_progress(description: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that moves a bar on standard error; silent without a terminal or for few steps."""
    console = make_stderr_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal or total < 5) as bar:
        task = bar.add_task(description, total=total)

        def update_bar(done: int, count: int) -> None:
            bar.update(task, completed=done, total=count)

        yield update_bar


def _print_nothing(console: Console) -> None:
    """Print nothing."""


@dataclass(frozen=True)
class ExtraOutput:
    """Extra output of a changing command: text below the plan, keys for ``--json``, and whether short LDIF is shown."""

    print_below_plan: Callable[[Console], None] = _print_nothing
    json_fields: Mapping[str, Any] = field(default_factory=dict)
    show_short_ldif: bool = True
