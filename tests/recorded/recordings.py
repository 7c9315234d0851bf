"""The recordings of the real archive as typed values; each is read from its file once."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_STATE = re.compile(
    r"study external AET (?P<external>\S+) storage_ids=(?P<storages>\S+); (?P<number>\d+) instances, "
    r"(?P<local>\d+) with a location, instance external AETs: (?P<externals>.*)"
)
_UNKNOWN = "not in the database"


@dataclass(frozen=True)
class StudyState:
    """A study in the archive's database: how many of ``number`` instances have a file, on which storages.

    ``external`` is the AE title recorded for the study, ``*`` for none. ``known`` is False for a study that the
    database does not have.
    """

    known: bool
    number: int = 0
    local: int = 0
    storage_ids: tuple[str, ...] = ()
    external: str = "*"


@dataclass(frozen=True)
class HttpRecording:
    """One HTTP exchange: request line, status, headers in their order, body (empty where it is kept elsewhere)."""

    name: str
    asks: str
    configured: str
    method: str
    target: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    more: Mapping[str, Any]  # the recording as it is in the file

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class DimseRecording:
    """One DIMSE exchange; ``connections`` and ``summary`` are as in the files (README of the recordings)."""

    name: str
    asks: str
    configured: str
    before: StudyState | None
    after: StudyState | None
    connections: tuple[Mapping[str, Any], ...]
    summary: Mapping[str, Any]
    more: Mapping[str, Any]

    def legs(self, leg: str) -> tuple[Mapping[str, Any], ...]:
        """Return the connections of *leg* (``client-archive``, ``archive-longterm`` …) in their order."""
        return tuple(each for each in self.connections if each["leg"] == leg)


def folder() -> Path | None:
    """Return the folder with the recordings; None where ``DCMCFG_RECORDINGS`` is unset."""
    named = os.environ.get("DCMCFG_RECORDINGS")
    return Path(named) if named else None


@cache
def index() -> Mapping[str, Any]:
    """Return ``index.json``; empty lists where there are no recordings, so that tests can be parametrised by it."""
    where = folder()
    if where is None:
        return {"archive": {}, "http": [], "dimse": []}
    content: dict[str, Any] = json.loads((where / "index.json").read_text("utf-8"))
    return content


def http_names(file: str) -> list[str]:
    """Return the names of the HTTP recordings in *file* (``qido``, ``ctrl`` …), sorted."""
    return sorted(each["name"] for each in index()["http"] if each["file"] == f"http/{file}.json")


def dimse_names() -> list[str]:
    """Return the names of the DIMSE recordings, sorted."""
    return sorted(each["name"] for each in index()["dimse"])


def http(file: str, name: str) -> HttpRecording:
    """Return the HTTP recording *name* of *file*; raises KeyError where there is none with a single response."""
    found = _by_name(f"http/{file}.json")[name]
    method, target, _ = found["request"]["line"].split(" ", 2)
    response = found["response"]
    body = response.get("body")
    octets = base64.b64decode(response.get("body_base64", "")) if body is None else body.encode()
    headers = tuple((key, value) for key, value in response["headers"])
    return HttpRecording(
        name,
        found["asks"],
        found["configured"] or "",
        method,
        target,
        response["status"],
        response["reason"],
        headers,
        octets,
        found,
    )


def raw_http(file: str, name: str) -> Mapping[str, Any]:
    """Return the HTTP recording *name* as it is in its file, for those with several ``answers``."""
    return _by_name(f"http/{file}.json")[name]


def dimse(name: str) -> DimseRecording:
    """Return the DIMSE recording *name*; raises KeyError where there is none."""
    listed = next((each for each in index()["dimse"] if each["name"] == name), None)
    if listed is None:
        raise KeyError(name)
    found = _by_name(listed["file"])[name]
    return DimseRecording(
        name,
        found["asks"],
        found["configured"] or "",
        _state(found.get("state_before")),
        _state(found.get("state_after")),
        tuple(found["connections"]),
        listed["summary"],
        found,
    )


def _state(text: str | None) -> StudyState | None:
    """Return the state that *text* describes; None where the recording has none."""
    if text is None:
        return None
    if text == _UNKNOWN:
        return StudyState(known=False)
    found = _STATE.fullmatch(text)
    if found is None:
        raise ValueError(f"not a state of a study: {text}")
    storages = () if found["storages"] == "-" else tuple(found["storages"].split(","))
    return StudyState(True, int(found["number"]), int(found["local"]), storages, found["external"])


@cache
def _by_name(file: str) -> Mapping[str, Mapping[str, Any]]:
    where = folder()
    if where is None:
        raise KeyError(file)
    content = json.loads((where / file).read_text("utf-8"))
    return {each["name"]: each for each in content["recordings"]}
