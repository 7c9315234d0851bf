"""Load parts of pydicom at their first use.

Importing the package takes 70 ms, a quarter of the start-up time, mostly for pixel decoders. A verification requires
it only if files are kept, or if a query has characters outside ASCII.

This module also has the tags and value representations of keywords (PS3.6), and silences the warnings of pydicom about
data from peers.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any


def import_pydicom(module: str) -> Any:
    """Return the module *module* of pydicom."""
    return importlib.import_module(f"pydicom.{module}")


#: The keywords that every verification uses; they are here so that pydicom is not loaded for them.
_PRELOADED = {
    "SpecificCharacterSet": (0x00080005, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "StudyDate": (0x00080020, "DA"),
    "QueryRetrieveLevel": (0x00080052, "CS"),
    "RetrieveAETitle": (0x00080054, "AE"),
    "InstanceAvailability": (0x00080056, "CS"),
    "FailedSOPInstanceUIDList": (0x00080058, "UI"),
    "PatientID": (0x00100020, "LO"),
    "IssuerOfPatientID": (0x00100021, "LO"),
    "StudyInstanceUID": (0x0020000D, "UI"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "NumberOfStudyRelatedInstances": (0x00201208, "IS"),
}
_VRS = dict(_PRELOADED.values())


def get_tag(keyword: str) -> int | None:
    """Return the tag of *keyword*, group and element in one number; None for an unknown keyword."""
    preloaded = _PRELOADED.get(keyword)
    if preloaded is not None:
        return preloaded[0]
    tag: int | None = import_pydicom("datadict").tag_for_keyword(keyword)
    return tag


def get_vr(tag: int) -> str:
    """Return the value representation of *tag* in PS3.6, the first of several; raises KeyError if unknown."""
    return _VRS.get(tag) or str(import_pydicom("datadict").dictionary_VR(tag))[:2]


def silence_pydicom() -> None:
    """Keep pydicom from writing to stderr; may be called any number of times.

    Peers send unknown elements and invalid values; pydicom would warn about each of them.
    """
    config = import_pydicom("config")
    config.settings.reading_validation_mode = config.IGNORE
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")
