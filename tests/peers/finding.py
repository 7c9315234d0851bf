"""Archives that are asked what a study holds, and do not answer as they should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.association import Association

from dcmcfg.lab.query import QueryInstance, handle_find
from tests.peers import endings
from tests.peers.stage import Stage

Answers = Iterator[tuple[Any, Dataset | None]]
#: How a peer answers C-FIND on a stage.
Finding = Callable[[Stage], Callable[[evt.Event], Answers]]
_PENDING = 0xFF00


def held(instances: Sequence[Dataset], availability: str = "NEARLINE") -> tuple[QueryInstance, ...]:
    return tuple(QueryInstance(each, availability, ("LONGTERM",)) for each in instances)


def lists(chosen: Callable[[Stage], list[Dataset]], availability: str = "NEARLINE") -> Finding:
    """List the instances that are *chosen*, as a proper archive would."""
    return lambda stage: lambda event: handle_find(event, lambda: held(chosen(stage), availability))


def lists_everybodys(stage: Stage) -> Callable[[evt.Event], Answers]:
    """Heed no key but the level: answer with what there is of both studies."""

    def answer(event: evt.Event) -> Answers:
        for study in (stage.others, stage.study):
            for instance in study:
                for name in ("StudyInstanceUID", "SeriesInstanceUID"):
                    if name in event.identifier:
                        setattr(event.identifier, name, instance[name].value)
            yield from handle_find(event, partial(held, study))

    return answer


def lists_twice(stage: Stage) -> Callable[[evt.Event], Answers]:
    """Give every answer twice."""

    def answer(event: evt.Event) -> Answers:
        for status, match in handle_find(event, lambda: held(stage.study)):
            yield status, match
            yield status, match

    return answer


def lists_without_uids(stage: Stage) -> Callable[[evt.Event], Answers]:
    """Leave out the UID of what is listed."""

    def answer(event: evt.Event) -> Answers:
        for status, match in handle_find(event, lambda: held(stage.study)):
            if match is not None and event.identifier.QueryRetrieveLevel == "IMAGE":
                del match.SOPInstanceUID
            yield status, match

    return answer


def lists_for_ever(stage: Stage) -> Callable[[evt.Event], Answers]:
    """Give the same answer again and again."""

    def answer(event: evt.Event) -> Answers:
        first = next(iter(handle_find(event, lambda: held(stage.study))))
        while not event.is_cancelled and not endings._is_over(event.assoc):
            yield first

    return answer


def refuses(status: int, comment: str = "") -> Finding:
    """Answer with a failure."""

    def answer(event: evt.Event) -> Answers:
        failure = Dataset()
        failure.Status = status
        if comment:
            failure.ErrorComment = comment
        yield failure, None

    return lambda _: answer


def ends_by(ending: Callable[[Association], None]) -> Finding:
    """Leave without an answer."""

    def answer(event: evt.Event) -> Answers:
        ending(event.assoc)
        event.assoc.abort()
        yield _PENDING, None

    return lambda _: answer
