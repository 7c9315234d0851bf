"""The report of a run: its pictures, and what hostile texts make of it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from dcmcfg.bulk.report import BulkReport, compute_throughput
from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.study_result import AttemptResult, RecordedAttempt, StudyResult, VerificationOutcome
from dcmcfg.render.bulk import print_bulk
from dcmcfg.render.bulk_files import render_bulk_csv, render_bulk_junit
from dcmcfg.render.html.bulk_page import render_bulk_page
from dcmcfg.render.html.charts import ChartItem, render_bar_chart, render_column_chart, render_share_bar

THEN = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOSTILE = "</td><script>alert(1)</script>\x1b]\x00&'\"\ud800"


def result(
    number: int, outcome: VerificationOutcome = VerificationOutcome.VERIFIED, text: str = "fine", after_s: float = 0
) -> StudyResult:
    began = THEN + timedelta(seconds=after_s)
    answer = AttemptResult(outcome, text, comment=text, next_step=text, expected=1, completed=1, seconds=0.5)
    return StudyResult(
        f"1.2.{number}", (RecordedAttempt(began, began + timedelta(seconds=0.5), answer, is_final=True),), True
    )


def report(*results: StudyResult) -> BulkReport:
    run_parameters = RunParameters({"archive": "DCM4CHEE@here:11112", "destination": HOSTILE, "calling": "DCMCFG"})
    return BulkReport.create(run_parameters, Path("results.sqlite"), results, THEN)


@pytest.mark.parametrize("outcome", VerificationOutcome)
def test_text_from_peers_is_escaped_in_every_format(outcome: VerificationOutcome) -> None:
    of_it = report(result(1, outcome, HOSTILE), StudyResult("1.2.2"))
    page = "".join(render_bulk_page(of_it))
    assert "<script" not in page
    for text in (page, "".join(render_bulk_junit(of_it)), "".join(render_bulk_csv(of_it))):
        assert "\x1b" not in text
        text.encode()  # a lone surrogate would not
    ET.fromstring("".join(render_bulk_junit(of_it)))


def test_an_invalid_study_uid_is_not_a_formula() -> None:
    assert '"\'=HYPERLINK(1,2)",pending' in "".join(render_bulk_csv(report(StudyResult("=HYPERLINK(1,2)"))))


def test_a_report_without_requests_has_no_rate() -> None:
    page = "".join(render_bulk_page(report(StudyResult("1.2.3"))))
    assert "1 study: 1 pending" in page
    assert "Rate over time" not in page


def test_the_rate_has_a_place_for_each_time_from_the_first_attempt_to_the_last_answer() -> None:
    rate = compute_throughput([result(1), result(2, VerificationOutcome.NOT_VERIFIED), result(3, after_s=59)])
    assert rate is not None
    assert (rate.started, rate.bin_s, len(rate.bins)) == (THEN, 1, 60)
    assert rate.bins[0] == {VerificationOutcome.VERIFIED: 1, VerificationOutcome.NOT_VERIFIED: 1}
    assert rate.bins[-1] == {VerificationOutcome.VERIFIED: 1}
    assert not any(rate.bins[1:-1])


def test_days_of_a_run_are_put_into_few_times() -> None:
    rate = compute_throughput([result(1), result(2, after_s=3 * 86400)])
    assert rate is not None
    assert len(rate.bins) <= 61


@pytest.mark.parametrize(
    "picture",
    [
        render_share_bar("a & b", [ChartItem("<x>", 3, "good"), ChartItem("y", 0, "bad")]),
        render_share_bar("none", []),
        render_column_chart("rate", [[ChartItem("<x>", 3, "good")], []], ("<", "&", ">"), "a second"),
        render_column_chart("rate", [], ("", "", ""), ""),
        render_bar_chart("slowest", [ChartItem("<1.2.3>", 0.5, "good", "0.5 s"), ChartItem("1.2.4", 0, "good")]),
    ],
)
def test_a_chart_is_well_formed(picture: str) -> None:
    assert ET.fromstring(picture).tag in {"svg", "figure"}


@pytest.mark.parametrize(("width", "between"), [(80, "\n              "), (120, "  ")])
def test_a_slow_study_has_an_indented_second_line_if_the_first_has_no_room(width: int, between: str) -> None:
    uid = "1.2.826.0.1.3680043.8.498.75378195226343475126899947165427833372"
    slow = replace(result(1), study_uid=uid)
    shown = io.StringIO()
    print_bulk(report(slow), (), (), Console(file=shown, width=width))
    assert f"Slowest       0.50 s{between}{uid}\n" in shown.getvalue()


@pytest.mark.parametrize("details", [False, True])
def test_details_list_every_study_of_a_group(details: bool) -> None:
    results = [result(number, VerificationOutcome.NOT_VERIFIED) for number in range(1, 9)]
    shown = io.StringIO()
    print_bulk(report(*results), (), (), Console(file=shown, width=200), details=details)
    failures = shown.getvalue().partition("Failures")[2].partition("Slowest")[0]
    named = [each.study_uid for each in results if f" {each.study_uid}\n" in failures]
    assert len(named) == (8 if details else 5)
    assert ("and 3 more (--details or --csv FILE shows all)" in failures) is not details
