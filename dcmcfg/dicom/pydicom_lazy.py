"""Parts of pydicom, loaded when they are first asked for.

To import the package takes 70 ms, a quarter of a start, most of them for decoders of pixels. A verification needs none
of it, unless files are kept, or something is asked for that is not ASCII.

The tags and value representations of keywords (PS3.6).

How pydicom behaves in this process: silent about what peers send.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any


def import_pydicom(module: str) -> Any:
    """Return the module of pydicom that is called *module* in it."""
    return importlib.import_module(f"pydicom.{module}")


#: Those that every verification needs.
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
    """Return the tag of *keyword*, group and element in one number; None where there is no such keyword."""
    preloaded = _PRELOADED.get(keyword)
    if preloaded is not None:
        return preloaded[0]
    tag: int | None = import_pydicom("datadict").tag_for_keyword(keyword)
    return tag


def get_vr(tag: int) -> str:
    """Return the value representation of a *tag* of PS3.6, the first where it has several; raises KeyError."""
    return _VRS.get(tag) or str(import_pydicom("datadict").dictionary_VR(tag))[:2]


def silence_pydicom() -> None:
    """Keep pydicom from writing to stderr; may be called any number of times.

    Peers send unknown elements, and values that break their VR's rules; it would warn for each.
    """
    config = import_pydicom("config")
    config.settings.reading_validation_mode = config.IGNORE
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")
