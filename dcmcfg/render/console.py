"""The consoles that results, progress and problems go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Where there is no terminal, a table is as wide as its content may sensibly be.
_WIDTH_WITHOUT_TERMINAL = 120


def visible(text: str) -> str:
    r"""Return *text* with what is not printable written as ``\xNN``: a value must not steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def stdout_console() -> Console:
    """Return a console on standard output, for results."""
    return _console(on_stderr=False)


def stderr_console() -> Console:
    """Return a console on standard error, for progress and problems."""
    return _console(on_stderr=True)


def print_view(console: Console, view: RenderableType) -> None:
    """Print *view*; nothing in it is markup, and where there is no terminal no line ends in blanks."""
    if console.is_terminal:
        console.print(view, markup=False, highlight=False)
        return
    with console.capture() as captured:
        console.print(view, markup=False, highlight=False)
    for line in captured.get().splitlines():
        print_line(console, line.rstrip())


def print_line(console: Console, line: str) -> None:
    """Print *line* as it is and unbroken, whatever the width: it may be there to be copied."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


class _Quiet(Console):
    """A console that leaves a reader who went away to the caller; rich's own ends with exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _console(*, on_stderr: bool) -> Console:
    console = _Quiet(stderr=on_stderr, highlight=False)
    return console if console.is_terminal else _Quiet(stderr=on_stderr, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, in all) that moves a bar on standard error; quiet without a terminal or for few steps."""
    console = stderr_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal or total < 5) as bar:
        task = bar.add_task(what, total=total)

        def step(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)

        yield step
