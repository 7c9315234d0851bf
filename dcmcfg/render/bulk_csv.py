"""The studies of a run as CSV, a row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from dcmcfg.bulk.answer import StudyResult
from dcmcfg.bulk.report import Report
from dcmcfg.printable import visible
from dcmcfg.timestamps import iso

COLUMNS = (
    "study_instance_uid",
    "outcome",
    "status",
    "expected",
    "completed",
    "failed",
    "warning",
    "received",
    "route",
    "attempts",
    "started",
    "seconds",
    "headline",
    "comment",
    "next_step",
)
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def bulk_csv(report: Report) -> Iterator[str]:
    """Yield the lines (RFC 4180): those of the columns' names, then one for each study in the order of the list.

    What is not known is empty. A text that a spreadsheet would take for a formula has a ``'`` before it.
    """
    yield _line(COLUMNS)
    for result in report.results:
        yield _line(_cells(result))


def _cells(result: StudyResult) -> tuple[str, ...]:
    answer, last = result.answer, result.last
    known: tuple[object, ...] = ("open", *("" for _ in range(7)))
    words: tuple[str, ...] = ("", "", "")
    if answer is not None:
        status = "" if answer.status is None else f"{answer.status:04X}"
        numbers = (answer.expected, answer.completed, answer.failed, answer.warning, answer.received)
        known = (answer.outcome.value, status, *numbers, answer.route)
        words = (answer.headline, answer.comment, answer.next_step)
    seconds = "" if answer is None else f"{answer.seconds:.3f}"
    started = "" if last is None else iso(last.started)
    cells = (_text(result.uid), *known, len(result.attempts), started, seconds)
    return (*("" if cell is None else str(cell) for cell in cells), *map(_text, words))


def _text(text: str) -> str:
    plain = visible(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
