"""Identifiers of C-FIND and C-MOVE requests: level and required unique keys (PS3.4 C.4)."""

from __future__ import annotations

from typing import Literal

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from dcmcfg.lab.matching import get_key_values

Level = Literal["PATIENT", "STUDY", "SERIES", "IMAGE"]
LEVELS: tuple[Level, ...] = ("PATIENT", "STUDY", "SERIES", "IMAGE")
UNIQUE_KEYS: dict[Level, str] = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
#: The UIDs of the Patient Root SOP classes begin with this text, those of Study Root do not (PS3.4 C.6).
_PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1."


class IdentifierMismatch(Exception):
    """The identifier does not match the SOP class: status A900, ``str()`` is the error comment.

    ``tag`` is the offending element. The texts are the same as in dcm4che's ``QueryRetrieveLevel2``.
    """

    def __init__(self, problem: str, keyword: str, detail: str = "") -> None:
        tag = Tag(tag_for_keyword(keyword) or 0)
        self.tag = tag
        super().__init__(f"{problem} {keyword} ({tag.group:04X},{tag.element:04X}){detail}")


def get_root_level(sop_class_uid: UID | str) -> Level:
    """Return the topmost level of a Query/Retrieve information model."""
    return "PATIENT" if str(sop_class_uid).startswith(_PATIENT_ROOT) else "STUDY"


def parse_query_level(identifier: Dataset, root: Level, *, relational: bool) -> Level:
    """Return the level of a C-FIND identifier; raises :class:`IdentifierMismatch`.

    Without relational queries, the unique keys of all higher levels are required (PS3.4 C.4.1.2.2.1).
    """
    level = _parse_level(identifier, root)
    if not relational:
        for upper_level in LEVELS[LEVELS.index(root) : LEVELS.index(level)]:
            _require_unique_key(identifier, upper_level)
    return level


def parse_retrieve_level(identifier: Dataset, root: Level, *, relational: bool) -> Level:
    """Return the level of a C-MOVE identifier, which also requires the unique key of that level (PS3.4 C.4.2.1.4).

    Raises :class:`IdentifierMismatch`.
    """
    level = parse_query_level(identifier, root, relational=relational)
    _require_unique_key(identifier, level)
    return level


def _parse_level(identifier: Dataset, root: Level) -> Level:
    text = str(identifier.get("QueryRetrieveLevel") or "").strip()
    if not text:
        raise IdentifierMismatch("Missing", "QueryRetrieveLevel")
    for level in LEVELS[LEVELS.index(root) :]:
        if level == text:
            return level
    raise IdentifierMismatch("Invalid", "QueryRetrieveLevel", f" - {text}")


def _require_unique_key(identifier: Dataset, level: Level) -> None:
    keyword = UNIQUE_KEYS[level]
    if keyword not in identifier or not get_key_values(identifier[keyword]):
        raise IdentifierMismatch("Missing", keyword)
