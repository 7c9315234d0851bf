"""The consoles for results, progress and problems, and the extra output of a changing command beside its plan."""

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

#: Where there is neither a terminal nor COLUMNS nothing is broken: rich asks for a number, and no line is as long.
UNBOUNDED_WIDTH = 1_000_000
_HEIGHT = 25  # lines; nothing goes by it


def make_stdout_console() -> Console:
    """Return a console on standard output, for results."""
    return _create_console(on_stderr=False)


def make_stderr_console() -> Console:
    """Return a console on standard error, for progress and problems."""
    return _create_console(on_stderr=True)


def get_bounded_width(console: Console) -> int | None:
    """Return the columns that a line may take, or None in a pipe, where lines are as long as what they say."""
    return None if console.width == UNBOUNDED_WIDTH else console.width


def print_line(console: Console, line: str) -> None:
    """Print *line*, escaped, in one line and unbroken, whatever the width: it may be there to be copied."""
    print_text(console, Text(escape_unprintable(line)))


def print_text(console: Console, text: Text) -> None:
    """Print *text*, which is escaped, with its styles and unbroken."""
    console.print(text, soft_wrap=True)


def print_unified_diff(console: Console, pieces: Iterable[str]) -> None:
    """Print the lines of a unified diff, coloured as git does."""
    for piece in pieces:
        for line in piece.splitlines():
            print_text(console, Text(escape_unprintable(line), style=get_unified_diff_style(line)))


def has_colors(console: Console) -> bool:
    """Tell whether *console* prints colours."""
    return console.color_system is not None


def print_prose(console: Console, line: str) -> None:
    """Print *line*, escaped, broken between words where lines have a width; what goes on is indented a little more."""
    width, line = get_bounded_width(console), escape_unprintable(line)
    for part in [line] if width is None else wrap_lines(line, width):
        print_line(console, part)


def print_command(console: Console, command: str) -> None:
    """Print *command* for a shell, indented; where it is wider than a line, with backslashes at the ends of lines."""
    width, command = get_bounded_width(console), escape_unprintable(command)
    for line in [f"  {command}"] if width is None or len(command) + 2 <= width else split_command_lines(command, width):
        print_line(console, line)


def wrap_text(text: Text, console: Console, indent: int) -> Iterable[Text]:
    """Return the lines of *text*, broken between words so that they fit behind *indent* columns, none ending in blanks.

    What is there to be copied stays whole in a terminal that is narrower too (:mod:`~dcmcfg.wrapping`). What
    moves the cursor is escaped, at the price of the styles.
    """
    width = get_bounded_width(console)
    if (escaped := escape_unprintable_lines(text.plain)) != text.plain:
        text = Text(escaped, style=text.style)
    for line in text.split("\n"):
        break_points = [] if width is None else find_break_points(line.plain, max(width - indent, 1))
        for part in line.divide(break_points):
            part.rstrip()
            yield part


class _PipeSafeConsole(Console):
    """A console that leaves a reader who went away to the caller; rich's own ends with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _create_console(*, on_stderr: bool) -> Console:
    # NO_COLOR is decided together with --color: with it, rich itself would still print bold text.
    create = functools.partial(
        _PipeSafeConsole, stderr=on_stderr, highlight=False, color_system=choose_color_system(), no_color=False
    )
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        # rich takes the width from there only when it is told the height as well, on a terminal that is dumb.
        return create(width=int(columns), height=_HEIGHT)
    console = create()
    return console if console.is_terminal else create(width=UNBOUNDED_WIDTH)


@contextmanager
def show_progress(description: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, in all) that moves a bar on standard error; quiet without a terminal or for few steps."""
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
    """What ``print_below_plan`` prints, keys for the object of ``--json``, and whether short LDIF is shown."""

    print_below_plan: Callable[[Console], None] = _print_nothing
    json_fields: Mapping[str, Any] = field(default_factory=dict)
    show_short_ldif: bool = True
