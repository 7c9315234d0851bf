"""Render a route as a report and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.printable import capitalise_sentence, escape_unprintable, format_count
from dcmcfg.render.terminal.console import make_stdout_console, print_line, wrap_text
from dcmcfg.render.terminal.styles import FAILURE, HEADING, NEXT_STEP, NOTE, SUCCESS, UNDECIDED
from dcmcfg.render.terminal.table import Column, print_table
from dcmcfg.route.capability_limits import CapabilityLimits
from dcmcfg.route.path import AEAddress, PathOutcome, Prerequisite, RetrievePath, Route, RouteFailure, RouteMessage
from dcmcfg.route.request import StudyState
from dcmcfg.verify.recall import LocatedStudy

_STYLES = {
    PathOutcome.DELIVERED: SUCCESS,
    PathOutcome.PARTIAL: FAILURE,
    PathOutcome.FAILED: FAILURE,
    PathOutcome.UNCONFIGURED: UNDECIDED,
}
_STATE_DESCRIPTIONS = {
    StudyState.LOCAL: "files on a storage of the archive",
    StudyState.PURGED: "known to the archive, files deleted",
    StudyState.PARTIAL: "some files local, others purged",
    StudyState.INCOMPLETE: "marked as not received completely",
    StudyState.UNCONFIGURED_STORAGE: "files on a storage that is not in the configuration",
    StudyState.UNKNOWN: "not in the archive's database",
}
_STEPS = (
    Column(""),
    Column("Message"),
    Column("Sender"),
    Column("Receiver"),
    Column("Address"),
    Column("Calling AE"),
    Column("Called AE"),
    Column("Move Destination"),
)
_MIN_LABEL_WIDTH = 12  # columns, with the blanks behind the label
_MAX_NAMED_UIDS = 5


class _LabelledConsole(NamedTuple):
    """A console, and the columns that labels take on it."""

    plain: Console
    label_width: int


def print_route(
    route: Route,
    study: LocatedStudy | None = None,
    *,
    states: Sequence[StudyState] = (),
    details: bool = False,
) -> None:
    """Print *route*: the request, then for each state the messages, failures and prerequisites.

    *study* is the study as the archive lists it. If not everything is delivered, the last line lists the *states* in
    which this is the case; *states* are the requested ones (empty for all configured ones). With *details*, all SOP
    classes and transfer syntaxes are listed; otherwise only the first ones.
    """
    plain_console = make_stdout_console()
    label_width = max([_MIN_LABEL_WIDTH, *(len(path.study_state.value) + 2 for path in route.paths)])
    console = _LabelledConsole(plain_console, label_width)
    request = route.request
    address_text = f" at {route.listening_address}" if route.listening_address else ""
    headline = (
        f"C-MOVE from {request.calling_ae_title} to {request.archive_ae.title}{address_text}, Move Destination "
        f"{request.destination_ae_title}"
    )
    _print(plain_console, Text(escape_unprintable(headline), style=HEADING), 0)
    if study is not None:
        _print_study(console, study)
    if route.refusal is not None:
        print_line(plain_console, "")
        _print_labelled(console, "Refused", Text("for every state of the study", style=FAILURE))
        _print_failure(console, route.refusal)
    for path in route.paths:
        print_line(plain_console, "")
        _print_path(console, path)
    for line, state_names in _group_capability_limits(route.paths, details=details).items():
        print_line(plain_console, "")
        _print_labelled(
            console, "Limits", Text(escape_unprintable(f"{', '.join(state_names)}: {line}"), style=UNDECIDED)
        )
    if undelivered_states := dict.fromkeys(path.study_state.value for path in route.find_undelivered_paths(*states)):
        print_line(plain_console, "")
        count = "state" if len(undelivered_states) == 1 else "states"
        hint = "" if states else ". To check only one state of the study, use --state"
        _print_labelled(
            console,
            "Exit code 1",
            Text(
                f"the study is not delivered completely in the {count} {', '.join(undelivered_states)}{hint}",
                style=FAILURE,
            ),
        )


def _print_study(console: _LabelledConsole, study: LocatedStudy) -> None:
    instance_text = f"{format_count(study.instance_count, 'instance')}, {', '.join(study.availabilities)}"
    copy_text = f", copy at {study.external_ae_title}" if study.external_ae_title else ""
    _print(
        console.plain,
        Text(
            escape_unprintable(
                f"Study {study.study_uid}: {instance_text if study.instance_count else 'unknown'}{copy_text}"
            )
        ),
        0,
    )
    for note in study.notes:
        _print_labelled(console, "Note", Text(escape_unprintable(note), style=NOTE))


def route_json(route: Route, *, delivered: bool, study: LocatedStudy | None = None) -> dict[str, Any]:
    """Return *route* for ``--json``; ``delivered`` corresponds to the exit code, unknown values are null."""
    request = route.request
    return {
        "calling_ae_title": request.calling_ae_title,
        "archive_ae_title": request.archive_ae.title,
        "device": request.archive_ae.device.name,
        "listen_address": _address_json(route.listening_address),
        "destination_ae_title": request.destination_ae_title,
        "delivered": delivered,
        "study": _study_json(study) if study is not None else None,
        "refusal": _failure_json(route.refusal) if route.refusal else None,
        "paths": [_path_json(path) for path in route.paths],
    }


def _print_path(console: _LabelledConsole, path: RetrievePath) -> None:
    heading = Text.assemble((path.outcome_text, _STYLES[path.outcome]), f": {path.branch.value}")
    if path.external_ae_title:
        heading.append(
            escape_unprintable(f" ({path.external_ae_title}, configured by {', '.join(path.configured_by)})")
        )
    _print_labelled(console, path.study_state.value, heading)
    _print_labelled(console, "", Text(_STATE_DESCRIPTIONS[path.study_state], style=NOTE))
    _print_steps(console.plain, path.messages)
    for failure in path.failures:
        _print_failure(console, failure)
    for prerequisite in path.prerequisites:
        _print_labelled(console, "Requires", Text(escape_unprintable(format_prerequisite(prerequisite))))
    for note in path.notes:
        _print_labelled(console, "Note", Text(escape_unprintable(note), style=NOTE))


def format_prerequisite(prerequisite: Prerequisite) -> str:
    """Return *prerequisite* as a sentence about the remote system."""
    if prerequisite.kind == "accept":
        return f"{prerequisite.peer_ae_title} accepts {prerequisite.service} from {prerequisite.ae_title}"
    address_text = f" at {prerequisite.address}" if prerequisite.address else ""
    return f"{prerequisite.peer_ae_title} knows {prerequisite.ae_title}{address_text}"


def _print_steps(console: Console, steps: Sequence[RouteMessage]) -> None:
    """Print *steps* as a table without empty columns."""
    rows = [_build_row(number, step) for number, step in enumerate(steps, 1)]
    # Called AE title and Move Destination are often empty, and an empty column makes the table wider.
    filled_columns = [column for column in range(len(_STEPS)) if any(row[column] for row in rows)]
    if rows:
        blocks = [(f"{row[0]}. {row[1]}", "", *row[2:]) for row in rows]
        columns = [_STEPS[column] for column in filled_columns]
        print_table(
            console,
            columns,
            *([[row[column] for column in filled_columns] for row in table_rows] for table_rows in (rows, blocks)),
        )


def _group_capability_limits(paths: Iterable[RetrievePath], *, details: bool) -> dict[str, list[str]]:
    """Return each distinct line about limits by capabilities, with the states that it applies to."""
    states_by_line: dict[str, list[str]] = {}
    for path in paths:
        for line in _format_capability_limits(path.capability_limits, details=details):
            states = states_by_line.setdefault(line, [])
            if path.study_state.value not in states:
                states.append(path.study_state.value)
    return states_by_line


def _build_row(number: int, step: RouteMessage) -> tuple[str, ...]:
    address_text = str(step.address) if step.address else "(no address)"
    called = step.called_ae_title if step.called_ae_title != step.receiver_ae_title else ""
    cells = (
        step.kind,
        step.sender_ae_title,
        step.receiver_ae_title,
        address_text,
        step.calling_ae_title,
        called,
        step.move_destination,
    )
    return (str(number), *map(escape_unprintable, cells))


def _print_failure(console: _LabelledConsole, failure: RouteFailure) -> None:
    if failure.response:
        _print_labelled(console, "Response", Text(escape_unprintable(failure.response), style=FAILURE))
    _print_labelled(console, "Reason", Text(escape_unprintable(failure.reason)))
    if failure.next_step:
        _print_labelled(
            console, "Next step", Text(capitalise_sentence(escape_unprintable(failure.next_step)), style=NEXT_STEP)
        )


def _format_capability_limits(limits: CapabilityLimits | None, *, details: bool) -> Iterator[str]:
    if limits is None:
        return
    for uids, reason in (
        (limits.not_offered_by_sender, "the archive's AE does not list {} as SCU"),
        (limits.not_accepted_by_destination, "the destination lists only other SOP classes as SCP"),
        (limits.not_accepted_by_archive, "the archive's AE for recalled objects does not list {} as SCP"),
    ):
        if uids:
            names, pronoun = _format_uid_names(uids, details=details), "it" if len(uids) == 1 else "them"
            count = format_count(len(uids), "SOP class", "SOP classes")
            yield f"{count} not sent, because {reason.format(pronoun)}. Not sent: {names}"
    if limits.reencoded_transfer_syntaxes:
        max_class_count = max(number for _, number in limits.reencoded_transfer_syntaxes)
        syntaxes = _format_uid_names([uid for uid, _ in limits.reencoded_transfer_syntaxes], details=details)
        number = format_count(len(limits.reencoded_transfer_syntaxes), "transfer syntax", "transfer syntaxes")
        class_count = format_count(max_class_count, "SOP class", "SOP classes")
        these = "this transfer syntax" if len(limits.reencoded_transfer_syntaxes) == 1 else "these transfer syntaxes"
        yield (
            f"For up to {class_count}, the sender or the destination does not list {number}: {syntaxes}. The archive "
            f"sends instances with {these} as little endian, or does not send them."
        )


def _format_uid_names(uids: Sequence[str], *, details: bool) -> str:
    shown = uids if details else uids[:_MAX_NAMED_UIDS]
    names = ", ".join(map(look_up_uid_name, shown))
    hidden_count = len(uids) - len(shown)
    return f"{names} and {hidden_count} more (--details shows all)" if hidden_count else names


def _print_labelled(console: _LabelledConsole, label: str, content: Text) -> None:
    prefix = Text(f"{label} ".ljust(console.label_width), style=HEADING)
    indent = len(prefix)
    for line in wrap_text(content, console.plain, indent):
        line.rstrip()
        console.plain.print(Text.assemble(prefix, line), soft_wrap=True)
        prefix = Text(" " * indent)


def _print(console: Console, text: Text, indent: int) -> None:
    for line in wrap_text(text, console, indent):
        line.rstrip()
        console.print(line, soft_wrap=True)


def _study_json(study: LocatedStudy) -> dict[str, Any]:
    return {
        "study_instance_uid": study.study_uid,
        "instance_count": study.instance_count,
        "availabilities": list(study.availabilities),
        "sop_classes": _uids_json(sorted(study.sop_classes)),
        "states": [state.value for state in study.states],
        "external_ae_title": study.external_ae_title,
        "notes": list(study.notes),
    }


def _path_json(path: RetrievePath) -> dict[str, Any]:
    return {
        "state": path.study_state.value,
        "branch": path.branch.value,
        "outcome": path.outcome.value,
        "external_ae_title": path.external_ae_title or None,
        "configured_by": list(path.configured_by),
        "steps": [_step_json(step) for step in path.messages],
        "failures": [_failure_json(failure) for failure in path.failures],
        "prerequisites": [_prerequisite_json(prerequisite) for prerequisite in path.prerequisites],
        "capability_limits": _capability_limits_json(path.capability_limits) if path.capability_limits else None,
        "notes": list(path.notes),
    }


def _step_json(step: RouteMessage) -> dict[str, Any]:
    return {
        "message": step.kind,
        "sender_ae_title": step.sender_ae_title,
        "receiver_ae_title": step.receiver_ae_title,
        "calling_ae_title": step.calling_ae_title,
        "called_ae_title": step.called_ae_title,
        "address": _address_json(step.address),
        "destination_ae_title": step.move_destination or None,
    }


def _failure_json(failure: RouteFailure) -> dict[str, Any]:
    return {"response": failure.response or None, "reason": failure.reason, "next_step": failure.next_step or None}


def _prerequisite_json(prerequisite: Prerequisite) -> dict[str, Any]:
    return {
        "peer_ae_title": prerequisite.peer_ae_title,
        "kind": prerequisite.kind,
        "ae_title": prerequisite.ae_title,
        "service": prerequisite.service,
        "address": _address_json(prerequisite.address),
    }


def _address_json(address: AEAddress | None) -> dict[str, Any] | None:
    return {"host": address.host, "port": address.port, "tls": address.tls} if address else None


def _capability_limits_json(limits: CapabilityLimits) -> dict[str, Any]:
    return {
        "sent_sop_class_count": len(limits.sent),
        "not_offered_by_sender": _uids_json(limits.not_offered_by_sender),
        "not_accepted_by_destination": _uids_json(limits.not_accepted_by_destination),
        "not_accepted_by_archive": _uids_json(limits.not_accepted_by_archive),
        "reencoded_transfer_syntaxes": [
            {"uid": uid, "name": look_up_uid_name(uid), "sop_class_count": number}
            for uid, number in limits.reencoded_transfer_syntaxes
        ],
    }


def _uids_json(uids: Iterable[str]) -> list[dict[str, str]]:
    return [{"uid": uid, "name": look_up_uid_name(uid)} for uid in uids]
