"""Values that were set on the real archive one at a time, and what it did with each."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tests.recorded.recordings import folder

#: Whose result depends on whether the TLS listener was bound again in that reload; see the recordings' README.
STORES = ("dcmKeyStore", "dcmTrustStore")


@dataclass(frozen=True)
class TriedValue:
    """A value of an attribute of an entry (its DN below ``cn=Devices``), and the answer of the reload."""

    entry: str
    object_class: str
    attribute: str
    value: bytes
    answer: Literal["loaded", "409", "500"]

    @property
    def refused(self) -> bool:
        return self.answer != "loaded"


@cache
def tried_values() -> tuple[TriedValue, ...]:
    """Return all values that the directory server took; those of key stores and trust stores are not among them."""
    where = folder()
    if where is None:
        return ()
    single = map(_single, _lines(where / "refused-values-train.jsonl"))
    panel = (each for line in _lines(where / "value-panel-train.jsonl") for each in _panel(line))
    return tuple(each for each in (*single, *panel) if not each.attribute.startswith(STORES))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, file.read_text("utf-8").splitlines())


def _single(line: dict[str, Any]) -> TriedValue:
    _, _, value = line["ldif"].partition(":")
    octets = base64.b64decode(value[1:]) if value.startswith(":") else value.strip().encode()
    return TriedValue(line["entry"], line["object_class"], line["attribute"], octets, line["archive"])


def _panel(line: dict[str, Any]) -> Iterator[TriedValue]:
    answers: tuple[tuple[str, Literal["loaded", "409", "500"]], ...] = (
        ("loaded", "loaded"),
        ("refused_409", "409"),
        ("refused_500", "500"),
    )
    for key, answer in answers:
        for value in line[key]:
            yield TriedValue(line["entry"], line["object_class"], line["attribute"], value.encode(), answer)
