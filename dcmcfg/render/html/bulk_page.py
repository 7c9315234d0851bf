"""The report of a run as one HTML file, with pictures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from dcmcfg.bulk.failure_groups import Group, reason_of
from dcmcfg.bulk.report import Rate, Report, rate_of, summarised
from dcmcfg.bulk.study_result import Outcome, StudyResult
from dcmcfg.render.html.charts import Part, bars, columns, parts_of_whole
from dcmcfg.render.html.page import banner, code, facts, page, text
from dcmcfg.timestamps import readable

_SLOWEST = 10
_UIDS_OF_A_GROUP = 20
_MOODS = {
    Outcome.VERIFIED: "good",
    Outcome.REPORTED: "fair",
    Outcome.NOT_VERIFIED: "bad",
    Outcome.NOT_ASKED: "worse",
    Outcome.CANCELLED: "open",
    Outcome.OUTDATED: "open",
}
_OPEN = "open"


def bulk_html(report: Report) -> Iterator[str]:
    """Yield the document: self-contained, without scripts; whatever peers said is escaped."""
    yield from page(f"dcmcfg verify: {report.headline}", _body(report))


def _body(report: Report) -> Iterator[str]:
    yield banner(report.headline, good=report.summary.all_yes)
    yield f'<p class="soft">dcmcfg verify, report of {text(readable(report.made))}</p>\n'
    yield from _facts(report)
    yield f"<h2>Outcomes</h2>\n{_outcomes(report)}\n"
    if (rate := rate_of(report.results)) is not None:
        yield f"<h2>Rate over time</h2>\n{_rate(rate)}\n"
    if slowest := summarised(report.results, _SLOWEST).slowest:
        yield f"<h2>Slowest studies</h2>\n{_slowest(slowest)}\n"
    if report.summary.groups:
        yield "<h2>Why not</h2>\n"
        yield from map(_group, report.summary.groups)
    yield from _studies(report)


def _facts(report: Report) -> Iterator[str]:
    summary = report.summary
    named = {
        **report.asked.facts,
        "attempts": f"{summary.attempts:,} ({summary.unanswered:,} without an answer, {summary.retried:,} made again)",
        "instances sent": f"{summary.instances:,}, by the archive's account",
        "route": ", ".join(f"{finding} for {number:,}" for finding, number in summary.routes.items()) or "not known",
        "first asked": readable(summary.began) if summary.began else "never",
        "results": str(report.store),
    }
    yield from facts((name, value or "none") for name, value in named.items())


def _outcomes(report: Report) -> str:
    parts = [Part(kind.value, number, _MOODS[kind]) for kind, number in report.summary.counts.items()]
    if report.summary.open:
        parts.append(Part("still to be asked", report.summary.open, _OPEN))
    return parts_of_whole("Studies by outcome", parts)


def _rate(rate: Rate) -> str:
    stacks = [
        [Part(kind.value, bin_[kind] / rate.bin_s, _MOODS[kind]) for kind in Outcome if kind in bin_]
        for bin_ in rate.bins
    ]
    moments = [rate.began + timedelta(seconds=rate.bin_s * len(rate.bins) * share) for share in (0, 0.5, 1)]
    first, middle, last = (readable(moment) for moment in moments)
    return columns(
        "Answers over time", stacks, (first, middle, last), f"studies a second, in steps of {rate.bin_s:g} s"
    )


def _slowest(slowest: tuple[StudyResult, ...]) -> str:
    rows = [
        Part(each.uid, each.answer.seconds, _MOODS[each.answer.outcome], f"{each.answer.seconds:.2f} s")
        for each in slowest
        if each.answer is not None
    ]
    return bars("Slowest studies", rows)


def _group(group: Group) -> str:
    shown = " ".join(code(each.uid) for each in group.studies[:_UIDS_OF_A_GROUP])
    rest = len(group.studies) - _UIDS_OF_A_GROUP
    more = f' <span class="soft">and {rest:,} more, below</span>' if rest > 0 else ""
    number = "1 study" if len(group.studies) == 1 else f"{len(group.studies):,} studies"
    next_step = f'<p class="soft">Next: {text(group.next_step)}</p>' if group.next_step else ""
    return f"<article><p><b>{number}</b>: {text(group.reason)}</p>{next_step}<p>{shown}{more}</p></article>\n"


def _studies(report: Report) -> Iterator[str]:
    yield '<h2>All studies</h2>\n<div class="scroll"><table class="studies">\n'
    yield "<thead><tr><th>Study Instance UID</th><th>Outcome</th><th>Route</th>"
    yield '<th class="number">Instances</th><th class="number">Seconds</th><th class="number">Attempts</th>'
    yield "</tr></thead>\n"
    for result in report.results:
        yield f"<tbody><tr><td>{code(result.uid)}</td>{_cells(result)}</tr>\n"
        yield f"{_why_not(result)}</tbody>\n"
    yield "</table></div>\n"


def _cells(result: StudyResult) -> str:
    answer, attempts = result.answer, f'<td class="number">{len(result.attempts)}</td>'
    if answer is None:
        return f'<td class="soft">still to be asked</td><td></td><td></td><td></td>{attempts}'
    number = answer.completed if answer.received is None else answer.received
    of = "?" if answer.expected is None else str(answer.expected)
    counted = "" if number is None else f"{number} of {of}"
    return (
        f'<td class="is-{_MOODS[answer.outcome]}">{answer.outcome.value}</td><td>{text(answer.route)}</td>'
        f'<td class="number">{counted}</td>'
        f'<td class="number">{answer.seconds:.2f}</td>{attempts}'
    )


def _why_not(result: StudyResult) -> str:
    answer = result.answer
    if answer is None or answer.outcome.is_yes:
        return ""
    return f'<tr class="why"><td colspan="6">{text(reason_of(answer))}</td></tr>'
