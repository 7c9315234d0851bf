"""The answers to QIDO-RS that the replayer makes are those that were recorded, state by state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.recorded.qido_responses import search
from tests.recorded.recordings import http, http_names
from tests.recorded.stored import NOBODY, StoredInstance, StoredStudy

#: When something was received or changed, from where, how large it is, its file and image: each study has its own.
_OF_ITS_OWN = re.compile("777710(1.|2[0-2A-F9]|3.|4[01]|5[1-9]|6.)|00100021|00083002|0028....")
_STATE = re.compile("study external AET (?P<external>.+) storage_ids=(?P<storages>.+); ")
_NAMES = [name for name in http_names("qido") if not name.startswith("unknown")]


@pytest.mark.parametrize("name", _NAMES)
def test_it_is_as_recorded(recordings: Path, name: str) -> None:
    recorded = http("qido", name)
    resource = next(each for each in ("studies", "series", "instances") if f"-{each}-" in name)
    fields = ",".join(parse_qs(urlsplit(recorded.target).query)["includefield"]).split(",")
    assert _plain(search(resource, _study(name, resource), fields)) == _plain(json.loads(recorded.body))


def _study(name: str, resource: str) -> StoredStudy:
    """Return the study of the recording *name*, its instances as the recording of all their elements has them."""
    state = name.rpartition(f"-{resource}-")[0]
    found = _STATE.match(http("qido", name).more["database"])
    assert found
    listed = json.loads(http("qido", f"{state}-instances-el-six").body)
    instances = tuple(
        StoredInstance(
            each["00080018"]["Value"][0],
            each["0020000E"]["Value"][0],
            next(iter(each["77771050"].get("Value", [])), ""),
            next(iter(each["77771043"].get("Value", [])), NOBODY),
        )
        for each in listed
    )
    storages = () if found["storages"] == "-" else tuple(found["storages"].split(","))
    return StoredStudy(listed[0]["0020000D"]["Value"][0], found["external"], storages, instances)


def _plain(datasets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *datasets* without what differs from study to study."""
    return [{tag: element for tag, element in each.items() if not _OF_ITS_OWN.fullmatch(tag)} for each in datasets]
