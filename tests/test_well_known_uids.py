"""UIDs that several modules work with have one home, and are those of PS3.6."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

import dcmcfg
from dcmcfg import well_known_uids
from dcmcfg.dicom.uid_registry import UIDS, list_storage_sop_classes
from dcmcfg.well_known_uids import STORAGE_SOP_CLASS_PREFIX

_PACKAGE = Path(dcmcfg.__file__).parent
_PREFIX = "STORAGE_SOP_CLASS_PREFIX"
_CONSTANTS = {name: uid for name, uid in vars(well_known_uids).items() if name.isupper()}
#: Constant → the standard's keyword.
_KEYWORDS = {
    "VERIFICATION": "Verification",
    "IMPLICIT_VR_LITTLE_ENDIAN": "ImplicitVRLittleEndian",
    "EXPLICIT_VR_LITTLE_ENDIAN": "ExplicitVRLittleEndian",
    "EXPLICIT_VR_BIG_ENDIAN": "ExplicitVRBigEndian",
    "PATIENT_ROOT_FIND": "PatientRootQueryRetrieveInformationModelFind",
    "PATIENT_ROOT_MOVE": "PatientRootQueryRetrieveInformationModelMove",
    "PATIENT_ROOT_GET": "PatientRootQueryRetrieveInformationModelGet",
    "STUDY_ROOT_FIND": "StudyRootQueryRetrieveInformationModelFind",
    "STUDY_ROOT_MOVE": "StudyRootQueryRetrieveInformationModelMove",
    "STUDY_ROOT_GET": "StudyRootQueryRetrieveInformationModelGet",
}


def _duplicates(sources: Mapping[str, str]) -> list[str]:
    """Return a line for each registered UID that *sources* (path → text) spell although it has a constant, or twice."""
    constants = frozenset(_CONSTANTS.values())
    places: dict[str, set[str]] = defaultdict(set)
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and (node.value in constants or node.value in UIDS):
                places[str(node.value)].add(path)
    return [
        f"{uid}: {', '.join(sorted(paths))}"
        for uid, paths in sorted(places.items())
        if uid in constants or len(paths) > 1
    ]


@pytest.mark.parametrize("name", sorted(_CONSTANTS.keys() - {_PREFIX}))
def test_a_constant_is_the_uid_of_its_name(name: str) -> None:
    assert UIDS[_CONSTANTS[name]].keyword == _KEYWORDS[name]


def test_storage_sop_classes_begin_with_the_prefix() -> None:
    assert all(uid.startswith(STORAGE_SOP_CLASS_PREFIX) for uid in list_storage_sop_classes())


def test_a_uid_stands_in_one_module() -> None:
    sources = {path.relative_to(_PACKAGE).as_posix(): path.read_text("utf-8") for path in _PACKAGE.rglob("*.py")}
    assert _duplicates({"home": sources.pop("well_known_uids.py")})
    assert len(sources) > 400
    found = _duplicates(sources)
    assert not found, "give it a constant in well_known_uids.py, or import that\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a.py": 'x = "1.2.840.10008.1.1"'}, True),
        ({"a.py": 'x = "1.2.840.10008.1.2.5"'}, False),
        ({"a.py": 'x = "1.2.840.10008.1.2.5"', "b.py": 'x = ("1.2.840.10008.1.2.5",)'}, True),
        ({"a.py": 'x = "1.2.3"', "b.py": 'x = "1.2.3"'}, False),
        ({"a.py": 'x = "{0}1.2.840.10008.1.2"'}, False),
    ],
)
def test_the_rule_finds_what_it_is_about(sources: dict[str, str], found: bool) -> None:
    assert bool(_duplicates(sources)) is found
