"""Render the studies of a bulk verification as CSV (one row each) and as JUnit XML for CI (a test case each)."""

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
#: First characters that make a spreadsheet interpret a cell as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render_bulk_csv(report: BulkReport) -> Iterator[str]:
    """Yield the lines of the CSV file (RFC 4180): the column names, then one line for each study in list order.

    Cells of unknown values are empty. A text that a spreadsheet would interpret as a formula starts with ``'``.
    """
    yield _format_line(CSV_COLUMNS)
    for result in report.results:
        yield _format_line(_build_cells(result))


def _build_cells(result: StudyResult) -> tuple[str, ...]:
    final_result, decisive_attempt = result.final_result, result.decisive_attempt
    outcome_cells: tuple[object, ...] = ("pending", *("" for _ in range(7)))
    text_cells: tuple[str, ...] = ("", "", "")
    if final_result is not None:
        status = "" if final_result.status is None else f"{final_result.status:04X}"
        numbers = (
            final_result.expected,
            final_result.completed,
            final_result.failed,
            final_result.warning,
            final_result.received,
        )
        outcome_cells = (final_result.outcome.value, status, *numbers, final_result.route_finding)
        text_cells = (final_result.headline, final_result.comment, final_result.next_step)
    seconds = "" if final_result is None else f"{final_result.seconds:.3f}"
    started = "" if decisive_attempt is None else format_iso(decisive_attempt.started)
    cells = (_escape_formula(result.study_uid), *outcome_cells, len(result.attempts), started, seconds)
    return (*("" if cell is None else str(cell) for cell in cells), *map(_escape_formula, text_cells))


def _escape_formula(text: str) -> str:
    # Texts come from peers, and a spreadsheet would execute a formula in them.
    escaped = escape_unprintable(text)
    return f"'{escaped}" if escaped.startswith(_FORMULA) else escaped


def _format_line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def render_bulk_junit(report: BulkReport) -> Iterator[str]:
    """Yield the JUnit document: failures are studies that were not verified, errors those for which no C-MOVE was sent.

    Pending studies are reported as skipped. The properties contain the parameters of the request.
    """
    summary = report.summary
    # JUnit separates a negative result (failure) from a test that could not run (error).
    errors = summary.outcome_counts.get(VerificationOutcome.NOT_SENT, 0)
    failures = sum(number for kind, number in summary.outcome_counts.items() if not kind.is_success) - errors
    seconds = sum(each.final_result.seconds for each in report.results if each.final_result is not None)
    numbers = {
        "tests": str(summary.study_count),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(summary.unfinished_count),
        "time": f"{seconds:.3f}",
    }
    # The JUnit schema defines timestamp without a time zone; the value is UTC.
    timestamp = {"timestamp": format_iso(summary.started).removesuffix("Z")} if summary.started else {}
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_format_attributes(name='dcmcfg verify', **numbers)}>\n"
    yield f"  <testsuite{_format_attributes(name='dcmcfg verify', **numbers, **timestamp)}>\n    <properties>\n"
    for name, value in report.run_parameters.values.items():
        yield f"      <property{_format_attributes(name=name, value=value)}/>\n"
    yield "    </properties>\n"
    classname = f"verify.{report.run_parameters.values.get('destination', '')}"
    for result in report.results:
        yield _build_test_case(result, classname)
    yield "  </testsuite>\n</testsuites>\n"


def _build_test_case(result: StudyResult, classname: str) -> str:
    final_result = result.final_result
    seconds = 0.0 if final_result is None else final_result.seconds
    start_tag = f"    <testcase{_format_attributes(classname=classname, name=result.study_uid, time=f'{seconds:.3f}')}"
    if final_result is not None and final_result.outcome.is_success:
        return f"{start_tag}/>\n"
    inside = (
        f"<skipped{_format_attributes(message='pending')}/>"
        if final_result is None
        else _build_problem_element(final_result)
    )
    return f"{start_tag}>\n      {inside}\n    </testcase>\n"


def _build_problem_element(result: AttemptResult) -> str:
    element = "error" if result.outcome is VerificationOutcome.NOT_SENT else "failure"
    kind = result.outcome.value if result.status is None else f"{result.status:04X}"
    message = get_failure_reason(result) + (f" (next step: {result.next_step})" if result.next_step else "")
    return f"<{element}{_format_attributes(message=message, type=kind)}/>"


def _format_attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(escape_unprintable(value))}" for name, value in values.items())
