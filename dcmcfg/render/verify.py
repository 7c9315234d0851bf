"""Render a verdict as a short report and as JSON, and show the progress of a verification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.move import MoveProgress
from dcmcfg.printable import capitalise_sentence, escape_unprintable
from dcmcfg.render.terminal.console import make_stderr_console, wrap_text
from dcmcfg.render.terminal.styles import FAILURE, HEADING, NEXT_STEP, NOTE, SUCCESS, UNDECIDED
from dcmcfg.render.verify_parts import (
    format_request_lines,
    format_stored_files,
    instances_json,
    received_instances_json,
    request_json,
)
from dcmcfg.render.verify_transfers import format_transfer_lines, legs_json, receiver_json
from dcmcfg.timestamps import format_timestamp
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.local_files import locate_files_before_move
from dcmcfg.verify.run import VerificationCallbacks
from dcmcfg.verify.verdict import (
    ReceiptAssessment,
    ReceiptFinding,
    ReportAssessment,
    RouteAssessment,
    RouteFinding,
    Verdict,
    format_instance_count,
)

#: UIDs listed under each label without ``--details``; a study may have thousands of missing instances.
_UIDS_SHOWN = 10
_LABEL = 10  # columns
#: Columns of the progress bar, on a terminal of 100 columns and more and on others.
_WIDE, _BAR_WIDTH, _NARROW_BAR_WIDTH = 100, 40, 10
#: What else the progress takes: spinner, ``10000/10000``, ``0:00:00``, and a blank between each two.
_COUNT_AND_TIME_WIDTH = 1 + 11 + 7 + 4


def print_verdict(verdict: Verdict, evidence: Evidence, console: Console, *, details: bool = False) -> None:
    """Print the report on *console*: the headline, the request, each part of the verdict, and the next steps.

    With *details*, each C-STORE and each UID is printed; otherwise a summary of them. If *console* has a width, lines
    wrap between words: a UID stays in one piece, and no line ends with spaces.
    """
    for line in _build_report_lines(verdict, evidence, console, details=details):
        console.print(line, soft_wrap=True)


def _build_report_lines(verdict: Verdict, evidence: Evidence, console: Console, *, details: bool) -> Iterator[Text]:
    headline = Text(
        escape_unprintable(verdict.headline), style=f"{HEADING} {SUCCESS if verdict.is_accepted else FAILURE}"
    )
    yield from wrap_text(headline, console, 0)
    yield Text()
    for line in _build_header_lines(evidence):
        yield from wrap_text(line, console, 0)
    yield Text()
    parts = [
        (Text("Reported", style=HEADING), _format_reported(verdict.report, evidence, details=details)),
        (Text("Received", style=HEADING), _format_received(verdict.receipt, evidence, details=details)),
        *_transfers_part(evidence, details=details),
        (Text("Route", style=HEADING), _format_route(verdict.route)),
        *(
            (Text("Next step", style=NEXT_STEP), Text(capitalise_sentence(escape_unprintable(step))))
            for step in verdict.next_steps
        ),
        *((Text("Note", style=NOTE), Text(escape_unprintable(note), style=NOTE)) for note in verdict.notes),
    ]
    for label, content in parts:
        label.pad_right(_LABEL - len(label))
        for line in wrap_text(content, console, _LABEL):
            yield Text.assemble(label, line)
            label = Text(" " * _LABEL)


def verdict_json(verdict: Verdict, evidence: Evidence) -> dict[str, Any]:
    """Return the whole verdict for ``--json``; statuses are numbers, unknown values are null."""
    request, reported, received, route = evidence.request, verdict.report, verdict.receipt, verdict.route
    availability_after = {item.sop_instance_uid: item.availability or None for item in evidence.instances_after or ()}
    return {
        "verified": verdict.is_verified,
        "headline": verdict.headline,
        "study_instance_uid": request.study_uid,
        "archive": str(request.archive),
        "calling_ae_title": request.calling_ae_title,
        "destination_ae_title": request.destination_ae_title,
        "request": request_json(evidence),
        "expected": {
            "instance_count": evidence.expected_count,
            "instances": [
                {
                    "sop_instance_uid": item.sop_instance_uid,
                    "series_instance_uid": item.series_uid,
                    "availability": item.availability or None,
                    "availability_after": availability_after.get(item.sop_instance_uid),
                }
                for item in evidence.instances_before
            ],
        },
        "database": {
            "before": _database_json(evidence.database.before),
            "after": _database_json(evidence.database.after),
            "files_before": locate_files_before_move(evidence).locality.value,
        },
        "reported": {
            "success": reported.is_success,
            "status": reported.status,
            "status_hex": None if reported.status is None else f"{reported.status:04X}",
            "meaning": reported.meaning,
            "comment": reported.comment,
            "completed": reported.completed,
            "failed": reported.failed,
            "warning": reported.warning,
            "failed_sop_instance_uids": list(evidence.outcome.failed_sop_instance_uids),
            "duration_seconds": round(evidence.outcome.seconds, 3),
            "reasons": list(reported.reasons),
        },
        "received": {
            "finding": received.finding.value,
            "instance_count": None if received.finding is ReceiptFinding.NOT_OBSERVED else received.instance_count,
            "missing": list(received.missing),
            "unexpected": list(received.unexpected),
            "altered": list(received.altered),
            "duplicates": list(received.duplicates),
            "corrupt": [{"sop_instance_uid": uid, "problem": problem} for uid, problem in received.corrupt],
            "unrelated_senders": list(received.unrelated_senders),
            "calling_ae_titles": list(received.callers),
            "move_originator_ae_titles": list(received.move_originators),
            "instances": received_instances_json(evidence),
            "early_instances": instances_json(evidence.early_instances),
            "unrelated_instances": instances_json(evidence.unrelated_instances),
            "receiver": receiver_json(evidence),
            "reasons": list(received.reasons),
        },
        "legs": legs_json(evidence),
        "route": {
            "finding": route.finding.value,
            "configured_path": route.configured_path,
            "instance_count": route.shown_count,
            "external_retrieve_destination": evidence.route.external_retrieve_destination,
            "reasons": list(route.reasons),
        },
        "next_steps": list(verdict.next_steps),
        "notes": list(verdict.notes),
    }


@contextmanager
def show_verify_progress() -> Iterator[VerificationCallbacks]:
    """Yield callbacks that show the progress on standard error; silent without a terminal."""
    console = make_stderr_console()
    with Progress(
        *build_progress_columns(console.width), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def show_pending(move: MoveProgress) -> None:
            done = sum(number or 0 for number in (move.completed, move.failed, move.warning))
            bar.update(task, completed=done)

        yield VerificationCallbacks(
            on_step=lambda text: bar.update(task, description=escape_unprintable(text)),
            on_expected=lambda number: bar.update(task, total=number or None),
            on_pending=show_pending,
            on_received=lambda number: bar.update(task, completed=number),
        )


def build_progress_columns(width: int) -> tuple[ProgressColumn, ...]:
    """Return the columns of the progress for a terminal *width* columns wide; a long text is shortened.

    Count and time stay whole.
    """
    bar_width = _BAR_WIDTH if width >= _WIDE else _NARROW_BAR_WIDTH
    text_width = max(width - bar_width - _COUNT_AND_TIME_WIDTH, 1)
    return (
        SpinnerColumn(),
        TextColumn(
            "{task.description}",
            # The text may contain names from peers, such as [AE], that rich would read as markup.
            markup=False,
            table_column=Column(max_width=text_width, no_wrap=True, overflow="ellipsis"),
        ),
        BarColumn(bar_width),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )


def _build_header_lines(evidence: Evidence) -> Iterator[Text]:
    request = evidence.request
    yield Text(f"Study {request.study_uid}")
    yield Text(
        f"C-MOVE from {request.calling_ae_title} to {request.archive}, Move Destination {request.destination_ae_title}"
    )
    for line in format_request_lines(evidence):
        yield Text(escape_unprintable(line), style=NOTE)
    yield Text(f"The external archive receives the calling AE title {request.calling_ae_title}", style=NOTE)


def _database_json(study: StoredStudy | None) -> dict[str, Any] | None:
    if study is None:
        return None
    return {
        "known": study.is_known,
        "instance_count": study.instance_count,
        "availability": study.availability or None,
        "storage_ids": list(study.storage_ids),
        "external_retrieve_ae_title": study.external_ae_title or None,
        "completeness": study.completeness or None,
        "failed_retrieves": study.failed_retrieves,
    }


def _format_reported(reported: ReportAssessment, evidence: Evidence, *, details: bool) -> Text:
    expected = "unknown" if reported.expected_count is None else str(reported.expected_count)
    status = "no final response" if reported.status is None else f"{reported.status:04X} {reported.meaning}"
    counters = f"completed={reported.completed}, failed={reported.failed}, warning={reported.warning}"
    text = Text(status, style=SUCCESS if reported.is_success else FAILURE)
    text.append(f"\n{counters} (expected: {expected})", style="default")
    if reported.comment:
        text.append(f"\nComment: {escape_unprintable(reported.comment)}", style="default")
    _append_uids(text, "Failed", evidence.outcome.failed_sop_instance_uids, details=details)
    # The first line of this part already shows the status.
    status_reasons = () if reported.status is None else (f"status {reported.status:04X}",)
    return _append_reasons(text, (reason for reason in reported.reasons if reason not in status_reasons))


def _format_received(received: ReceiptAssessment, evidence: Evidence, *, details: bool) -> Text:
    destination = evidence.request.destination_ae_title
    if received.finding is ReceiptFinding.NOT_OBSERVED:
        return Text(
            f"Not observed: dcmcfg was not the receiver (use --receive to listen as {destination})", style=UNDECIDED
        )
    expected = (
        "an unknown number" if evidence.expected_count is None else format_instance_count(evidence.expected_count)
    )
    style = {ReceiptFinding.COMPLETE: SUCCESS, ReceiptFinding.UNCHECKED: UNDECIDED}.get(received.finding, FAILURE)
    text = Text(f"{received.finding.value}: {received.instance_count} of {expected} at {destination}", style=style)
    if received.callers:
        originators = ", ".join(received.move_originators) or "none"
        callers = f"Caller: {', '.join(received.callers)}, Move Originator {originators}"
        text.append(f"\n{escape_unprintable(callers)} (as reported by the caller, not a proof)", style="default")
    if evidence.receiver_info is not None:
        receiver_info = evidence.receiver_info
        text.append(
            f"\nReceiver: {escape_unprintable(receiver_info.address)}, listening since "
            f"{format_timestamp(receiver_info.listening_since)}",
            style="default",
        )
    if received.stored_files:
        text.append(f"\n{escape_unprintable(format_stored_files(received))}", style="default")
    uid_groups = (
        ("Missing", received.missing),
        ("Unexpected", received.unexpected),
        ("Altered", received.altered),
        ("Corrupt", tuple(f"{uid}: {problem}" for uid, problem in received.corrupt)),
        ("Duplicate", received.duplicates),
    )
    for label, uids in uid_groups:
        _append_uids(text, label, uids, details=details)
    return _append_reasons(text, received.reasons)


def _transfers_part(evidence: Evidence, *, details: bool) -> Iterator[tuple[Text, Text]]:
    lines = "\n".join(map(escape_unprintable, format_transfer_lines(evidence, details=details)))
    if lines:
        yield Text("Sent", style=HEADING), Text(lines)


def _append_uids(text: Text, label: str, uids: Sequence[str], *, details: bool) -> None:
    shown_count = len(uids) if details else _UIDS_SHOWN
    for uid in uids[:shown_count]:
        text.append(f"\n{label}: {escape_unprintable(uid)}", style="default")
    if hidden_count := len(uids[shown_count:]):
        text.append(f"\n{label}: {hidden_count} more (--details or --json shows all)", style="default")


def _format_route(route: RouteAssessment) -> Text:
    styles = {RouteFinding.SHOWN: SUCCESS, RouteFinding.CONTRADICTED: FAILURE}
    number = f" for {format_instance_count(route.shown_count)}" if route.finding is RouteFinding.SHOWN else ""
    text = Text(f"{route.finding.value}{number}", style=styles.get(route.finding, UNDECIDED))
    text.append(f"\nConfigured: {escape_unprintable(route.configured_path)}", style="default")
    return _append_reasons(text, route.reasons)


def _append_reasons(text: Text, reasons: Iterable[str]) -> Text:
    for reason in reasons:
        text.append(f"\n- {escape_unprintable(reason)}", style="default")
    return text
