"""Which studies there are, by C-FIND at STUDY level (Study Root, PS3.4 §C.6.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dcmcfg.dicom.associate import OpenAssociation
from dcmcfg.dicom.character_sets import UNICODE, spelled
from dcmcfg.dicom.dictionary import tag_of
from dcmcfg.dicom.elements import text, texts
from dcmcfg.dicom.find import find
from dcmcfg.dicom.identifiers import Identifier, identifier
from dcmcfg.errors import DicomError, MalformedInput
from dcmcfg.whole_number import whole_number

_RETURNED = (
    "StudyInstanceUID",
    "StudyDate",
    "PatientID",
    "IssuerOfPatientID",
    "InstanceAvailability",
    "RetrieveAETitle",
    "NumberOfStudyRelatedInstances",
)


@dataclass(frozen=True)
class Study:
    """A study as the archive lists it; ``""``, nothing or None is what it does not say.

    ``character_set`` is the one in which it names the patient (:func:`~dcmcfg.dicom.character_sets.spelled`).
    """

    study_uid: str
    patient_id: str = ""
    issuer: str = ""
    study_date: str = ""
    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()
    instances: int | None = None
    character_set: str = ""


def find_studies(opened: OpenAssociation, keys: Mapping[str, str], *, most: int | None = None) -> tuple[Study, ...]:
    """Ask which studies match *keys*, by keyword (``PatientID``, ``StudyDate`` …); return at most *most* of them.

    Each study is there once. The rest of a longer answer is cancelled; ask for one more than are wanted to learn
    whether there are more. Raises :class:`MalformedInput` for a keyword that is none, and :class:`DicomError` when the
    query fails or an answer lacks its UID.
    """
    found: dict[str, Study] = {}
    for answer in find(opened, _identifier(keys), most=most):
        study = _study(answer, opened)
        found.setdefault(study.study_uid, study)
    return tuple(found.values())


def _identifier(keys: Mapping[str, str]) -> Identifier:
    for keyword in keys:
        if tag_of(keyword) is None:
            raise MalformedInput("not a keyword of PS3.6", on=keyword, next_step="for example PatientID or StudyDate")
    plain = all(value.isascii() for value in keys.values())
    character_set = {} if plain else {"SpecificCharacterSet": UNICODE}
    return identifier({"QueryRetrieveLevel": "STUDY", **dict.fromkeys(_RETURNED, ""), **keys, **character_set})


def _study(answer: Identifier, opened: OpenAssociation) -> Study:
    uid = text(answer, "StudyInstanceUID")
    if not uid:
        raise DicomError(
            "an answer to C-FIND at STUDY level lacks its StudyInstanceUID",
            on=str(opened.peer),
            next_step="without that no study can be asked for: its own log says what it sent",
        )
    (patient_id, issuer), character_set = spelled(answer, "PatientID", "IssuerOfPatientID")
    return Study(
        uid,
        patient_id,
        issuer,
        text(answer, "StudyDate"),
        text(answer, "InstanceAvailability"),
        texts(answer, "RetrieveAETitle"),
        whole_number(text(answer, "NumberOfStudyRelatedInstances")),
        character_set,
    )
