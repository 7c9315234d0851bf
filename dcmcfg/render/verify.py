"""A verdict as a short report, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.move import Progress as MoveProgress
from dcmcfg.render.terminal.console import stderr_console, stdout_console, visible, wrapped
from dcmcfg.render.verify_parts import asked_json, asked_lines, instances_json, kept_line, received_json
from dcmcfg.render.verify_transfers import legs_json, listening_json, sent_lines
from dcmcfg.timestamps import readable
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.file_evidence import files_before
from dcmcfg.verify.run import Watcher
from dcmcfg.verify.verdict import Received, Reported, Route, RouteFinding, Verdict, Witness, counted

_GOOD, _BAD, _OPEN = "green", "red", "yellow"
_UIDS_SHOWN = 10
_LABEL = 10  # columns


def print_verdict(verdict: Verdict, evidence: Evidence, *, details: bool = False) -> None:
    """Print the report: the headline, who asked whom, each part by itself, what to do next.

    With *details* each C-STORE is printed, not only a summary of them.
    Lines are broken between words, where there is a width: a UID stays in one piece, and no line ends in blanks.
    """
    console = stdout_console()
    for line in _report(verdict, evidence, console, details=details):
        console.print(line, soft_wrap=True)


def _report(verdict: Verdict, evidence: Evidence, console: Console, *, details: bool) -> Iterator[Text]:
    headline = Text(visible(verdict.headline), style=f"bold {_GOOD if verdict.accepted else _BAD}")
    yield from wrapped(headline, console, 0)
    yield Text()
    for line in _header(evidence):
        yield from wrapped(line, console, 0)
    yield Text()
    parts = [
        (Text("reported", style="bold"), _reported(verdict.reported, evidence)),
        (Text("received", style="bold"), _received(verdict.received, evidence)),
        *_sent(evidence, details=details),
        (Text("route", style="bold"), _route(verdict.route)),
        *((Text("next", style="bold cyan"), Text(visible(step))) for step in verdict.next_steps),
        *((Text("note", style="dim"), Text(visible(note), style="dim")) for note in verdict.notes),
    ]
    for label, content in parts:
        label.pad_right(_LABEL - len(label))
        for line in wrapped(content, console, _LABEL):
            yield Text.assemble(label, line)
            label = Text(" " * _LABEL)


def verdict_json(verdict: Verdict, evidence: Evidence) -> dict[str, Any]:
    """Return the whole verdict for ``--json``; statuses are numbers, what is not known is null."""
    question, reported, received, route = evidence.question, verdict.reported, verdict.received, verdict.route
    after = {item.sop_instance_uid: item.availability or None for item in evidence.after or ()}
    return {
        "verified": verdict.verified,
        "headline": verdict.headline,
        "study_instance_uid": question.study_uid,
        "archive": str(question.archive),
        "calling": question.calling,
        "destination": question.destination,
        "asked": asked_json(evidence),
        "expected": {
            "number": evidence.expected_number,
            "instances": [
                {
                    "sop_instance_uid": item.sop_instance_uid,
                    "series_instance_uid": item.series_uid,
                    "availability": item.availability or None,
                    "availability_after": after.get(item.sop_instance_uid),
                }
                for item in evidence.expected
            ],
        },
        "database": {
            "before": _stored_json(evidence.stored.before),
            "after": _stored_json(evidence.stored.after),
            "files_before": files_before(evidence).finding.value,
        },
        "reported": {
            "ok": reported.ok,
            "status": reported.status,
            "status_hex": None if reported.status is None else f"{reported.status:04X}",
            "meaning": reported.meaning,
            "comment": reported.comment,
            "completed": reported.completed,
            "failed": reported.failed,
            "warning": reported.warning,
            "failed_sop_instance_uids": list(evidence.outcome.failed_sop_instance_uids),
            "seconds": round(evidence.outcome.seconds, 3),
            "reasons": list(reported.reasons),
        },
        "received": {
            "finding": received.finding.value,
            "number": None if received.finding is Witness.NOT_WITNESSED else received.number,
            "missing": list(received.missing),
            "foreign": list(received.foreign),
            "altered": list(received.altered),
            "duplicates": list(received.duplicates),
            "unsound": [{"sop_instance_uid": uid, "problem": problem} for uid, problem in received.unsound],
            "meanwhile": list(received.meanwhile),
            "callers": list(received.callers),
            "move_originators": list(received.move_originators),
            "instances": received_json(evidence),
            "early": instances_json(evidence.early),
            "uninvited": instances_json(evidence.uninvited),
            "listening": listening_json(evidence),
            "reasons": list(received.reasons),
        },
        "legs": legs_json(evidence),
        "route": {
            "finding": route.finding.value,
            "way": route.way,
            "instances": route.instances,
            "external_retrieve_destination": evidence.route.destination,
            "reasons": list(route.reasons),
        },
        "next_steps": list(verdict.next_steps),
        "notes": list(verdict.notes),
    }


@contextmanager
def verify_progress() -> Iterator[Watcher]:
    """Yield a watcher that shows on standard error how it goes; silent where that is no terminal."""
    console = stderr_console()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def pending(move: MoveProgress) -> None:
            done = sum(number or 0 for number in (move.completed, move.failed, move.warning))
            bar.update(task, completed=done)

        yield Watcher(
            on_step=lambda text: bar.update(task, description=visible(text)),
            on_expected=lambda number: bar.update(task, total=number or None),
            on_pending=pending,
            on_received=lambda number: bar.update(task, completed=number),
        )


def _header(evidence: Evidence) -> Iterator[Text]:
    question = evidence.question
    yield Text(f"study {question.study_uid}")
    yield Text(f"{question.calling} asked {question.archive} to send it to {question.destination}")
    for asked in asked_lines(evidence):
        yield Text(visible(asked), style="dim")
    yield Text(f"{question.calling} is the calling AE title that the external archive sees", style="dim")


def _stored_json(study: StoredStudy | None) -> dict[str, Any] | None:
    if study is None:
        return None
    return {
        "known": study.known,
        "instances": study.number,
        "availability": study.availability or None,
        "storage_ids": list(study.storage_ids),
        "external_retrieve_ae_title": study.external or None,
        "completeness": study.completeness or None,
        "failed_retrieves": study.failed_retrieves,
    }


def _reported(reported: Reported, evidence: Evidence) -> Text:
    expected = "unknown" if reported.expected is None else str(reported.expected)
    status = "no final response" if reported.status is None else f"{reported.status:04X} {reported.meaning}"
    counters = f"completed={reported.completed}, failed={reported.failed}, warning={reported.warning}"
    text = Text(status, style=_GOOD if reported.ok else _BAD)
    text.append(f"\n{counters} (expected: {expected})", style="default")
    if reported.comment:
        text.append(f"\ncomment: {visible(reported.comment)}", style="default")
    _append_uids(text, "failed", evidence.outcome.failed_sop_instance_uids)
    said_already = () if reported.status is None else (f"status {reported.status:04X}",)
    return _with_reasons(text, (reason for reason in reported.reasons if reason not in said_already))


def _received(received: Received, evidence: Evidence) -> Text:
    destination = evidence.question.destination
    if received.finding is Witness.NOT_WITNESSED:
        return Text(
            f"not witnessed: no receiver of ours listened; --receive has one listen as {destination}", style=_OPEN
        )
    expected = "an unknown number" if evidence.expected_number is None else counted(evidence.expected_number)
    style = {Witness.COMPLETE: _GOOD, Witness.UNCHECKED: _OPEN}.get(received.finding, _BAD)
    text = Text(f"{received.finding.value}: {received.number} of {expected} at {destination}", style=style)
    if received.callers:
        originators = ", ".join(received.move_originators) or "none"
        callers = f"called by {', '.join(received.callers)}, Move Originator {originators}"
        text.append(f"\n{visible(callers)} (proves nothing by itself)", style="default")
    if evidence.listening is not None:
        listening = evidence.listening
        text.append(f"\nlistened as {visible(listening.address)} from {readable(listening.since)}", style="default")
    if received.files:
        text.append(f"\n{visible(kept_line(received))}", style="default")
    told = (
        ("missing", received.missing),
        ("foreign", received.foreign),
        ("altered", received.altered),
        ("unsound", tuple(f"{uid}: {problem}" for uid, problem in received.unsound)),
        ("twice", received.duplicates),
    )
    for what, uids in told:
        _append_uids(text, what, uids)
    return _with_reasons(text, received.reasons)


def _sent(evidence: Evidence, *, details: bool) -> Iterator[tuple[Text, Text]]:
    lines = "\n".join(map(visible, sent_lines(evidence, details=details)))
    if lines:
        yield Text("sent", style="bold"), Text(lines)


def _append_uids(text: Text, what: str, uids: Sequence[str]) -> None:
    for uid in uids[:_UIDS_SHOWN]:
        text.append(f"\n{what}: {visible(uid)}", style="default")
    if len(uids) > _UIDS_SHOWN:
        text.append(f"\n{what}: {len(uids) - _UIDS_SHOWN} more (--json has all)", style="default")


def _route(route: Route) -> Text:
    styles = {RouteFinding.SHOWN: _GOOD, RouteFinding.CONTRADICTED: _BAD}
    number = f" for {counted(route.instances)}" if route.finding is RouteFinding.SHOWN else ""
    text = Text(f"{route.finding.value}{number}", style=styles.get(route.finding, _OPEN))
    text.append(f"\nconfigured: {visible(route.way)}", style="default")
    return _with_reasons(text, route.reasons)


def _with_reasons(text: Text, reasons: Iterable[str]) -> Text:
    for reason in reasons:
        text.append(f"\n- {visible(reason)}", style="default")
    return text
