"""A route as a report, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import print_line, stdout_console, wrap_text
from dcmcfg.render.terminal.table import Column, print_table
from dcmcfg.route.capability_limits import CapabilityLimits
from dcmcfg.route.path import AEAddress, PathOutcome, Prerequisite, RetrievePath, Route, RouteFailure, RouteMessage
from dcmcfg.route.request import StudyState
from dcmcfg.verify.recall import LocatedStudy

_STYLES = {
    PathOutcome.DELIVERED: "green",
    PathOutcome.PARTIAL: "red",
    PathOutcome.FAILED: "red",
    PathOutcome.UNCONFIGURED: "yellow",
}
_STATE_DESCRIPTIONS = {
    StudyState.LOCAL: "files on a storage of the archive",
    StudyState.PURGED: "known to the archive, files deleted",
    StudyState.PARTIAL: "part local, part purged",
    StudyState.INCOMPLETE: "marked as not received completely",
    StudyState.UNCONFIGURED_STORAGE: "files on a storage that is not configured here",
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
_LABEL = 12  # columns
_MAX_NAMED_UIDS = 5


def print_route(route: Route, study: LocatedStudy | None = None, *, states: Sequence[StudyState] = ()) -> None:
    """Print *route*: what is asked, then for each state the messages, what stops them, and who must know whom.

    *study* is what the archive lists of the study that it is about. Where not everything arrives, the last line says in
    which of *states*, which are those that were asked for (all that are set up when empty).
    """
    console = stdout_console()
    question = route.request
    at = f" at {route.listening_address}" if route.listening_address else ""
    headline = (
        f"C-MOVE from {question.calling_ae_title} to {question.archive_ae.title}{at}, Move Destination "
        f"{question.destination_ae_title}"
    )
    _print(console, Text(escape_unprintable(headline), style="bold"), 0)
    if study is not None:
        _print_study(console, study)
    if route.refusal is not None:
        print_line(console, "")
        _print_labelled(console, "Refused", Text("whatever the state of the study", style="red"))
        _print_failure(console, route.refusal)
    for way in route.paths:
        print_line(console, "")
        _print_path(console, way)
    for line, states_kept in _group_capability_limits(route.paths).items():
        print_line(console, "")
        _print_labelled(
            console, "Not sent", Text(escape_unprintable(f"{', '.join(states_kept)}: {line}"), style="yellow")
        )
    if short := dict.fromkeys(way.state.value for way in route.find_undelivered_paths(*states)):
        print_line(console, "")
        others = "" if states else "; --state asks for one by itself"
        _print_labelled(console, "Exit code 1", Text(f"not all arrives: {', '.join(short)}{others}", style="red"))


def _print_study(console: Console, study: LocatedStudy) -> None:
    known = f"{format_count(study.instance_count, 'instance')}, {', '.join(study.availabilities)}"
    where = f", copy at {study.external_ae_title}" if study.external_ae_title else ""
    _print(
        console,
        Text(escape_unprintable(f"study {study.study_uid}: {known if study.instance_count else 'not known'}{where}")),
        0,
    )
    for note in study.notes:
        _print_labelled(console, "Note", Text(escape_unprintable(note), style="dim"))


def route_json(route: Route, *, delivered: bool, study: LocatedStudy | None = None) -> dict[str, Any]:
    """Return *route* for ``--json``; ``delivered`` is what the exit code says, what is not known is null."""
    question = route.request
    return {
        "calling_ae_title": question.calling_ae_title,
        "archive_ae_title": question.archive_ae.title,
        "device": question.archive_ae.device.name,
        "listen_address": _address_json(route.listening_address),
        "destination_ae_title": question.destination_ae_title,
        "delivered": delivered,
        "study": _study_json(study) if study is not None else None,
        "refusal": _failure_json(route.refusal) if route.refusal else None,
        "paths": [_path_json(way) for way in route.paths],
    }


def _print_path(console: Console, way: RetrievePath) -> None:
    heading = Text.assemble((way.outcome_text, _STYLES[way.outcome]), f": {way.branch.value}")
    if way.external_ae_title:
        heading.append(escape_unprintable(f" ({way.external_ae_title}, named by {', '.join(way.configured_by)})"))
    _print_labelled(console, way.state.value, heading)
    _print_labelled(console, "", Text(_STATE_DESCRIPTIONS[way.state], style="dim"))
    _print_steps(console, way.messages)
    for failure in way.failures:
        _print_failure(console, failure)
    for need in way.prerequisites:
        _print_labelled(console, "Requires", Text(escape_unprintable(format_prerequisite(need))))
    for note in way.notes:
        _print_labelled(console, "Note", Text(escape_unprintable(note), style="dim"))


def format_prerequisite(prerequisite: Prerequisite) -> str:
    """Return *prerequisite* as a sentence about the other side."""
    if prerequisite.kind == "accept":
        return f"{prerequisite.peer_ae_title} accepts {prerequisite.service} from {prerequisite.ae_title}"
    where = f" at {prerequisite.address}" if prerequisite.address else ""
    return f"{prerequisite.peer_ae_title} knows {prerequisite.ae_title}{where}"


def _print_steps(console: Console, steps: Sequence[RouteMessage]) -> None:
    """Print *steps* as a table without the columns that would be empty."""
    rows = [_row(number, step) for number, step in enumerate(steps, 1)]
    filled = [place for place in range(len(_STEPS)) if any(row[place] for row in rows)]
    if rows:
        blocks = [(f"{row[0]}. {row[1]}", "", *row[2:]) for row in rows]
        columns = [_STEPS[place] for place in filled]
        print_table(console, columns, *([[row[place] for place in filled] for row in each] for each in (rows, blocks)))


def _group_capability_limits(ways: Iterable[RetrievePath]) -> dict[str, list[str]]:
    """Return what is kept back, each line once, with the states in which it is."""
    found: dict[str, list[str]] = {}
    for way in ways:
        for line in _capability_limit_lines(way.capability_limits):
            states = found.setdefault(line, [])
            if way.state.value not in states:
                states.append(way.state.value)
    return found


def _row(number: int, step: RouteMessage) -> tuple[str, ...]:
    at = str(step.address) if step.address else "(nowhere)"
    called = step.called_ae_title if step.called_ae_title != step.receiver_ae_title else ""
    cells = (
        step.kind,
        step.sender_ae_title,
        step.receiver_ae_title,
        at,
        step.calling_ae_title,
        called,
        step.move_destination,
    )
    return (str(number), *map(escape_unprintable, cells))


def _print_failure(console: Console, failure: RouteFailure) -> None:
    if failure.response:
        _print_labelled(console, "Response", Text(escape_unprintable(failure.response), style="red"))
    _print_labelled(console, "Reason", Text(escape_unprintable(failure.reason)))
    if failure.next_step:
        _print_labelled(console, "Next step", Text(escape_unprintable(failure.next_step), style="cyan"))


def _capability_limit_lines(kept: CapabilityLimits | None) -> Iterator[str]:
    if kept is None:
        return
    for uids, why in (
        (kept.not_offered_by_sender, "that the archive's AE does not list as SCU"),
        (kept.not_accepted_by_destination, "that the destination does not list as SCP, although it lists others"),
        (kept.not_accepted_by_archive, "that the AE they come back to does not list as SCP"),
    ):
        if uids:
            yield f"{format_count(len(uids), 'SOP class', 'SOP classes')} {why}: {_format_uid_names(uids)}"
    if kept.reencoded_transfer_syntaxes:
        most = max(number for _, number in kept.reencoded_transfer_syntaxes)
        syntaxes = _format_uid_names([uid for uid, _ in kept.reencoded_transfer_syntaxes])
        number = format_count(len(kept.reencoded_transfer_syntaxes), "transfer syntax", "transfer syntaxes")
        classes = format_count(most, "SOP class", "SOP classes")
        yield (
            f"{number} that one of the two does not list, for up to {classes} (sent little endian, or not at all): "
            f"{syntaxes}"
        )


def _format_uid_names(uids: Sequence[str]) -> str:
    more = len(uids) - _MAX_NAMED_UIDS
    names = ", ".join(look_up_uid_name(uid) for uid in uids[:_MAX_NAMED_UIDS])
    return f"{names} and {more} more (--json has all)" if more > 0 else names


def _print_labelled(console: Console, label: str, content: Text) -> None:
    before = Text(f"{label} ".ljust(_LABEL), style="bold")
    for line in wrap_text(content, console, len(before)):
        line.rstrip()
        console.print(Text.assemble(before, line), soft_wrap=True)
        before = Text(" " * len(before))


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


def _path_json(way: RetrievePath) -> dict[str, Any]:
    return {
        "state": way.state.value,
        "branch": way.branch.value,
        "outcome": way.outcome.value,
        "external_ae_title": way.external_ae_title or None,
        "configured_by": list(way.configured_by),
        "steps": [_step_json(step) for step in way.messages],
        "failures": [_failure_json(failure) for failure in way.failures],
        "prerequisites": [_prerequisite_json(need) for need in way.prerequisites],
        "capability_limits": _capability_limits_json(way.capability_limits) if way.capability_limits else None,
        "notes": list(way.notes),
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


def _prerequisite_json(need: Prerequisite) -> dict[str, Any]:
    return {
        "peer_ae_title": need.peer_ae_title,
        "kind": need.kind,
        "ae_title": need.ae_title,
        "service": need.service,
        "address": _address_json(need.address),
    }


def _address_json(address: AEAddress | None) -> dict[str, Any] | None:
    return {"host": address.host, "port": address.port, "tls": address.tls} if address else None


def _capability_limits_json(kept: CapabilityLimits) -> dict[str, Any]:
    return {
        "sent_sop_class_count": len(kept.sent),
        "not_offered_by_sender": _uids_json(kept.not_offered_by_sender),
        "not_accepted_by_destination": _uids_json(kept.not_accepted_by_destination),
        "not_accepted_by_archive": _uids_json(kept.not_accepted_by_archive),
        "reencoded_transfer_syntaxes": [
            {"uid": uid, "name": look_up_uid_name(uid), "sop_class_count": number}
            for uid, number in kept.reencoded_transfer_syntaxes
        ],
    }


def _uids_json(uids: Iterable[str]) -> list[dict[str, str]]:
    return [{"uid": uid, "name": look_up_uid_name(uid)} for uid in uids]
