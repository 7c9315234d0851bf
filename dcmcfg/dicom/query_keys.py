"""Parse the keys of a query as users write them: ``PatientID=4711,StudyDate=20240101-`` (PS3.4 §C.4.1.2).

Only keys that an archive matches are accepted. It ignores all others, so every study would match.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dcmcfg.dicom.pydicom_lazy import get_tag, get_vr, import_pydicom
from dcmcfg.errors import MalformedInput
from dcmcfg.suggestions import ATTRIBUTE_SIMILARITY, suggest_names

#: The keys that dcm4chee-arc matches at STUDY level, by C-FIND and by QIDO (``QueryBuilder``: predicates of the
#: patient, of the study, and of its series). PS3.4 C.6.2.1 has more keys there, but none that an archive must match.
_PATIENT_KEYS = frozenset(
    ("PatientID", "IssuerOfPatientID", "PatientName", "PatientSex", "PatientBirthDate", "ResponsiblePerson")
)
_STUDY_KEYS = frozenset(
    (
        "StudyInstanceUID",
        "StudyID",
        "StudyDate",
        "StudyTime",
        "StudyDescription",
        "AccessionNumber",
        "AdmissionID",
        "ReferringPhysicianName",
        "ModalitiesInStudy",
        "SOPClassesInStudy",
    )
)
#: Keys of a series: current archives search for studies that have a series with them.
SERIES_KEYS = frozenset(
    (
        "SeriesDescription",
        "StationName",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "BodyPartExamined",
        "Laterality",
    )
)
_MATCHED_KEYS = _PATIENT_KEYS | _STUDY_KEYS | SERIES_KEYS

_SUGGESTED_KEYS = {
    "Modality": "ModalitiesInStudy",
    "SOPClassUID": "SOPClassesInStudy",
    "ProtocolName": "SeriesDescription",
    "RequestedProcedureDescription": "StudyDescription",
    "OtherPatientIDs": "PatientID",
    "OtherPatientNames": "PatientName",
    "PatientAge": "PatientBirthDate",
    **dict.fromkeys(("SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"), "StudyDate"),
    **dict.fromkeys(("SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime"), "StudyTime"),
}
_ALTERNATIVES = {
    "SeriesInstanceUID": "retrieve a series with dcmcfg verify --study UID --series UID",
    "SOPInstanceUID": "retrieve an instance with dcmcfg verify --study UID --image UID",
    **dict.fromkeys(("InstanceAvailability", "RetrieveAETitle"), "find a purged study with dcmcfg verify --recall"),
}


def require_study_key(keyword: str) -> None:
    """Raise :class:`MalformedInput`, with a suggestion, if the archive does not match studies by *keyword*."""
    if keyword in _MATCHED_KEYS:
        return
    if suggestion := _SUGGESTED_KEYS.get(keyword):
        next_step = f"did you mean {suggestion}?"
    else:
        next_step = _ALTERNATIVES.get(
            keyword,
            f"use one of {', '.join(sorted(_MATCHED_KEYS))}. To verify any list of studies, use --studies FILE",
        )
    raise MalformedInput(
        "the archive ignores this key, so all studies would match", subject=keyword, next_step=next_step
    )


#: A comma ends a value only if another key follows, because names contain commas too.
_KEY_SEPARATOR = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9]*\s*=)")
_EXAMPLE = "use for example PatientID=4711,StudyDate=20240101-20240131"
_DATE = re.compile(r"(?:[0-9]{8})?(?:-(?:[0-9]{8})?)?", re.ASCII)
#: Value representations with text values.
_TEXT_VRS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
_UNSUPPORTED_KEYS = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet"})


def parse_keys(text: str) -> Mapping[str, str]:
    r"""Return the keys in *text* by keyword, in the spelling of PS3.6.

    The archive matches the values: wildcards, ranges of dates, lists of UIDs separated by ``\``. Raises
    :class:`MalformedInput` for text that is not a key, an unknown keyword (with suggestions), a keyword that cannot be
    queried or that the archive ignores (with a suggestion), a duplicate key, an invalid date, and if no key has a
    value: then every study would match.
    """
    keys: dict[str, str] = {}
    for part in _KEY_SEPARATOR.split(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise MalformedInput("not KEYWORD=VALUE", subject=repr(part.strip()), next_step=_EXAMPLE)
        keyword = _resolve_keyword(name)
        if keyword in keys:
            raise MalformedInput("duplicate key", subject=keyword, next_step=r"use ONE\TWO for several values")
        require_study_key(keyword)
        _require_value(keyword, value)
        keys[keyword] = value
    # An empty value matches everything (PS3.4 Section C.2.2.2.3), and so does a value of asterisks (C.2.2.2.4).
    if not any(value.strip("*") for value in keys.values()):
        raise MalformedInput("every study would match", subject=repr(text), next_step=_EXAMPLE)
    return keys


def _resolve_keyword(name: str) -> str:
    tag = get_tag(name)
    if tag is None:
        folded = {keyword.casefold(): keyword for keyword in import_pydicom("datadict").keyword_dict if keyword}
        if name.casefold() in folded:
            return _resolve_keyword(folded[name.casefold()])
        suggestions = suggest_names(name, folded.values(), min_similarity=ATTRIBUTE_SIMILARITY)
        next_step = f"did you mean {', '.join(suggestions)}?" if suggestions else _EXAMPLE
        raise MalformedInput("not a keyword of PS3.6", subject=name, next_step=next_step)
    keyword = import_pydicom("datadict").dictionary_keyword(tag)
    # Groups below 0008 belong to commands, file headers and directories, not to data sets.
    if keyword in _UNSUPPORTED_KEYS or get_vr(tag) not in _TEXT_VRS or tag < 0x00080000:
        raise MalformedInput("dcmcfg cannot query by this key", subject=keyword, next_step=_EXAMPLE)
    return str(keyword)


def _require_value(keyword: str, value: str) -> None:
    tag = get_tag(keyword)
    if tag is not None and get_vr(tag) == "DA" and not (_DATE.fullmatch(value) and value != "-"):
        raise MalformedInput(
            "not a date or a range of dates",
            subject=f"{keyword}={value}",
            next_step="use 20240131, 20240101-20240131 or 20240101-",
        )
    if any(not character.isprintable() for character in value):
        raise MalformedInput("the value has control characters", subject=f"{keyword}={value!r}")
