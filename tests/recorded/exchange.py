"""What is compared of a DIMSE exchange: the same facts from a recording and from a run against the stand-in.

Times, ports and the order in which instances are sent are left out. So are the values in pending responses where they
depend on how far a transfer has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.recorded.recordings import DimseRecording, StudyState

COUNTERS = ("Remaining", "Completed", "Failed", "Warning")
_ARCHIVES = {"LONGTERM": ("archive-longterm", "longterm-archive"), "FALLBACK": ("archive-fallback", "fallback-archive")}
Message = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Response:
    """A response to C-FIND, C-MOVE or C-ECHO: its elements but the IDs, and what its data set holds."""

    status: str
    elements: Mapping[str, object] = field(default_factory=dict)
    dataset: object = None


@dataclass(frozen=True)
class Association:
    """An association that the archive asked for: its titles, and how the other AE answered."""

    calling: str
    called: str
    answer: str


@dataclass(frozen=True)
class ForwardedMove:
    """A C-MOVE that the archive passed on; no Move Destination where the association was not accepted."""

    association: Association
    destination: str = ""
    message_id: int | None = None
    identifier: object = None


@dataclass(frozen=True)
class Stored:
    """C-STOREs of one association, by SOP Instance UID: the status, or none."""

    association: Association
    originator: tuple[str, int | None]
    statuses: Mapping[str, str]


@dataclass(frozen=True)
class Exchange:
    """All that is compared. ``ending`` is what the archive did in place of a final response, if anything."""

    association: str
    responses: tuple[Response, ...]
    ending: str
    asked: tuple[ForwardedMove, ...]
    came_back: tuple[Stored, ...]
    delivered: tuple[Stored, ...]
    after: StudyState | None


def exchange_of(recording: DimseRecording) -> Exchange:
    """Return the facts of *recording*."""
    (client,) = recording.legs("client-archive")
    messages = client["messages"]
    asked: list[ForwardedMove] = []
    came_back: list[Stored] = []
    for leg, back in _ARCHIVES.values():
        asked += (_forwarded_move(each["messages"]) for each in real(recording.legs(leg)))
        came_back += (_stored(each["messages"]) for each in real(recording.legs(back)))
    return Exchange(
        association_response(messages),
        tuple(response_of(each) for each in messages if each["what"].endswith("-RSP") and each["by"] == "acceptor"),
        _ending(messages),
        ordered(asked),
        ordered(came_back),
        ordered(_stored(each["messages"]) for each in real(recording.legs("to-workstation"))),
        recording.after,
    )


def real(connections: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the *connections* on which an association was asked for."""
    return [each for each in connections if first(each["messages"], "A-ASSOCIATE-RQ")]


def first(messages: Iterable[Message], what: str) -> Message | None:
    """Return the first of *messages* that is a *what*."""
    return next((each for each in messages if each["what"] == what), None)


def association_response(messages: Iterable[Message]) -> str:
    """Return ``accepted``, ``no context``, ``rejected 1/1/3``, ``aborted`` or ``silent``."""
    answer = next((each for each in messages if each["by"] == "acceptor" and each["what"].startswith("A-")), None)
    if answer is None:
        return "silent"
    if answer["what"] == "A-ASSOCIATE-RJ":
        return f"rejected {answer['result']}/{answer['source']}/{answer['reason']}"
    if answer["what"] == "A-ABORT":
        return "aborted"
    accepted = any(each.get("result") == 0 for each in answer["association"]["presentation_contexts"])
    return "accepted" if accepted else "no context"


def response_of(message: Message) -> Response:
    """Return the response in a recorded *message*."""
    command = message["command"]
    elements = {
        name: command[name]
        for name in ("ErrorComment", "OffendingElement", *(f"NumberOf{each}Suboperations" for each in COUNTERS))
        if name in command
    }
    return Response(command["Status"], elements, comparable_dataset(message.get("dataset")))


def comparable_dataset(dataset: Mapping[str, Any] | None) -> object:
    """Return a data set with texts for its values, lists of UIDs sorted; None for no data set."""
    if not dataset:
        return None
    return {name: _text(value) for name, value in sorted(dataset.items())}


def _text(value: object) -> object:
    if value in (None, "", []):
        return ""
    if isinstance(value, list):
        texts = sorted(str(each) for each in value)
        return texts if len(texts) > 1 else texts[0]
    return str(value)


def ordered(found: Iterable[T]) -> tuple[T, ...]:
    """Return *found* in an order that does not depend on time."""
    return tuple(sorted(found, key=repr))


def _ending(messages: Iterable[Message]) -> str:
    """Return ``aborted`` or ``closed`` where the archive ended the association, else nothing."""
    for each in messages:
        if each["by"] == "requestor" and each["what"] in ("A-RELEASE-RQ", "A-ABORT"):
            return ""
        if each["by"] == "acceptor" and each["what"] == "A-ABORT":
            return "aborted"
        if each["by"] == "acceptor" and each["what"].startswith("TCP"):
            return "closed"
        if each["what"] == "A-ASSOCIATE-RJ":
            return ""
    return ""


def _association(messages: Iterable[Message]) -> Association:
    request = first(messages, "A-ASSOCIATE-RQ")
    assert request is not None
    titles = request["association"]
    return Association(titles["calling"], titles["called"], association_response(messages))


def _forwarded_move(messages: Iterable[Message]) -> ForwardedMove:
    request = first(messages, "C-MOVE-RQ")
    if request is None:
        return ForwardedMove(_association(messages))
    command = request["command"]
    return ForwardedMove(
        _association(messages),
        command["MoveDestination"],
        command["MessageID"],
        comparable_dataset(request["dataset"]),
    )


def _stored(messages: Iterable[Message]) -> Stored:
    requests = [each["command"] for each in messages if each["what"] == "C-STORE-RQ"]
    answers = {
        each["command"]["MessageIDBeingRespondedTo"]: each["command"]["Status"]
        for each in messages
        if each["what"] == "C-STORE-RSP"
    }
    originators = {
        (each.get("MoveOriginatorApplicationEntityTitle", ""), each.get("MoveOriginatorMessageID")) for each in requests
    }
    return Stored(
        _association(messages),
        originators.pop() if originators else ("", None),
        {each["AffectedSOPInstanceUID"]: answers.get(each["MessageID"], "") for each in requests},
    )
