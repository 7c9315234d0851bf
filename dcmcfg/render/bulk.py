"""The report of a run as a short text, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.bulk.failure_groups import Group
from dcmcfg.bulk.report import Report
from dcmcfg.bulk.study_result import StudyResult
from dcmcfg.render.terminal.console import bounded_width, visible, wrapped
from dcmcfg.timestamps import iso

_LABEL = 10  # columns
_FURTHER_IN = " " * 4
_GROUPS_SHOWN, _UIDS_SHOWN = 10, 5


def print_bulk(report: Report, notes: Sequence[str], next_steps: Sequence[str], console: Console) -> None:
    """Print the headline, what was asked, why studies failed in groups, the slowest ones, what to do next."""
    for line in _lines(report, notes, next_steps, console):
        line.rstrip()
        console.print(line, soft_wrap=True)


def bulk_json(report: Report, notes: Sequence[str], next_steps: Sequence[str], *, accepted: bool) -> dict[str, Any]:
    """Return the whole report for ``--json``; statuses are numbers, what is not known is null.

    *accepted* is what the exit code says; ``verified`` is more, namely that our own receiver saw each study.
    """
    summary, answered = report.summary, report.answered
    return {
        "verified": accepted and summary.all_witnessed,
        "accepted": accepted,
        "headline": report.headline,
        "asked": dict(report.asked.facts),
        "results": str(report.store),
        "counts": {kind.value: number for kind, number in summary.counts.items()} | {"open": summary.open},
        "attempts": {
            "number": summary.attempts,
            "without_answer": summary.unanswered,
            "made_again": summary.retried,
        },
        "asked_now": report.asked_now,
        "tree": {"sha256": report.tree, "answers_of_another": len(report.of_another_tree)},
        "answered": {"first": iso(answered[0]), "last": iso(answered[1])} if answered else None,
        "instances": summary.instances,
        "routes": summary.routes,
        "groups": [
            {"reason": group.reason, "next_step": group.next_step, "studies": [each.uid for each in group.studies]}
            for group in summary.groups
        ],
        "studies": [_study_json(each, report.tree) for each in report.results],
        "notes": list(notes),
        "next_steps": list(next_steps),
    }


def _study_json(result: StudyResult, tree: str) -> dict[str, Any]:
    answer = result.answer
    known = (
        {
            "outcome": answer.outcome.value,
            "headline": answer.headline,
            "status": answer.status,
            "comment": answer.comment,
            "expected": answer.expected,
            "completed": answer.completed,
            "failed": answer.failed,
            "warning": answer.warning,
            "received": answer.received,
            "route": answer.route or None,
            "route_why": answer.route_why or None,
            "next_step": answer.next_step or None,
            "seconds": round(answer.seconds, 3),
            "of_another_tree": answer.tree != tree,
        }
        if answer
        else {"outcome": "open"}
    )
    attempts = [
        {
            "started": iso(each.started),
            "ended": iso(each.ended) if each.ended else None,
            "outcome": each.answer.outcome.value if each.answer else None,
            "headline": each.answer.headline if each.answer else None,
            "final": each.final,
        }
        for each in result.attempts
    ]
    return {"study_instance_uid": result.uid, **known, "attempts": attempts}


def _lines(report: Report, notes: Iterable[str], next_steps: Iterable[str], console: Console) -> Iterator[Text]:
    yield from wrapped(Text(report.headline, style=f"bold {'green' if report.summary.all_yes else 'red'}"), console, 0)
    yield Text()
    for sentence in _header(report):
        yield from wrapped(Text(visible(sentence)), console, 0)
    yield Text()
    parts = [
        *(("why not", "bold", _group(group)) for group in report.summary.groups[:_GROUPS_SHOWN]),
        *_more_groups(report.summary.groups),
        *([("slowest", "bold", _slowest(report, console))] if report.summary.slowest else []),
        ("results", "bold", Text(visible(str(report.store)))),
        *(("next", "bold cyan", Text(visible(step))) for step in next_steps),
        *(("note", "dim", Text(visible(note), style="dim")) for note in notes),
    ]
    for name, style, content in parts:
        label = Text(name, style=style)
        label.pad_right(_LABEL - len(label))
        for part in wrapped(content, console, _LABEL):
            yield Text.assemble(label, part)
            label = Text(" " * _LABEL)


def _header(report: Report) -> Iterator[str]:
    facts, summary = report.asked.facts, report.summary
    yield f"{facts['calling']} asked {facts['archive']} to send them to {facts['destination']}"
    attempts = "1 attempt" if summary.attempts == 1 else f"{summary.attempts:,} attempts"
    again = f", {summary.retried:,} made again" if summary.retried else ""
    lost = f", {summary.unanswered:,} without an answer" if summary.unanswered else ""
    yield f"{attempts}{lost}{again}; instances sent, says the archive: {summary.instances:,}"
    if summary.routes:
        yield f"route {', '.join(f'{finding} for {number:,}' for finding, number in summary.routes.items())}"
    if summary.not_shown:
        yield (
            "the archive's database or the external archive's log can show a route: --require-route asks the one, "
            "--external-log FILE reads the other"
        )


def _group(group: Group) -> Text:
    number = "1 study" if len(group.studies) == 1 else f"{len(group.studies):,} studies"
    text = Text(visible(f"{number}: {group.reason}"), style="red")
    for each in group.studies[:_UIDS_SHOWN]:
        text.append(f"\n{visible(each.uid)}", style="default")
    if (rest := len(group.studies) - _UIDS_SHOWN) > 0:
        text.append(f"\nand {rest:,} more (--csv FILE has all)", style="default")
    if group.next_step:
        text.append(f"\nnext: {visible(group.next_step)}", style="default")
    return text


def _more_groups(groups: Sequence[Group]) -> Iterator[tuple[str, str, Text]]:
    if (rest := len(groups) - _GROUPS_SHOWN) > 0:
        yield "why not", "bold", Text(f"and {rest:,} more reasons (--csv FILE has all)")


def _slowest(report: Report, console: Console) -> Text:
    """Return a line for each, or two where it has no room: nothing is cut, and what is below is further in."""
    answers = [(visible(each.uid), each.answer) for each in report.summary.slowest]
    room = (bounded_width(console) or sys.maxsize) - _LABEL - len("12345.78 s  ")
    between = "  " if all(len(uid) <= room for uid, _ in answers) else f"\n{_FURTHER_IN}"
    return Text("\n".join(f"{answer.seconds:8.2f} s{between}{uid}" for uid, answer in answers if answer is not None))
