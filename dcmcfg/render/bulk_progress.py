"""How a run over many studies goes, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dcmcfg.bulk.events import Again, Answered, Away, Back, Event, Stopping, Strained
from dcmcfg.bulk.failure_groups import likeness, reason_of
from dcmcfg.bulk.study_result import Answer, Outcome
from dcmcfg.render.terminal.console import stderr_console, visible

#: Where there is no terminal: seconds between two lines.
_EVERY_S = 30.0
#: So many studies that fail at the beginning, all for like reasons, are told at once: most often the others will, too.
_FIRST = 10
#: Columns of the bar, and those of what stands beside it, with room for the ``^C`` that a terminal writes after it:
#: broken over two lines, the first would stay.
_NARROWEST, _WIDEST, _BESIDE = 4, 40, 58


@contextmanager
def bulk_progress(total: int) -> Iterator[Callable[[Event], None]]:
    """Yield what takes the events: on a terminal a bar with rate and time left, else a line now and then."""
    console = stderr_console()
    if not console.is_terminal:
        yield _Lines(console, total).hear
        return
    with Progress(*_columns(console.width), console=console, transient=True) as bar:
        yield _Bar(bar, total).hear


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    """Return what a line of *width* columns shows."""
    return (
        BarColumn(min(_WIDEST, max(width - _BESIDE, _NARROWEST))),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )


class _Told:
    """What is said whatever the form; outages and the like are said in a line that stays."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total = console, total
        self.done, self.failed = 0, 0
        self.began = time.monotonic()
        self._reasons: set[str] = set()

    def hear(self, event: Event) -> None:
        match event:
            case Answered(answer=answer):
                self.done += 1
                self.failed += not answer.outcome.is_yes
                self.step(answer.outcome)
                self._warn(answer)
            case Strained(why):
                self.say(f"the archive is short of something ({why}): going slower")
            case Away(why, patience_s):
                self.say(f"the archive cannot be had ({why}): waiting, {patience_s:g} s at most; Ctrl-C stops")
            case Back(seconds):
                self.say(f"the archive is back after {seconds:.0f} s, going on")
            case Stopping():
                self.say("stopping: what is under way is cancelled; Ctrl-C again aborts it")
            case Again():
                pass

    def _warn(self, answer: Answer) -> None:
        """Say it once where nothing has gone well so far, and always for like reasons."""
        if self.done > _FIRST or answer.outcome.is_yes:
            return
        self._reasons.add(likeness(answer))
        if self.done == self.failed == _FIRST < self.total and len(self._reasons) == 1:
            self.say(f"the first {_FIRST} studies have all failed for like reasons: {reason_of(answer)}; Ctrl-C stops")

    @property
    def rate(self) -> str:
        """Answers a second, or a minute where they are few."""
        a_second = self.done / max(time.monotonic() - self.began, 0.001)
        return f"{a_second:.1f}/s" if a_second >= 1 else f"{60 * a_second:.1f}/min"

    def step(self, outcome: Outcome) -> None:
        """Show that one more is done."""
        raise NotImplementedError

    def say(self, line: str) -> None:
        """Show a line that stays."""
        self.console.print(Text(visible(line)), soft_wrap=True)


class _Bar(_Told):
    def __init__(self, bar: Progress, total: int) -> None:
        super().__init__(bar.console, total)
        self._bar = bar
        self._task = bar.add_task("", total=total, rate="")

    def step(self, outcome: Outcome) -> None:  # noqa: ARG002 — counted above
        failed = f"[red]{self.failed:,} failed[/]" if self.failed else ""
        self._bar.update(self._task, completed=self.done, rate=self.rate, description=failed)


class _Lines(_Told):
    def __init__(self, console: Console, total: int) -> None:
        super().__init__(console, total)
        self._last = self.began

    def step(self, outcome: Outcome) -> None:  # noqa: ARG002 — counted above
        now = time.monotonic()
        if now - self._last >= _EVERY_S and self.done < self.total:
            self._last = now
            left = (now - self.began) / self.done * (self.total - self.done)
            self.say(f"{self.done:,} of {self.total:,} studies, {self.failed:,} failed, {self.rate}, {left:.0f} s left")
