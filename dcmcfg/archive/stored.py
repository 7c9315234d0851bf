"""What the archive's database says of a study's files, read from its answers in DICOM JSON (PS3.18 Annex F).

The private attributes are those of the creator ``DCM4CHEE Archive 5`` (``PrivateTag``): the archive gives them by HTTP
only. An external retrieve AE title ``*``, and a completeness of ``COMPLETE``, are left out by it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PRIVATE_CREATOR = "DCM4CHEE Archive 5"
#: The private creator element of the first block of the group, as the archive takes it for all that is private.
PRIVATE_FIELDS = "77770010"
_CREATOR = re.compile("777700([1-9A-F][0-9A-F])")
_STUDY_EXTERNAL, _OBJECT_EXTERNAL = 0x45, 0x43
_STUDY_STORAGES, _OBJECT_STORAGE = 0x28, 0x50
_COMPLETENESS, _FAILED_RETRIEVES = 0x25, 0x26


@dataclass(frozen=True)
class StoredStudy:
    """A study as the archive's database has it.

    ``known`` is false where it has none, and nothing else is said then. ``storage_ids`` are those on which there are
    files of it, empty for one that is purged. ``external`` is the external retrieve AE title that its objects have in
    common, empty where none is recorded, or not the same for all. ``completeness`` is empty for a complete study.
    """

    study_uid: str
    known: bool = True
    number: int | None = None
    availability: str = ""
    storage_ids: tuple[str, ...] = ()
    external: str = ""
    completeness: str = ""
    failed_retrieves: int = 0
    patient_id: str = ""
    study_date: str = ""


@dataclass(frozen=True)
class StoredObject:
    """An object of a study likewise."""

    sop_instance_uid: str
    storage_ids: tuple[str, ...] = ()
    external: str = ""


class NotDicomJson(ValueError):
    """A text that is no DICOM JSON, or lacks what must be there; ``str()`` says what is wrong."""


def studies(body: str) -> tuple[StoredStudy, ...]:
    """Return the studies in *body*; raises :class:`NotDicomJson`, also where nothing private is told."""
    return tuple(map(_study, _datasets(body)))


def objects(body: str) -> tuple[StoredObject, ...]:
    """Return the objects in *body*; raises :class:`NotDicomJson`, also where nothing private is told."""
    return tuple(map(_object, _datasets(body)))


@dataclass(frozen=True)
class _Dataset:
    elements: Mapping[str, Any]
    block: str

    def texts(self, tag: str) -> tuple[str, ...]:
        """Return the values of *tag* as text, those that are structures left out."""
        element = self.elements.get(tag)
        values = element.get("Value") if isinstance(element, dict) else None
        told = values if isinstance(values, list) else ()
        return tuple(str(value).strip() for value in told if isinstance(value, str | int) and str(value).strip())

    def text(self, tag: str) -> str:
        return next(iter(self.texts(tag)), "")

    def number(self, tag: str) -> int | None:
        text = self.text(tag)
        return int(text) if text.isdecimal() else None

    def private(self, element: int) -> str:
        return f"7777{self.block}{element:02X}"


def _datasets(body: str) -> Iterable[_Dataset]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise NotDicomJson("no JSON") from None
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise NotDicomJson("no list of data sets")
    return [_dataset({str(tag).upper(): element for tag, element in each.items()}) for each in content]


def _dataset(elements: Mapping[str, Any]) -> _Dataset:
    """Return the data set with its private block, whose number is found and not taken for granted (PS3.5 §7.8.1)."""
    plain = _Dataset(elements, "")
    creators = filter(None, map(_CREATOR.fullmatch, elements))
    block = next((found[1] for found in creators if plain.text(found[0]) == PRIVATE_CREATOR), None)
    if block is None:
        raise NotDicomJson(f"no attributes of {PRIVATE_CREATOR}")
    return _Dataset(elements, block)


def _study(told: _Dataset) -> StoredStudy:
    if not told.text("0020000D"):
        raise NotDicomJson("no Study Instance UID")
    return StoredStudy(
        study_uid=told.text("0020000D"),
        number=told.number("00201208"),
        availability=told.text("00080056"),
        storage_ids=told.texts(told.private(_STUDY_STORAGES)),
        external=_title(told.text(told.private(_STUDY_EXTERNAL))),
        completeness=told.text(told.private(_COMPLETENESS)),
        failed_retrieves=told.number(told.private(_FAILED_RETRIEVES)) or 0,
        patient_id=told.text("00100020"),
        study_date=told.text("00080020"),
    )


def _object(told: _Dataset) -> StoredObject:
    if not told.text("00080018"):
        raise NotDicomJson("no SOP Instance UID")
    return StoredObject(
        told.text("00080018"),
        told.texts(told.private(_OBJECT_STORAGE)),
        _title(told.text(told.private(_OBJECT_EXTERNAL))),
    )


def _title(text: str) -> str:
    return "" if text == "*" else text
