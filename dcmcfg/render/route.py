"""A route as a report, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.dicom.uid_registry import uid_name
from dcmcfg.render.terminal.console import print_line, stdout_console, visible, wrapped
from dcmcfg.render.terminal.table import Column, print_table
from dcmcfg.route.capability_limits import KeptBack
from dcmcfg.route.path import Address, Failure, Need, Outcome, Route, Step, Way
from dcmcfg.route.request import StudyState
from dcmcfg.verify.recall import Whereabouts

_STYLES = {
    Outcome.ARRIVES: "green",
    Outcome.IN_PART: "red",
    Outcome.FAILS: "red",
    Outcome.NOT_SET_UP: "yellow",
}
_MEANS = {
    StudyState.LOCAL: "files on a storage of the archive",
    StudyState.PURGED: "known to the archive, files deleted",
    StudyState.PARTIAL: "part local, part purged",
    StudyState.INCOMPLETE: "marked as not received completely",
    StudyState.ELSEWHERE: "files on a storage that is not configured here",
    StudyState.UNKNOWN: "not in the archive's database",
}
_STEPS = (
    Column(""),
    Column("message"),
    Column("from"),
    Column("to"),
    Column("at"),
    Column("as"),
    Column("called"),
    Column("Move Destination"),
)
_LABEL = 12  # columns
_NAMED = 5


def print_route(route: Route, study: Whereabouts | None = None, *, states: Sequence[StudyState] = ()) -> None:
    """Print *route*: what is asked, then for each state the messages, what stops them, and who must know whom.

    *study* is what the archive lists of the study that it is about. Where not everything arrives, the last line says in
    which of *states*, which are those that were asked for (all that are set up when empty).
    """
    console = stdout_console()
    question = route.question
    at = f" at {route.listens}" if route.listens else ""
    headline = f"C-MOVE from {question.calling} to {question.asked.title}{at}, Move Destination {question.destination}"
    _print(console, Text(visible(headline), style="bold"), 0)
    if study is not None:
        _print_study(console, study)
    if route.refused is not None:
        print_line(console, "")
        _print_labelled(console, "refused", Text("whatever the state of the study", style="red"))
        _print_failure(console, route.refused)
    for way in route.ways:
        print_line(console, "")
        _print_way(console, way)
    for line, states_kept in _kept_back(route.ways).items():
        print_line(console, "")
        _print_labelled(console, "kept back", Text(visible(f"{', '.join(states_kept)}: {line}"), style="yellow"))
    if short := dict.fromkeys(way.state.value for way in route.short(*states)):
        print_line(console, "")
        others = "" if states else "; --state asks for one by itself"
        _print_labelled(console, "exit code 1", Text(f"not all arrives: {', '.join(short)}{others}", style="red"))


def _print_study(console: Console, study: Whereabouts) -> None:
    known = f"{_counted(study.number, 'instance', 'instances')}, {', '.join(study.availabilities)}"
    where = f", copy at {study.external}" if study.external else ""
    _print(console, Text(visible(f"study {study.study_uid}: {known if study.number else 'not known'}{where}")), 0)
    for note in study.notes:
        _print_labelled(console, "note", Text(visible(note), style="dim"))


def route_json(route: Route, *, leads: bool, study: Whereabouts | None = None) -> dict[str, Any]:
    """Return *route* for ``--json``; ``leads`` is what the exit code says, what is not known is null."""
    question = route.question
    return {
        "calling": question.calling,
        "archive": question.asked.title,
        "device": question.asked.device.name,
        "listens": _address_json(route.listens),
        "destination": question.destination,
        "leads": leads,
        "study": _study_json(study) if study is not None else None,
        "refused": _failure_json(route.refused) if route.refused else None,
        "ways": [_way_json(way) for way in route.ways],
    }


def _print_way(console: Console, way: Way) -> None:
    heading = Text.assemble((way.ending, _STYLES[way.outcome]), f": {way.branch.value}")
    if way.holder:
        heading.append(visible(f" ({way.holder}, named by {', '.join(way.named_by)})"))
    _print_labelled(console, way.state.value, heading)
    _print_labelled(console, "", Text(_MEANS[way.state], style="dim"))
    _print_steps(console, way.steps)
    for failure in way.failures:
        _print_failure(console, failure)
    for need in way.needs:
        _print_labelled(console, "needs", Text(visible(need_in_words(need))))
    for note in way.notes:
        _print_labelled(console, "note", Text(visible(note), style="dim"))


def need_in_words(need: Need) -> str:
    """Return *need* as a sentence about the other side."""
    if need.kind == "accept":
        return f"{need.who} accepts {need.service} from {need.title}"
    where = f" at {need.address}" if need.address else ""
    return f"{need.who} knows {need.title}{where}"


def _print_steps(console: Console, steps: Sequence[Step]) -> None:
    """Print *steps* as a table without the columns that would be empty."""
    rows = [_row(number, step) for number, step in enumerate(steps, 1)]
    filled = [place for place in range(len(_STEPS)) if any(row[place] for row in rows)]
    if rows:
        blocks = [(f"{row[0]}. {row[1]}", "", *row[2:]) for row in rows]
        columns = [_STEPS[place] for place in filled]
        print_table(console, columns, *([[row[place] for place in filled] for row in each] for each in (rows, blocks)))


def _kept_back(ways: Iterable[Way]) -> dict[str, list[str]]:
    """Return what is kept back, each line once, with the states in which it is."""
    found: dict[str, list[str]] = {}
    for way in ways:
        for line in _kept_back_lines(way.kept_back):
            states = found.setdefault(line, [])
            if way.state.value not in states:
                states.append(way.state.value)
    return found


def _row(number: int, step: Step) -> tuple[str, ...]:
    at = str(step.address) if step.address else "(nowhere)"
    called = step.called if step.called != step.receiver else ""
    cells = (step.message, step.sender, step.receiver, at, step.calling, called, step.destination)
    return (str(number), *map(visible, cells))


def _print_failure(console: Console, failure: Failure) -> None:
    if failure.answer:
        _print_labelled(console, "answer", Text(visible(failure.answer), style="red"))
    _print_labelled(console, "because", Text(visible(failure.why)))
    if failure.next_step:
        _print_labelled(console, "next", Text(visible(failure.next_step), style="cyan"))


def _kept_back_lines(kept: KeptBack | None) -> Iterator[str]:
    if kept is None:
        return
    for uids, why in (
        (kept.not_offered, "that the archive's AE does not list as SCU"),
        (kept.not_taken, "that the destination does not list as SCP, although it lists others"),
        (kept.not_let_in, "that the AE they come back to does not list as SCP"),
    ):
        if uids:
            yield f"{_counted(len(uids), 'SOP class', 'SOP classes')} {why}: {_named(uids)}"
    if kept.re_encoded:
        most = max(number for _, number in kept.re_encoded)
        syntaxes = _named([uid for uid, _ in kept.re_encoded])
        number = _counted(len(kept.re_encoded), "transfer syntax", "transfer syntaxes")
        classes = _counted(most, "SOP class", "SOP classes")
        yield (
            f"{number} that one of the two does not list, for up to {classes} (sent little endian, or not at all): "
            f"{syntaxes}"
        )


def _counted(number: int, one: str, several: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {several}"


def _named(uids: Sequence[str]) -> str:
    more = len(uids) - _NAMED
    names = ", ".join(uid_name(uid) for uid in uids[:_NAMED])
    return f"{names} and {more} more (--json has all)" if more > 0 else names


def _print_labelled(console: Console, label: str, content: Text) -> None:
    before = Text(label.ljust(_LABEL), style="bold")
    for line in wrapped(content, console, _LABEL):
        line.rstrip()
        console.print(Text.assemble(before, line), soft_wrap=True)
        before = Text(" " * _LABEL)


def _print(console: Console, text: Text, indent: int) -> None:
    for line in wrapped(text, console, indent):
        line.rstrip()
        console.print(line, soft_wrap=True)


def _study_json(study: Whereabouts) -> dict[str, Any]:
    return {
        "study_instance_uid": study.study_uid,
        "instances": study.number,
        "availabilities": list(study.availabilities),
        "sop_classes": _uids_json(sorted(study.sop_classes)),
        "states": [state.value for state in study.states],
        "external": study.external,
        "notes": list(study.notes),
    }


def _way_json(way: Way) -> dict[str, Any]:
    return {
        "state": way.state.value,
        "branch": way.branch.value,
        "outcome": way.outcome.value,
        "external": way.holder or None,
        "named_by": list(way.named_by),
        "steps": [_step_json(step) for step in way.steps],
        "failures": [_failure_json(failure) for failure in way.failures],
        "needs": [_need_json(need) for need in way.needs],
        "kept_back": _kept_back_json(way.kept_back) if way.kept_back else None,
        "notes": list(way.notes),
    }


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "message": step.message,
        "from": step.sender,
        "to": step.receiver,
        "calling": step.calling,
        "called": step.called,
        "address": _address_json(step.address),
        "move_destination": step.destination or None,
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {"answer": failure.answer or None, "why": failure.why, "next_step": failure.next_step or None}


def _need_json(need: Need) -> dict[str, Any]:
    return {
        "who": need.who,
        "kind": need.kind,
        "title": need.title,
        "service": need.service,
        "address": _address_json(need.address),
    }


def _address_json(address: Address | None) -> dict[str, Any] | None:
    return {"host": address.host, "port": address.port, "tls": address.tls} if address else None


def _kept_back_json(kept: KeptBack) -> dict[str, Any]:
    return {
        "sent": len(kept.sent),
        "not_offered": _uids_json(kept.not_offered),
        "not_taken": _uids_json(kept.not_taken),
        "not_let_in": _uids_json(kept.not_let_in),
        "re_encoded": [{"uid": uid, "name": uid_name(uid), "sop_classes": number} for uid, number in kept.re_encoded],
    }


def _uids_json(uids: Iterable[str]) -> list[dict[str, str]]:
    return [{"uid": uid, "name": uid_name(uid)} for uid in uids]
