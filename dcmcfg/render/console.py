"""The consoles that results, progress and problems go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
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


def _console(*, on_stderr: bool) -> Console:
    console = Console(stderr=on_stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=on_stderr, highlight=False, width=_WIDTH_WITHOUT_TERMINAL)


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
