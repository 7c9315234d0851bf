"""Keys by which an archive tells studies apart: it ignores all others, so that every study would match them."""

from __future__ import annotations

from dcmcfg.errors import MalformedInput

#: What dcm4chee-arc matches at STUDY level by C-FIND as by QIDO (``QueryBuilder``: predicates of the patient, of the
#: study, and of the series in it). PS3.4 C.6.2.1 has more keys there, none of which an archive must match.
_OF_PATIENT = frozenset(
    ("PatientID", "IssuerOfPatientID", "PatientName", "PatientSex", "PatientBirthDate", "ResponsiblePerson")
)
_OF_STUDY = frozenset(
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
OF_ANY_SERIES = frozenset(
    (
        "SeriesDescription",
        "StationName",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "BodyPartExamined",
        "Laterality",
    )
)
_MATCHED = _OF_PATIENT | _OF_STUDY | OF_ANY_SERIES

_MEANT = {
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
_INSTEAD = {
    "SeriesInstanceUID": "dcmcfg verify --study UID --series UID sends one",
    "SOPInstanceUID": "dcmcfg verify --study UID --image UID sends one",
    **dict.fromkeys(("InstanceAvailability", "RetrieveAETitle"), "dcmcfg verify --recall finds a study that is purged"),
}


def require_matched(keyword: str) -> None:
    """Raise :class:`MalformedInput` where the archive tells no studies apart by *keyword*, with what may be meant."""
    if keyword in _MATCHED:
        return
    if meant := _MEANT.get(keyword):
        next_step = f"did you mean {meant}?"
    else:
        next_step = _INSTEAD.get(keyword, f"it matches {', '.join(sorted(_MATCHED))}; --studies FILE takes any list")
    raise MalformedInput("the archive does not match studies by it: all would", on=keyword, next_step=next_step)
