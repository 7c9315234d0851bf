"""Answers to QIDO-RS as the archive gave them: taken from ``http/qido.json``, with the values of another study.

Which elements come back for an includefield is as recorded: an element that is named comes back, empty where it has no
value; 7777,00xx stands for 7777,10xx; 7777,0010 alone brings 7777,1010 and no other; ``all`` brings what has a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from tests.recorded.recordings import HttpRecording, http
from tests.recorded.stored import NOBODY, StoredInstance, StoredStudy

Element = dict[str, Any]
Dataset = dict[str, Element]
#: The recorded state that the answers are made from: it has a value for most elements.
_MODEL = "purged-external-longterm"
_MODEL_STUDY = "1.2.826.0.1.3680043.8.498.777.301"
_HEX = re.compile("[0-9A-Fa-f]{8}")
_CREATOR = "77770010"
_STORAGES, _EXTERNAL, _SERIES_EXTERNAL, _STUDY_EXTERNAL, _STORAGE = (
    "77771028",
    "77771043",
    "77771044",
    "77771045",
    "77771050",
)
_RETRIEVE_AET, _AVAILABILITY = "00080054", "00080056"
_COUNT_OF_STUDY, _COUNT_OF_SERIES, _SERIES_OF_STUDY = "00201208", "00201209", "00201206"
ARCHIVE = "DCM4CHEE"


class Unanswerable(Exception):
    """A request whose answer is in no recording."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/dicom+json"


def search(resource: str, study: StoredStudy, fields: Sequence[str], availability: str = "ONLINE") -> list[Dataset]:
    """Return the data sets of *resource* (studies, series, instances) of *study* with the includefields *fields*.

    Instances with an external archive have *availability*. Raises :class:`Unanswerable` for an element that no
    recording has, :class:`ValueError` for a field that the archive answers with 400.
    """
    return [_dataset(resource, study, fields, availability, each) for each in _units(resource, study)]


def bad_field() -> Answer:
    """Return what the archive answers to an includefield that it does not know."""
    recorded = http("qido-spelling", "spelling-keyword-unknown")
    return Answer(recorded.status, recorded.body, "application/json")


@dataclass(frozen=True)
class _Unit:
    """A study, series or instance with the instances that it consists of."""

    instances: tuple[StoredInstance, ...]

    @property
    def external(self) -> str:
        titles = {each.external for each in self.instances}
        return next(iter(titles)) if len(titles) == 1 else NOBODY


def _units(resource: str, study: StoredStudy) -> list[_Unit]:
    match resource:
        case "studies":
            return [_Unit(study.instances)]
        case "series":
            return [_Unit(study.of_series(uid)) for uid in study.series()]
        case "instances":
            return [_Unit((each,)) for each in study.instances]
        case _:
            raise Unanswerable(resource)


def _dataset(resource: str, study: StoredStudy, fields: Sequence[str], availability: str, unit: _Unit) -> Dataset:
    if "all" in fields:
        dataset = _model(resource, "all")
        dataset |= {tag: {"vr": "AE"} for tag in (_EXTERNAL, _SERIES_EXTERNAL, _STUDY_EXTERNAL)}
        dataset |= {_STORAGE: {"vr": "LO"}}
        _fill(dataset, resource, study, unit, availability)
        optional = (_EXTERNAL, _SERIES_EXTERNAL, _STUDY_EXTERNAL, _STORAGE)
        dataset = {tag: each for tag, each in dataset.items() if tag not in optional or each.get("Value")}
    else:
        model = _model(resource, "el-six")
        dataset = {tag: each for tag, each in model.items() if not tag.startswith("7777")}
        dataset |= {tag: _named(resource, tag) for tag in map(_tag, fields) if tag is not None}
        if any(tag.startswith("7777") for tag in dataset):
            dataset[_CREATOR] = model[_CREATOR]
        _fill(dataset, resource, study, unit, availability)
    return dict(sorted(dataset.items()))


def _tag(field: str) -> str | None:
    """Return the element that *field* asks for; None for a field that the archive ignores."""
    if _HEX.fullmatch(field):
        tag = field.upper()
        if tag.startswith("777700"):
            return f"777710{tag[6:]}"
        known = tag.startswith("777710") or keyword_for_tag(int(tag, 16))
        return tag if known else None
    if re.fullmatch("[0-9A-Fa-f]+", field):
        return None
    found = tag_for_keyword(field)
    if found is None:
        raise ValueError(field)
    return f"{found:08X}"


def _named(resource: str, tag: str) -> Element:
    """Return the element *tag* as the archive gives it where it is named: with its value, or with its VR alone."""
    if tag == _SERIES_EXTERNAL:
        return {"vr": "AE"}
    for included in ("el-six", "creator", "all"):
        if tag in (found := _model(resource, included)):
            return found[tag]
    for other in ("studies", "series", "instances"):
        if tag in (found := _model(other, "all")):
            return {"vr": found[tag]["vr"]}
    if tag.startswith("7777"):
        raise Unanswerable(f"includefield {tag}")
    return {"vr": dictionary_VR(int(tag, 16))}


def _model(resource: str, included: str) -> Dataset:
    datasets: list[Dataset] = json.loads(_recorded(resource, included).body)
    return deepcopy(datasets[0])


def _recorded(resource: str, included: str) -> HttpRecording:
    return http("qido", f"{_MODEL}-{resource}-{included}")


def _fill(dataset: Dataset, resource: str, study: StoredStudy, unit: _Unit, availability: str) -> None:
    """Put the values of *unit* in place of those that were recorded."""
    text = json.dumps(dataset)
    first = unit.instances[0]
    text = text.replace(f"{_MODEL_STUDY}.1.1", first.sop_instance_uid)
    text = re.sub(rf"{re.escape(_MODEL_STUDY)}\.1(?![0-9])", first.series_uid, text)
    text = re.sub(rf"{re.escape(_MODEL_STUDY)}(?![0-9])", study.study_uid, text)
    number = study.study_uid.rpartition(".")[2]
    for was, now in (("P301", f"P{number}"), ("S301", f"S{number}"), ("A301", f"A{number}"), ('"301"', f'"{number}"')):
        text = text.replace(was, now)
    dataset.clear()
    dataset.update(json.loads(text))
    external = study.external if resource == "studies" else unit.external
    values: Mapping[str, Iterable[object]] = {
        _RETRIEVE_AET: [ARCHIVE, *_titles(external)],
        _AVAILABILITY: [availability if set(map(_external, unit.instances)) != {NOBODY} else "ONLINE"],
        _STORAGES: study.storage_ids,
        _EXTERNAL: _titles(first.external) if resource == "instances" else (),
        _SERIES_EXTERNAL: () if resource == "studies" else _titles(_Unit(study.of_series(first.series_uid)).external),
        _STUDY_EXTERNAL: _titles(study.external),
        _STORAGE: [first.storage] if resource == "instances" and first.storage else (),
        _COUNT_OF_STUDY: [str(len(study.instances))],
        _SERIES_OF_STUDY: [str(len(study.series()))],
        _COUNT_OF_SERIES: [str(len(study.of_series(first.series_uid)))],
        "00200013": [first.sop_instance_uid.rpartition(".")[2]],
        "00200011": [first.series_uid.rpartition(".")[2]],
    }
    for tag, value in values.items():
        if tag in dataset:
            listed, vr = list(value), dataset[tag]["vr"]
            dataset[tag] = {"vr": vr, "Value": listed} if listed else {"vr": vr}


def _external(instance: StoredInstance) -> str:
    return instance.external


def _titles(external: str) -> list[str]:
    return [] if external == NOBODY else [external]
