"""The studies of a run as CSV, a row each.

The studies of a run as JUnit XML, a test case each, for CI systems.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from dcmcfg.bulk.failure_groups import get_failure_reason
from dcmcfg.bulk.report import BulkReport
from dcmcfg.bulk.study_result import AttemptResult, StudyResult, VerificationOutcome
from dcmcfg.printable import escape_unprintable
from dcmcfg.timestamps import format_iso

CSV_COLUMNS = (
    "study_instance_uid",
    "outcome",
    "status",
    "expected",
    "completed",
    "failed",
    "warning",
    "received",
    "route",
    "attempt_count",
    "started_at",
    "duration_seconds",
    "headline",
    "comment",
    "next_step",
)
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_bulk_csv(report: BulkReport) -> Iterator[str]:
    """Yield the lines (RFC 4180): those of the columns' names, then one for each study in the order of the list.

    What is not known is empty. A text that a spreadsheet would take for a formula has a ``'`` before it.
    """
    yield _line(CSV_COLUMNS)
    for result in report.results:
        yield _line(_cells(result))


def _cells(result: StudyResult) -> tuple[str, ...]:
    answer, last = result.final_result, result.decisive_attempt
    known: tuple[object, ...] = ("pending", *("" for _ in range(7)))
    words: tuple[str, ...] = ("", "", "")
    if answer is not None:
        status = "" if answer.status is None else f"{answer.status:04X}"
        numbers = (answer.expected, answer.completed, answer.failed, answer.warning, answer.received)
        known = (answer.outcome.value, status, *numbers, answer.route_finding)
        words = (answer.headline, answer.comment, answer.next_step)
    seconds = "" if answer is None else f"{answer.seconds:.3f}"
    started = "" if last is None else format_iso(last.started)
    cells = (_escape_formula(result.study_uid), *known, len(result.attempts), started, seconds)
    return (*("" if cell is None else str(cell) for cell in cells), *map(_escape_formula, words))


def _escape_formula(text: str) -> str:
    plain = escape_unprintable(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def render_bulk_junit(report: BulkReport) -> Iterator[str]:
    """Yield the document: a failure is a study that was not verified, an error one for which no C-MOVE was sent.

    A pending study is skipped. What was asked of whom is in the properties.
    """
    summary = report.summary
    errors = summary.outcome_counts.get(VerificationOutcome.NOT_SENT, 0)
    failures = sum(number for kind, number in summary.outcome_counts.items() if not kind.is_success) - errors
    seconds = sum(each.final_result.seconds for each in report.results if each.final_result is not None)
    numbers = {
        "tests": str(summary.study_count),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(summary.open_count),
        "time": f"{seconds:.3f}",
    }
    began = {"timestamp": format_iso(summary.started).removesuffix("Z")} if summary.started else {}
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes(name='dcmcfg verify', **numbers)}>\n"
    yield f"  <testsuite{_attributes(name='dcmcfg verify', **numbers, **began)}>\n    <properties>\n"
    for name, value in report.run_parameters.values.items():
        yield f"      <property{_attributes(name=name, value=value)}/>\n"
    yield "    </properties>\n"
    classname = f"verify.{report.run_parameters.values.get('destination', '')}"
    for result in report.results:
        yield _case(result, classname)
    yield "  </testsuite>\n</testsuites>\n"


def _case(result: StudyResult, classname: str) -> str:
    answer = result.final_result
    seconds = 0.0 if answer is None else answer.seconds
    start = f"    <testcase{_attributes(classname=classname, name=result.study_uid, time=f'{seconds:.3f}')}"
    if answer is not None and answer.outcome.is_success:
        return f"{start}/>\n"
    inside = f"<skipped{_attributes(message='pending')}/>" if answer is None else _problem(answer)
    return f"{start}>\n      {inside}\n    </testcase>\n"


def _problem(answer: AttemptResult) -> str:
    element = "error" if answer.outcome is VerificationOutcome.NOT_SENT else "failure"
    kind = answer.outcome.value if answer.status is None else f"{answer.status:04X}"
    message = get_failure_reason(answer) + (f" (next step: {answer.next_step})" if answer.next_step else "")
    return f"<{element}{_attributes(message=message, type=kind)}/>"


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(escape_unprintable(value))}" for name, value in values.items())
