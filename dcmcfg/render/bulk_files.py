"""The studies of a run as CSV, a row each.

The studies of a run as JUnit XML, a test case each, for CI systems.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from dcmcfg.bulk.failure_groups import reason_of
from dcmcfg.bulk.report import Report
from dcmcfg.bulk.study_result import Answer, Outcome, StudyResult
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


def bulk_junit(report: Report) -> Iterator[str]:
    """Yield the document: a failure is a study that was not verified, an error one for which no C-MOVE was sent.

    A study that is still to be asked for is skipped. What was asked of whom is in the properties.
    """
    summary = report.summary
    errors = summary.counts.get(Outcome.NOT_ASKED, 0)
    failures = sum(number for kind, number in summary.counts.items() if not kind.is_yes) - errors
    seconds = sum(each.answer.seconds for each in report.results if each.answer is not None)
    numbers = {
        "tests": str(summary.studies),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(summary.open),
        "time": f"{seconds:.3f}",
    }
    began = {"timestamp": iso(summary.began).removesuffix("Z")} if summary.began else {}
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes(name='dcmcfg verify', **numbers)}>\n"
    yield f"  <testsuite{_attributes(name='dcmcfg verify', **numbers, **began)}>\n    <properties>\n"
    for name, value in report.asked.facts.items():
        yield f"      <property{_attributes(name=name, value=value)}/>\n"
    yield "    </properties>\n"
    classname = f"verify.{report.asked.facts.get('destination', '')}"
    for result in report.results:
        yield _case(result, classname)
    yield "  </testsuite>\n</testsuites>\n"


def _case(result: StudyResult, classname: str) -> str:
    answer = result.answer
    seconds = 0.0 if answer is None else answer.seconds
    start = f"    <testcase{_attributes(classname=classname, name=result.uid, time=f'{seconds:.3f}')}"
    if answer is not None and answer.outcome.is_yes:
        return f"{start}/>\n"
    inside = f"<skipped{_attributes(message='still to be asked')}/>" if answer is None else _problem(answer)
    return f"{start}>\n      {inside}\n    </testcase>\n"


def _problem(answer: Answer) -> str:
    element = "error" if answer.outcome is Outcome.NOT_ASKED else "failure"
    kind = answer.outcome.value if answer.status is None else f"{answer.status:04X}"
    message = reason_of(answer) + (f" (next: {answer.next_step})" if answer.next_step else "")
    return f"<{element}{_attributes(message=message, type=kind)}/>"


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(visible(value))}" for name, value in values.items())
