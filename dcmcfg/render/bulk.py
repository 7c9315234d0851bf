"""Render the report of a bulk verification as text and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.bulk.failure_groups import FailureGroup
from dcmcfg.bulk.report import BulkReport
from dcmcfg.bulk.study_result import StudyResult
from dcmcfg.printable import capitalise_sentence, escape_unprintable, format_count
from dcmcfg.render.terminal.console import get_bounded_width, wrap_text
from dcmcfg.render.terminal.styles import FAILURE, HEADING, NEXT_STEP, NOTE, SUCCESS
from dcmcfg.timestamps import format_iso

_LABEL = 10  # columns
_INDENT = " " * 4
#: Groups of failures, and studies of each group, that are shown without ``--details``.
_GROUPS_SHOWN, _UIDS_SHOWN = 10, 5


def print_bulk(
    report: BulkReport,
    notes: Sequence[str],
    next_steps: Sequence[str],
    console: Console,
    *,
    details: bool = False,
) -> None:
    """Print the headline, the request, the failures in groups, the slowest studies, and the next steps.

    With *details*, all groups with all their studies are printed; otherwise only the first ones.
    """
    for line in _build_lines(report, notes, next_steps, console, details=details):
        line.rstrip()
        console.print(line, soft_wrap=True)


def bulk_json(report: BulkReport, notes: Sequence[str], next_steps: Sequence[str], *, accepted: bool) -> dict[str, Any]:
    """Return the whole report for ``--json``; statuses are numbers, unknown values are null.

    *accepted* corresponds to the exit code. ``verified`` also requires that the receiver of dcmcfg got each study.
    """
    summary, period = report.summary, report.result_period
    return {
        "verified": accepted and summary.all_observed,
        "accepted": accepted,
        "headline": report.headline,
        "request": dict(report.run_parameters.values),
        "results_file": str(report.store),
        "outcome_counts": {_snake_case(kind.value): number for kind, number in summary.outcome_counts.items()}
        | {"pending": summary.unfinished_count},
        "attempts": {
            "count": summary.attempt_count,
            "interrupted_count": summary.interrupted_count,
            "retry_count": summary.retry_count,
        },
        "has_new_results": report.has_new_results,
        "tree": {
            "sha256": report.configuration_checksum,
            "results_from_other_tree_count": len(report.results_from_other_configuration),
        },
        "result_period": {"first_at": format_iso(period[0]), "last_at": format_iso(period[1])} if period else None,
        "sent_instance_count": summary.instance_count,
        "route_counts": {_snake_case(finding): number for finding, number in summary.route_counts.items()},
        "failure_groups": [
            {
                "reason": group.reason,
                "next_step": group.next_step,
                "studies": [each.study_uid for each in group.studies],
            }
            for group in summary.failure_groups
        ],
        "studies": [_study_json(each, report.configuration_checksum) for each in report.results],
        "notes": list(notes),
        "next_steps": list(next_steps),
    }


def _snake_case(finding: str) -> str:
    """Return *finding* as the key of a JSON object: ``not verified`` becomes ``not_verified``."""
    return finding.replace(" ", "_")


def _study_json(result: StudyResult, configuration_checksum: str) -> dict[str, Any]:
    final_result = result.final_result
    result_fields = (
        {
            "outcome": final_result.outcome.value,
            "headline": final_result.headline,
            "status": final_result.status,
            "comment": final_result.comment,
            "expected": final_result.expected,
            "completed": final_result.completed,
            "failed": final_result.failed,
            "warning": final_result.warning,
            "received": final_result.received,
            "route": final_result.route_finding or None,
            "route_reasons": final_result.route_reasons or None,
            "next_step": final_result.next_step or None,
            "duration_seconds": round(final_result.seconds, 3),
            "from_other_tree": final_result.configuration_checksum != configuration_checksum,
        }
        if final_result
        else {"outcome": "pending"}
    )
    attempts = [
        {
            "started_at": format_iso(each.started),
            "ended_at": format_iso(each.ended) if each.ended else None,
            "outcome": each.result.outcome.value if each.result else None,
            "headline": each.result.headline if each.result else None,
            "final": each.is_final,
        }
        for each in result.attempts
    ]
    return {"study_instance_uid": result.study_uid, **result_fields, "attempts": attempts}


def _build_lines(
    report: BulkReport, notes: Iterable[str], next_steps: Iterable[str], console: Console, *, details: bool
) -> Iterator[Text]:
    all_groups = report.summary.failure_groups
    groups = all_groups if details else all_groups[:_GROUPS_SHOWN]
    yield from wrap_text(
        Text(report.headline, style=f"{HEADING} {SUCCESS if report.summary.all_successful else FAILURE}"), console, 0
    )
    yield Text()
    for sentence in _build_header_lines(report):
        yield from wrap_text(Text(escape_unprintable(sentence)), console, 0)
    yield Text()
    parts = [
        # A delivery without a shown route is not a failed delivery.
        *(
            ("Route" if group.lacks_only_route else "Failures", HEADING, _format_group(group, details=details))
            for group in groups
        ),
        *_remaining_groups_part(len(all_groups) - len(groups)),
        *([("Slowest", HEADING, _format_slowest(report, console))] if report.summary.slowest else []),
        ("Results", HEADING, Text(escape_unprintable(str(report.store)))),
        *(("Next step", NEXT_STEP, Text(capitalise_sentence(escape_unprintable(step)))) for step in next_steps),
        *(("Note", NOTE, Text(escape_unprintable(note), style=NOTE)) for note in notes),
    ]
    for name, style, content in parts:
        label = Text(name, style=style)
        label.pad_right(_LABEL - len(label))
        for part in wrap_text(content, console, _LABEL):
            yield Text.assemble(label, part)
            label = Text(" " * _LABEL)


def _build_header_lines(report: BulkReport) -> Iterator[str]:
    facts, summary = report.run_parameters.values, report.summary
    yield f"C-MOVE from {facts['calling']} to {facts['archive']}, Move Destination {facts['destination']}"
    attempts = format_count(summary.attempt_count, "attempt", grouped=True)
    retries = f", {summary.retry_count:,} repeated" if summary.retry_count else ""
    interrupted = f", {summary.interrupted_count:,} without a response" if summary.interrupted_count else ""
    yield f"{attempts}{interrupted}{retries}; instances sent (as reported by the archive): {summary.instance_count:,}"
    if summary.route_counts:
        yield (
            "Route (number of studies): "
            f"{', '.join(f'{finding} {number:,}' for finding, number in summary.route_counts.items())}"
        )
    if summary.routes_not_shown:
        log = "" if report.reads_external_log else " To read the external archive's log, use --external-log FILE."
        yield (
            f"To show the route, use --require-route, which queries the archive's database.{log} Request other purged "
            "studies: a delivered study may be local now, and a local study shows no route."
        )


def _format_group(group: FailureGroup, *, details: bool) -> Text:
    number = format_count(len(group.studies), "study", "studies", grouped=True)
    text = Text(escape_unprintable(f"{number}: {group.reason}"), style=FAILURE)
    shown = group.studies if details else group.studies[:_UIDS_SHOWN]
    for each in shown:
        text.append(f"\n{escape_unprintable(each.study_uid)}", style="default")
    if hidden_count := len(group.studies) - len(shown):
        text.append(f"\nand {hidden_count:,} more (--details or --csv FILE shows all)", style="default")
    if group.next_step:
        text.append(f"\nNext step: {capitalise_sentence(escape_unprintable(group.next_step))}", style="default")
    return text


def _remaining_groups_part(hidden_count: int) -> Iterator[tuple[str, str, Text]]:
    if hidden_count:
        yield "Failures", HEADING, Text(f"and {hidden_count:,} more reasons (--details or --csv FILE shows all)")


def _format_slowest(report: BulkReport, console: Console) -> Text:
    """Return one line for each of the slowest studies, or two lines if the terminal is too narrow for UIDs."""
    results = [(escape_unprintable(each.study_uid), each.final_result) for each in report.summary.slowest]
    # In a pipe, lines have no width, so every UID fits.
    uid_width = (get_bounded_width(console) or sys.maxsize) - _LABEL - len("12345.78 s  ")
    separator = "  " if all(len(uid) <= uid_width for uid, _ in results) else f"\n{_INDENT}"
    return Text("\n".join(f"{result.seconds:8.2f} s{separator}{uid}" for uid, result in results if result is not None))
