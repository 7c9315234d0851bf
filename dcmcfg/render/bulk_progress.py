"""Show the progress of a bulk verification on standard error."""

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

from dcmcfg.bulk.events import (
    ArchiveAvailable,
    ArchiveOverloaded,
    ArchiveUnavailable,
    RetryScheduled,
    RunEvent,
    RunStopping,
    StudyFinished,
)
from dcmcfg.bulk.failure_groups import get_failure_reason, get_reason_pattern
from dcmcfg.bulk.study_result import AttemptResult, VerificationOutcome
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import make_stderr_console

#: Without a terminal: seconds between two progress lines.
_REPORT_INTERVAL_S = 30.0
#: If this many studies fail at the start for similar reasons, they are reported at once, because the others will
#: probably fail too.
_EARLY_FAILURES = 10
#: Columns of the bar and of the text beside it. The text includes room for the ``^C`` that a terminal prints after it:
#: if the line wrapped, rich would not erase its first part.
_MIN_BAR, _MAX_BAR, _TEXT_COLUMNS = 4, 40, 58


@contextmanager
def show_bulk_progress(total: int) -> Iterator[Callable[[RunEvent], None]]:
    """Yield a callback for events: on a terminal it updates a bar with rate and time left, else it prints lines."""
    console = make_stderr_console()
    if not console.is_terminal:
        yield _LineReporter(console, total).handle
        return
    with Progress(*_build_columns(console.width), console=console, transient=True) as bar:
        yield _BarReporter(bar, total).handle


def _build_columns(width: int) -> tuple[ProgressColumn, ...]:
    """Return the columns of a progress line that fits in *width* characters."""
    return (
        BarColumn(min(_MAX_BAR, max(width - _TEXT_COLUMNS, _MIN_BAR))),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )


class _ProgressReporter:
    """Base of both reporters: it counts studies, and prints outages and similar events as permanent lines."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total = console, total
        self.done, self.failed = 0, 0
        self.started = time.monotonic()
        self._reasons: set[str] = set()

    def handle(self, event: RunEvent) -> None:
        match event:
            case StudyFinished(result=result):
                self.done += 1
                self.failed += not result.outcome.is_success
                self.show_result(result.outcome)
                self._warn(result)
            case ArchiveOverloaded(reason):
                self.print_message(f"the archive is out of resources ({reason}). dcmcfg now sends requests more slowly")
            case ArchiveUnavailable(reason, max_wait_s):
                self.print_message(
                    f"the archive is unavailable: {reason}. dcmcfg waits up to {max_wait_s:g} s; press Ctrl-C to stop"
                )
            case ArchiveAvailable(seconds):
                self.print_message(f"the archive is available again after {seconds:.0f} s. dcmcfg continues")
            case RunStopping():
                self.print_message(
                    "dcmcfg cancels the active requests (C-CANCEL), then stops. To close the connections immediately, "
                    "press Ctrl-C again"
                )
            case RetryScheduled():
                pass

    def _warn(self, result: AttemptResult) -> None:
        """Warn once if all studies so far have failed for similar reasons."""
        # Later reasons do not matter, and a set of all reasons would grow with the run.
        if self.done > _EARLY_FAILURES or result.outcome.is_success:
            return
        self._reasons.add(get_reason_pattern(result))
        if self.done == self.failed == _EARLY_FAILURES < self.total and len(self._reasons) == 1:
            self.print_message(
                f"the first {_EARLY_FAILURES} studies all failed for similar reasons: "
                f"{get_failure_reason(result)}; press Ctrl-C to stop"
            )

    @property
    def rate(self) -> str:
        """The number of results a second, or a minute for slow runs."""
        # The minimum avoids a division by zero directly after the start.
        rate_per_second = self.done / max(time.monotonic() - self.started, 0.001)
        return f"{rate_per_second:.1f}/s" if rate_per_second >= 1 else f"{60 * rate_per_second:.1f}/min"

    def show_result(self, outcome: VerificationOutcome) -> None:
        """Show that one more study has a result."""
        raise NotImplementedError

    def print_message(self, line: str) -> None:
        """Print a permanent line."""
        self.console.print(Text(escape_unprintable(line)), soft_wrap=True)


class _BarReporter(_ProgressReporter):
    def __init__(self, bar: Progress, total: int) -> None:
        super().__init__(bar.console, total)
        self._bar = bar
        self._task = bar.add_task("", total=total, rate="")

    def show_result(self, outcome: VerificationOutcome) -> None:  # noqa: ARG002 — counted above
        failed = f"[red]{self.failed:,} failed[/]" if self.failed else ""
        self._bar.update(self._task, completed=self.done, rate=self.rate, description=failed)


class _LineReporter(_ProgressReporter):
    def __init__(self, console: Console, total: int) -> None:
        super().__init__(console, total)
        self._last = self.started

    def show_result(self, outcome: VerificationOutcome) -> None:  # noqa: ARG002 — counted above
        now = time.monotonic()
        # After the last study, the report itself follows.
        if now - self._last >= _REPORT_INTERVAL_S and self.done < self.total:
            self._last = now
            remaining_s = (now - self.started) / self.done * (self.total - self.done)
            self.print_message(
                f"{self.done:,} of {self.total:,} studies, {self.failed:,} failed, {self.rate}, {remaining_s:.0f} s "
                "left"
            )
