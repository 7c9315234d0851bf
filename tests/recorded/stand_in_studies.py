"""The studies of the recordings in the database of the stand-in archive, each in its recorded state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydicom.dataset import Dataset

from dcmcfg.lab.archive.database import NO_EXTERNAL_AET, InstanceRecord
from tests.recorded.recordings import http, http_names

#: Attributes that the archive computes; they are not in the header of an instance.
_COMPUTED = ("00080054", "00080056", "00080061", "00080062", "00081190", "00201200", "00201206", "00201208", "00201209")
_ALL = "-instances-all"


def recorded_states() -> list[str]:
    """Return the names of the states in which ``http/qido.json`` has a study, sorted.

    The states are: local, archived and local, purged, partly purged, fetched back, on a storage that the device does
    not have, and purged with nobody recorded. Some are states of the same study.
    """
    return [name.removesuffix(_ALL) for name in http_names("qido") if name.endswith(_ALL) and _found(name)]


def study_in(state: str) -> list[InstanceRecord]:
    """Return the instances of the study that was recorded in *state*."""
    return [_instance(each) for each in _found(f"{state}{_ALL}")]


def _found(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(http("qido", name).text or "[]")
    return found


def _instance(found: Mapping[str, Any]) -> InstanceRecord:
    external = _value(found, "77771043")
    storage = _value(found, "77771050")
    header = {tag: element for tag, element in found.items() if tag < "7777" and tag not in _COMPUTED}
    titles = [title for title in found["00080054"]["Value"] if title != external]
    return InstanceRecord(
        Dataset.from_json(header),
        is_local=storage is not None,
        external_aet=external or NO_EXTERNAL_AET,
        availability=found["00080056"]["Value"][0],
        retrieve_aets=tuple(titles),
        storage_id=storage or "fs1",
        received_at=found["77771040"]["Value"][0],
    )


def _value(found: Mapping[str, Any], tag: str) -> str | None:
    values = found.get(tag, {}).get("Value", [])
    return str(values[0]) if values else None
