"""The report of a run: its pictures, and what hostile texts make of it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from dcmcfg.bulk.report import Report, rate_of
from dcmcfg.bulk.run_options import Asked
from dcmcfg.bulk.study_result import Answer, Attempt, Outcome, StudyResult
from dcmcfg.render.bulk import print_bulk
from dcmcfg.render.bulk_files import bulk_csv, bulk_junit
from dcmcfg.render.html.bulk_page import bulk_html
from dcmcfg.render.html.charts import Part, bars, columns, parts_of_whole

THEN = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOSTILE = "</td><script>alert(1)</script>\x1b]\x00&'\"\ud800"


def result(number: int, outcome: Outcome = Outcome.VERIFIED, text: str = "fine", after_s: float = 0) -> StudyResult:
    began = THEN + timedelta(seconds=after_s)
    answer = Answer(outcome, text, comment=text, next_step=text, expected=1, completed=1, seconds=0.5)
    return StudyResult(f"1.2.{number}", (Attempt(began, began + timedelta(seconds=0.5), answer, final=True),), True)


def report(*results: StudyResult) -> Report:
    asked = Asked({"archive": "DCM4CHEE@here:11112", "destination": HOSTILE, "calling": "DCMCFG"})
    return Report.of(asked, Path("results.sqlite"), results, THEN)


@pytest.mark.parametrize("outcome", Outcome)
def test_what_peers_say_is_escaped_in_every_form(outcome: Outcome) -> None:
    of_it = report(result(1, outcome, HOSTILE), StudyResult("1.2.2"))
    page = "".join(bulk_html(of_it))
    assert "<script" not in page
    for text in (page, "".join(bulk_junit(of_it)), "".join(bulk_csv(of_it))):
        assert "\x1b" not in text
        text.encode()  # a lone surrogate would not
    ET.fromstring("".join(bulk_junit(of_it)))


def test_a_study_uid_that_an_archive_made_up_is_no_formula() -> None:
    assert '"\'=HYPERLINK(1,2)",open' in "".join(bulk_csv(report(StudyResult("=HYPERLINK(1,2)"))))


def test_a_report_of_nothing_asked_yet_has_no_rate() -> None:
    page = "".join(bulk_html(report(StudyResult("1.2.3"))))
    assert "1 study: 1 still to be asked" in page
    assert "Rate over time" not in page


def test_the_rate_has_a_place_for_each_time_from_the_first_attempt_to_the_last_answer() -> None:
    rate = rate_of([result(1), result(2, Outcome.NOT_VERIFIED), result(3, after_s=59)])
    assert rate is not None
    assert (rate.began, rate.bin_s, len(rate.bins)) == (THEN, 1, 60)
    assert rate.bins[0] == {Outcome.VERIFIED: 1, Outcome.NOT_VERIFIED: 1}
    assert rate.bins[-1] == {Outcome.VERIFIED: 1}
    assert not any(rate.bins[1:-1])


def test_days_of_a_run_are_put_into_few_times() -> None:
    rate = rate_of([result(1), result(2, after_s=3 * 86400)])
    assert rate is not None
    assert len(rate.bins) <= 61


@pytest.mark.parametrize(
    "picture",
    [
        parts_of_whole("a & b", [Part("<x>", 3, "good"), Part("y", 0, "bad")]),
        parts_of_whole("none", []),
        columns("rate", [[Part("<x>", 3, "good")], []], ("<", "&", ">"), "a second"),
        columns("rate", [], ("", "", ""), ""),
        bars("slowest", [Part("<1.2.3>", 0.5, "good", "0.5 s"), Part("1.2.4", 0, "good")]),
    ],
)
def test_a_picture_is_well_formed(picture: str) -> None:
    assert ET.fromstring(picture).tag == "svg"


@pytest.mark.parametrize(("width", "between"), [(80, "\n              "), (120, "  ")])
def test_a_slow_study_has_a_second_line_further_in_where_the_first_has_no_room(width: int, between: str) -> None:
    uid = "1.2.826.0.1.3680043.8.498.75378195226343475126899947165427833372"
    slow = replace(result(1), uid=uid)
    shown = io.StringIO()
    print_bulk(report(slow), (), (), Console(file=shown, width=width))
    assert f"slowest       0.50 s{between}{uid}\n" in shown.getvalue()
