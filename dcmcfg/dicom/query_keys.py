"""Keys of a query as a user writes them: ``PatientID=4711,StudyDate=20240101-`` (PS3.4 §C.4.1.2).

Keys by which an archive tells studies apart: it ignores all others, so that every study would match them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dcmcfg.dicom.pydicom_lazy import get_tag, get_vr, import_pydicom
from dcmcfg.errors import MalformedInput
from dcmcfg.suggestions import ATTRIBUTE_SIMILARITY, suggest_names

#: What dcm4chee-arc matches at STUDY level by C-FIND as by QIDO (``QueryBuilder``: predicates of the patient, of the
#: study, and of the series in it). PS3.4 C.6.2.1 has more keys there, none of which an archive must match.
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
#: Of series, but an archive of today looks for a series of the study that has them.
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
    "SeriesInstanceUID": "dcmcfg verify --study UID --series UID sends one",
    "SOPInstanceUID": "dcmcfg verify --study UID --image UID sends one",
    **dict.fromkeys(("InstanceAvailability", "RetrieveAETitle"), "dcmcfg verify --recall finds a study that is purged"),
}


def require_study_key(keyword: str) -> None:
    """Raise :class:`MalformedInput` where the archive tells no studies apart by *keyword*, with what may be meant."""
    if keyword in _MATCHED_KEYS:
        return
    if suggestion := _SUGGESTED_KEYS.get(keyword):
        next_step = f"did you mean {suggestion}?"
    else:
        next_step = _ALTERNATIVES.get(
            keyword, f"it matches {', '.join(sorted(_MATCHED_KEYS))}; --studies FILE takes any list"
        )
    raise MalformedInput("the archive does not match studies by it: all would", subject=keyword, next_step=next_step)


#: A comma ends a value only where another key follows: names have commas too.
_KEY_SEPARATOR = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9]*\s*=)")
_EXAMPLE = "for example PatientID=4711,StudyDate=20240101-20240131"
_DATE = re.compile(r"(?:[0-9]{8})?(?:-(?:[0-9]{8})?)?", re.ASCII)
#: Value representations whose values are written as text.
_TEXT_VRS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
)
_UNSUPPORTED_KEYS = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet"})


def parse_keys(text: str) -> Mapping[str, str]:
    r"""Return the keys of *text* by keyword, in the spelling of PS3.6.

    Values are matched as the archive does: wildcards, ranges of dates, lists of UIDs separated by ``\``. Raises
    :class:`MalformedInput` for what is no key, an unknown keyword (with suggestions), one that cannot be asked
    for or that the archive ignores (with the one that may be meant), a key that is there twice, a date that is none,
    and where no key has a value: everything would match.
    """
    keys: dict[str, str] = {}
    for part in _KEY_SEPARATOR.split(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise MalformedInput("not KEYWORD=VALUE", subject=repr(part.strip()), next_step=_EXAMPLE)
        keyword = _resolve_keyword(name)
        if keyword in keys:
            raise MalformedInput("the key is there twice", subject=keyword, next_step=r"several values: ONE\TWO")
        require_study_key(keyword)
        _require_value(keyword, value)
        keys[keyword] = value
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
    if keyword in _UNSUPPORTED_KEYS or get_vr(tag) not in _TEXT_VRS or tag < 0x00080000:
        raise MalformedInput("that cannot be asked for", subject=keyword, next_step=_EXAMPLE)
    return str(keyword)


def _require_value(keyword: str, value: str) -> None:
    tag = get_tag(keyword)
    if tag is not None and get_vr(tag) == "DA" and not (_DATE.fullmatch(value) and value != "-"):
        raise MalformedInput(
            "not a date or a range of dates",
            subject=f"{keyword}={value}",
            next_step="20240131, 20240101-20240131 or 20240101-",
        )
    if any(not character.isprintable() for character in value):
        raise MalformedInput("the value has control characters", subject=f"{keyword}={value!r}")
