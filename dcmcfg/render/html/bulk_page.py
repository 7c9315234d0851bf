"""Render the report of a bulk verification as one HTML file with charts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dcmcfg.bulk.failure_groups import FailureGroup, get_failure_reason
from dcmcfg.bulk.report import BulkReport, Throughput, compute_throughput, make_summary
from dcmcfg.bulk.study_result import StudyResult, VerificationOutcome
from dcmcfg.render.html.charts import ChartItem, render_bar_chart, render_column_chart, render_share_bar
from dcmcfg.render.html.page import (
    SCROLL,
    PageHead,
    escape_html,
    render_banner,
    render_code,
    render_definition_list,
    render_page,
)
from dcmcfg.timestamps import format_timestamp

_MAX_SLOWEST = 10
#: UIDs listed for a group of failures; the table of all studies below has the others.
_MAX_UIDS = 20
_CSS_CLASSES = {
    VerificationOutcome.VERIFIED: "good",
    VerificationOutcome.REPORTED: "fair",
    VerificationOutcome.NOT_VERIFIED: "bad",
    VerificationOutcome.NOT_SENT: "worse",
    VerificationOutcome.CANCELLED: "open",
    VerificationOutcome.OUTDATED: "open",
}
_PENDING_CLASS = "open"


def render_bulk_page(report: BulkReport) -> Iterator[str]:
    """Yield the self-contained document, without scripts; text from peers is escaped."""
    head = PageHead(report.headline, command="dcmcfg verify", created=report.created)
    yield from render_page(head, _render_body(report))


def _render_body(report: BulkReport) -> Iterator[str]:
    yield render_banner(report.headline, "good" if report.summary.all_successful else "bad")
    yield from _render_facts(report)
    yield f"<h2>Outcomes</h2>\n{_render_outcomes(report)}\n"
    if (rate := compute_throughput(report.results)) is not None:
        yield f"<h2>Rate over time</h2>\n{SCROLL}{_render_rate(rate)}</div>\n"
    if slowest := make_summary(report.results, _MAX_SLOWEST).slowest:
        yield f"<h2>Slowest studies</h2>\n{SCROLL}{_render_slowest(slowest)}</div>\n"
    if report.summary.failure_groups:
        yield "<h2>Failures by reason</h2>\n"
        yield from map(_render_group, report.summary.failure_groups)
    yield from _render_studies(report)


def _render_facts(report: BulkReport) -> Iterator[str]:
    summary = report.summary
    facts = {
        **{_format_label(name): value for name, value in report.run_parameters.values.items()},
        "Attempts": f"{summary.attempt_count:,} ({summary.interrupted_count:,} without a response, "
        f"{summary.retry_count:,} repeated)",
        "Instances sent": f"{summary.instance_count:,} (as reported by the archive)",
        "Route (number of studies)": ", ".join(
            f"{finding} {number:,}" for finding, number in summary.route_counts.items()
        )
        or "unknown",
        "First request": format_timestamp(summary.started) if summary.started else "never",
        **({"Results file": str(report.store)} if report.store is not None else {}),
    }
    yield from render_definition_list((name, value or "none") for name, value in facts.items())


def _format_label(name: str) -> str:
    """Return *name* with a capital; a mixed spelling is that of an attribute, and stays."""
    return name.capitalize() if name.islower() else name


def _render_outcomes(report: BulkReport) -> str:
    parts = [
        ChartItem(kind.value, number, _CSS_CLASSES[kind]) for kind, number in report.summary.outcome_counts.items()
    ]
    if report.summary.unfinished_count:
        parts.append(ChartItem("pending", report.summary.unfinished_count, _PENDING_CLASS))
    return render_share_bar("Studies by outcome", parts)


def _render_rate(rate: Throughput) -> str:
    stacks = [
        [
            ChartItem(kind.value, bin_[kind] / rate.bin_s, _CSS_CLASSES[kind])
            for kind in VerificationOutcome
            if kind in bin_
        ]
        for bin_ in rate.bins
    ]
    timestamps = [rate.started + timedelta(seconds=rate.bin_s * len(rate.bins) * share) for share in (0, 0.5, 1)]
    first, middle, last = (format_timestamp(timestamp) for timestamp in timestamps)
    return render_column_chart(
        "Responses over time", stacks, (first, middle, last), f"studies per second, in columns of {rate.bin_s:g} s"
    )


def _render_slowest(slowest: tuple[StudyResult, ...]) -> str:
    rows = [
        ChartItem(
            each.study_uid,
            each.final_result.seconds,
            _CSS_CLASSES[each.final_result.outcome],
            f"{each.final_result.seconds:.2f} s",
        )
        for each in slowest
        if each.final_result is not None
    ]
    return render_bar_chart("Slowest studies", rows)


def _render_group(group: FailureGroup) -> str:
    uids = " ".join(render_code(each.study_uid) for each in group.studies[:_MAX_UIDS])
    hidden_count = len(group.studies) - _MAX_UIDS
    hidden_note = f' <span class="soft">and {hidden_count:,} more, listed below</span>' if hidden_count > 0 else ""
    number = "1 study" if len(group.studies) == 1 else f"{len(group.studies):,} studies"
    next_step = f'<p class="soft">Next step: {escape_html(group.next_step)}</p>' if group.next_step else ""
    return (
        f"<article><p><b>{number}</b>: {escape_html(group.reason)}</p>{next_step}<p>{uids}{hidden_note}</p></article>\n"
    )


def _render_studies(report: BulkReport) -> Iterator[str]:
    yield f'<h2>All studies</h2>\n{SCROLL}<table class="studies">\n'
    yield "<thead><tr><th>Study Instance UID</th><th>Outcome</th><th>Route</th>"
    yield '<th class="number">Instances</th><th class="number">Seconds</th><th class="number">Attempts</th>'
    yield "</tr></thead>\n"
    for result in report.results:
        yield f"<tbody><tr><td>{render_code(result.study_uid)}</td>{_render_cells(result)}</tr>\n"
        yield f"{_render_failure_row(result)}</tbody>\n"
    yield "</table></div>\n"


def _render_cells(result: StudyResult) -> str:
    final_result, attempts = result.final_result, f'<td class="number">{len(result.attempts)}</td>'
    if final_result is None:
        return f'<td class="soft">pending</td><td></td><td></td><td></td>{attempts}'
    number = final_result.completed if final_result.received is None else final_result.received
    expected = "?" if final_result.expected is None else str(final_result.expected)
    instance_counts = "" if number is None else f"{number} of {expected}"
    return (
        f'<td class="is-{_CSS_CLASSES[final_result.outcome]}">{final_result.outcome.value}</td>'
        f"<td>{escape_html(final_result.route_finding)}</td>"
        f'<td class="number">{instance_counts}</td>'
        f'<td class="number">{final_result.seconds:.2f}</td>{attempts}'
    )


def _render_failure_row(result: StudyResult) -> str:
    final_result = result.final_result
    if final_result is None or final_result.outcome.is_success:
        return ""
    return f'<tr class="why"><td colspan="6">{escape_html(get_failure_reason(final_result))}</td></tr>'
