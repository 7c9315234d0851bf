"""The output of ``monitor`` with any text from outside, read by parsers that are not ours."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus

from dcmcfg.monitoring.metrics import METRICS, SECONDS, Metric
from dcmcfg.monitoring.parts import Part
from dcmcfg.monitoring.report import Figure, PartResult, SiteReport
from dcmcfg.monitoring.state import Limit, State
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.monitoring.nagios import format_plugin_failure, format_plugin_output
from dcmcfg.render.monitoring.objects import format_json_text, site_report_json
from dcmcfg.render.monitoring.openmetrics import format_openmetrics
from tests.json_schemas import require_schema
from tests.plugin_output import read_performance_data, read_plugin_output

HOSTILE = (
    "EVIL|'a'=1;2;3",
    'quote " and \\ backslash',
    "line\nDCMCFG OK - all is well | 'x'=1",
    "carriage\r\u2028return\x1b[31m",
    "=;,{}#",
    "\udcff lone surrogate",
    "",
    " ",
    "Krankenhaus Süd 病院",
    "%7C",
    "# EOF",
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=12)
NUMBERS = st.integers(0, 10**9) | st.floats(-1e6, 1e9, allow_nan=False)
BOUNDS = st.none() | st.integers(0, 10**6)


@st.composite
def figures(draw: st.DrawFn, metric: Metric) -> Figure:
    limit = Limit(warning=draw(BOUNDS), critical=draw(BOUNDS), is_minimum=draw(st.booleans()))
    labels = tuple(draw(TEXTS) for _ in metric.labels)
    return Figure(metric=metric, value=draw(NUMBERS), label_values=labels, limit=limit)


@st.composite
def reports(draw: st.DrawFn) -> SiteReport:
    own = [each for each in METRICS if not each.name.startswith(("site_", "run_", "part_"))]
    parts = []
    for part in draw(st.lists(st.sampled_from(Part), min_size=1, max_size=3, unique=True)):
        chosen = draw(st.lists(st.sampled_from(own), max_size=3, unique=True))
        own = [each for each in own if each not in chosen]
        parts.append(
            PartResult(
                part=part,
                state=draw(st.sampled_from(State)),
                summary=draw(TEXTS),
                details=tuple(draw(st.lists(TEXTS, max_size=2))),
                figures=tuple(draw(figures(each)) for each in chosen),
                seconds=draw(st.floats(0, 10)),
            )
        )
    return SiteReport(site_name=draw(TEXTS), parts=tuple(parts), seconds=1.5, notes=(draw(TEXTS),))


def list_samples(report: SiteReport) -> list[tuple[str, dict[str, str], float]]:
    """The samples that *report* must have, in the order of the metrics."""
    return [
        (
            f"dcmcfg_{metric.name}",
            {
                "site": escape_unprintable(report.site_name),
                **dict(zip(metric.labels, map(escape_unprintable, figure.label_values), strict=True)),
            },
            figure.value,
        )
        for metric in METRICS
        for figure in report.figures
        if figure.metric is metric
    ]


@given(reports())
def test_no_text_changes_the_state_of_a_part_or_adds_performance_data(report: SiteReport) -> None:
    text = format_plugin_output(report)
    found = read_plugin_output(text, report.state.exit_code)
    assert found.states == {each.part.value: each.state for each in report.parts}
    count = sum(each.metric.in_performance_data for each in report.figures)
    assert text.count("|") == 1
    assert found.performance_data.count("'=") == count
    detail_count = sum(len(each.details) for each in report.parts)
    assert len(text.splitlines()) == 1 + len(report.parts) + detail_count + len(report.notes)


def hostile_reports() -> Iterator[SiteReport]:
    metric = next(each for each in METRICS if each.name == "echo_response_seconds")
    for text in HOSTILE:
        limit = Limit(warning=30, critical=7.5, is_minimum=text == "")
        part = PartResult(
            part=Part.ECHO,
            state=State.OK,
            summary=text,
            details=(text,),
            figures=(Figure(metric=metric, value=1.25, label_values=(text, "h:104"), limit=limit),),
        )
        yield SiteReport(site_name=text, parts=(part,), seconds=0.5)


@pytest.mark.parametrize("report", list(hostile_reports()), ids=[ascii(each) for each in HOSTILE])
def test_the_module_of_the_monitoring_plugins_reads_the_performance_data(report: SiteReport) -> None:
    found = read_performance_data(read_plugin_output(format_plugin_output(report), 0).performance_data)
    assert [(each["label"].partition(":")[0], float(each["value"]), each["unit"]) for each in found] == [
        ("run_duration", 0.5, "s"),
        ("echo_response", 1.25, "s"),
    ]
    suffix = ":" if report.parts[0].figures[0].limit.is_minimum else ""
    assert (found[1]["warning"], found[1]["critical"], found[1]["min"]) == (f"30{suffix}", f"7.5{suffix}", "0")


def test_hostile_labels_stay_different() -> None:
    labels = {format_plugin_output(each).split(" | ")[1].split("'")[3] for each in hostile_reports()}
    assert len(labels) == len(HOSTILE)


@given(reports())
def test_openmetrics_text_has_exactly_the_figures_for_both_of_prometheus_parsers(report: SiteReport) -> None:
    text = format_openmetrics(report)
    assert text.endswith("\n# EOF\n")
    for read in (read_openmetrics, read_prometheus):
        families = list(read(text))
        samples = [sample for family in families for sample in family.samples]
        assert [(each.name, each.labels) for each in samples] == [each[:2] for each in list_samples(report)]
        for sample, (_, _, value) in zip(samples, list_samples(report), strict=True):
            assert math.isclose(sample.value, value, abs_tol=1e-6)
            assert sample.timestamp is None
    families = list(read_openmetrics(text))  # type: ignore[no-untyped-call]
    units = {each.name: each.unit for each in families}
    assert units == {
        f"dcmcfg_{each.name}": each.unit for each in METRICS if any(f.metric is each for f in report.figures)
    }
    assert all(each.type == "gauge" and each.documentation for each in families)


@given(reports())
def test_json_has_the_text_as_it_is(report: SiteReport) -> None:
    found = json.loads(format_json_text(report))
    require_schema("monitor", found)
    assert found == json.loads(json.dumps(site_report_json(report)))
    assert (found["state"], found["exit_code"]) == (report.state.value, report.state.exit_code)
    assert [(each["summary"], tuple(each["details"])) for each in found["parts"]] == [
        (each.summary, each.details) for each in report.parts
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_failure_is_unknown_and_its_first_line_is_one_line(text: str) -> None:
    output = format_plugin_failure(text, [text])
    assert output.startswith("DCMCFG UNKNOWN - ")
    assert "|" not in output
    assert len(output.splitlines()) == 2
    assert read_plugin_output(output, 3).performance_data == ""


def test_long_output_is_shortened_between_figures_and_lines() -> None:
    metric = next(each for each in METRICS if each.name == "echo_response_seconds")
    figures = tuple(Figure(metric=metric, value=1, label_values=(f"AE{n}", "host:104")) for n in range(1000))
    part = PartResult(
        part=Part.ECHO, state=State.CRITICAL, summary="x" * 3000, details=("d" * 500,) * 50, figures=figures
    )
    output = format_plugin_output(SiteReport(site_name="s", parts=(part,), seconds=1))
    assert len(output.encode()) <= 8_000
    found = read_plugin_output(output, 2)
    assert found.performance_data.endswith("'=1s;;;0")
    assert len(found.performance_data) <= 4_000
    assert output.splitlines()[-1].endswith("more lines. To see all: dcmcfg monitor --json")


def test_promtool_accepts_the_metrics() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    for report in hostile_reports():
        done = subprocess.run(
            [promtool, "check", "metrics"], input=format_openmetrics(report), capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_metrics_have_the_form_of_openmetrics() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_seconds") == (metric.unit == SECONDS)
        assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket", "_info", "_created"))
        assert '"' not in metric.help
        assert "\\" not in metric.help
    part = PartResult(part=Part.NODES, state=State.OK, summary="s")
    report = SiteReport(site_name="s", parts=(part, replace(part, part=Part.CHECK)), seconds=1)
    assert [each.metric.name for each in report.figures] == [
        "site_state",
        "run_duration_seconds",
        *["part_state"] * 2,
        *["part_duration_seconds"] * 2,
    ]
