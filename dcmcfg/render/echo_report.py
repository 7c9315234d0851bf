"""The reports of C-ECHO, from one or from several calling AE titles, for Markdown and for a web page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dcmcfg.connectivity.echo import AeEchoResult
from dcmcfg.connectivity.echo_matrix import CallState, EchoMatrix, classify_call
from dcmcfg.render.call_result import format_call_result, format_next_steps
from dcmcfg.render.echo import LIMITATION, build_echo_row, format_echo_counts, get_next_step
from dcmcfg.render.echo_matrix import format_matrix_counts, list_next_steps, list_reasons, list_states
from dcmcfg.render.report import Rating, Report, ReportCell, ReportSection
from dcmcfg.timestamps import format_timestamp

_COMMAND = "dcmcfg echo"
_RATINGS: Mapping[CallState, Rating] = {
    CallState.ANSWERED: "good",
    CallState.REFUSED: "bad",
    CallState.NO_ANSWER: "bad",
    CallState.TLS_PROBLEM: "bad",
    CallState.FAILED: "bad",
    CallState.NOT_CALLED: "open",
}


def build_echo_report(
    results: Sequence[AeEchoResult], calling_ae_title: str, site: str, created: datetime, *, show_uncalled_steps: bool
) -> Report:
    """Return the report of calls as *calling_ae_title*; *site* is the headline of the site."""
    steps = (
        (each.target.ae.title, get_next_step(each))
        for each in results
        if show_uncalled_steps or each.call_result is not None
    )
    rows = []
    for each in results:
        title, address, tls, device, _ = build_echo_row(each)
        state, result = classify_call(each.call_result), each.call_result
        text = format_call_result(result) if result is not None else each.target.problem
        rows.append(
            (
                ReportCell(title, is_code=True),
                ReportCell(state.value, rating=_RATINGS[state]),
                ReportCell(text),
                ReportCell(address, is_code=True),
                ReportCell(tls),
                ReportCell(device, is_code=True),
            )
        )
    return Report(
        command=_COMMAND,
        headline=format_echo_counts(results, calling_ae_title, len(results)),
        rating=_rate([classify_call(each.call_result) for each in results]),
        facts=(("Site", site), ("Time", format_timestamp(created))),
        sections=(
            ReportSection(
                title="Called AEs",
                sentences=(LIMITATION,),
                columns=("AE", "Result", "Details", "Address", "TLS", "Device"),
                rows=tuple(rows),
            ),
            *_build_step_sections(tuple(format_next_steps(steps))),
        ),
        created=created,
    )


def build_echo_matrix_report(matrix: EchoMatrix, site: str, created: datetime, *, show_uncalled_steps: bool) -> Report:
    """Return the report of calls as several AE titles; *site* is the headline of the site."""
    rows = tuple(
        (
            ReportCell(row.name, is_code=True),
            *(ReportCell(each.value, rating=_RATINGS[each]) for each in list_states(row)),
        )
        for row in matrix.rows
    )
    reasons = tuple(list_reasons(matrix))
    return Report(
        command=_COMMAND,
        headline=format_matrix_counts(matrix),
        rating=_rate([each for row in matrix.rows for each in list_states(row)]),
        facts=(("Site", site), ("Time", format_timestamp(created))),
        sections=(
            ReportSection(
                title="Called AEs by calling AE title",
                sentences=(LIMITATION,),
                columns=("Called AE", *matrix.calling_ae_titles),
                rows=rows,
                is_matrix=True,
            ),
            *((ReportSection(title="Reasons", items=reasons),) if reasons else ()),
            *_build_step_sections(tuple(list_next_steps(matrix, show_uncalled_steps=show_uncalled_steps))),
        ),
        created=created,
    )


def _build_step_sections(steps: tuple[str, ...]) -> tuple[ReportSection, ...]:
    return (ReportSection(title="Next steps", items=steps),) if steps else ()


def _rate(states: Sequence[CallState]) -> Rating:
    called = [each for each in states if each is not CallState.NOT_CALLED]
    return "good" if called and all(each is CallState.ANSWERED for each in called) else "bad" if called else "open"
