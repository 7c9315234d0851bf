"""C-FIND queries (PS3.4 §C.4.1, Study Root §C.6.2).

They find the instances of a study down to the IMAGE level, the patient that the archive lists for it, and studies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dcmcfg.dicom.character_sets import UNICODE, decode_values
from dcmcfg.dicom.elements import read_text, read_texts
from dcmcfg.dicom.find import ResponseTotals, send_find
from dcmcfg.dicom.identifiers import Identifier, build_identifier
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.pydicom_lazy import get_tag
from dcmcfg.dicom.retrieval import InformationModel, Patient
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import DicomError, MalformedInput
from dcmcfg.unsigned_integer import parse_unsigned_integer


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A SOP instance as the archive lists it.

    ``availability`` is its Instance Availability (0008,0056), or that of its series or study, ``""`` where
    nothing is said; ``retrieve_ae_titles`` are those of (0008,0054), likewise.
    """

    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Availability:
    """Availability and retrieve AE titles as said at one level, completed by the level above."""

    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()

    def refine(self, match: Identifier) -> _Availability:
        return _Availability(
            read_text(match, "InstanceAvailability") or self.availability,
            read_texts(match, "RetrieveAETitle") or self.retrieve_ae_titles,
        )


def find_instances(
    association: OpenAssociation, study_uid: str, patient: Patient | None = None
) -> tuple[Instance, ...]:
    """Ask what the study holds, by Study Root, or as that of *patient* by Patient Root; empty when nobody knows it.

    Asks level by level, or for all instances at once where the peer agreed to relational queries (PS3.4 C.5.1.1) and
    its answers name their series. Each instance is listed once; answers about other studies are left out. The limits on
    answers apply to all these C-FINDs together. Raises :class:`DicomError` when one fails, or when an answer lacks its
    UID, because then nobody knows what to expect; :class:`MalformedInput` for a *study_uid* that is not one UID.
    """
    query = _Query(association, parse_uid(study_uid), patient)
    instances = {instance.sop_instance_uid: instance for instance in query.instances()}
    return tuple(instances.values())


@dataclass(frozen=True)
class _Query:
    association: OpenAssociation
    study_uid: str
    patient: Patient | None
    totals: ResponseTotals = field(default_factory=ResponseTotals)

    def instances(self) -> Iterator[Instance]:
        for study in self._find_matches("STUDY", {}):
            study_availability = _Availability().refine(study)
            if self._is_relational and (all_instances := self._query_relationally(study_availability)):
                yield from all_instances
                return
            series_by_uid = (
                (self._require_uid(series, "SeriesInstanceUID"), series) for series in self._find_matches("SERIES", {})
            )
            for series_uid, series in dict(series_by_uid).items():  # one that is listed twice is asked for once
                series_availability = study_availability.refine(series)
                for image in self._find_matches("IMAGE", {"SeriesInstanceUID": series_uid}):
                    yield self._build_instance(image, series_uid, series_availability.refine(image))
            return  # a study is one answer; a peer that lists it twice means the same

    @property
    def _model(self) -> InformationModel:
        return InformationModel.PATIENT if self.patient else InformationModel.STUDY

    @property
    def _is_relational(self) -> bool:
        return self._model.find_sop_class in self.association.ul_association.acceptance.relational_sop_classes

    def _query_relationally(self, study_availability: _Availability) -> tuple[Instance, ...]:
        """Return all instances by one query; none where an answer does not say of which series it is."""
        images = self._find_matches("IMAGE", {}, "SeriesInstanceUID")
        images_with_series = [(image, read_text(image, "SeriesInstanceUID")) for image in images]
        if not all(series_uid for _, series_uid in images_with_series):
            return ()
        return tuple(
            self._build_instance(image, series_uid, study_availability.refine(image))
            for image, series_uid in images_with_series
        )

    def _build_instance(self, image: Identifier, series_uid: str, availability: _Availability) -> Instance:
        return Instance(
            study_uid=self.study_uid,
            series_uid=series_uid,
            sop_class_uid=read_text(image, "SOPClassUID"),
            sop_instance_uid=self._require_uid(image, "SOPInstanceUID"),
            availability=availability.availability,
            retrieve_ae_titles=availability.retrieve_ae_titles,
        )

    def _find_matches(self, level: str, parent_keys: dict[str, str], *extra_keywords: str) -> list[Identifier]:
        """Return the answers at *level* that fit the keys, with *extra_keywords*; some peers send others too."""
        keys = {"StudyInstanceUID": self.study_uid, **parent_keys}
        return_keywords = (*_LEVEL_KEYWORDS[level], *extra_keywords, "InstanceAvailability", "RetrieveAETitle")
        patient_keys = self.patient.keys if self.patient else {}
        identifier = build_identifier(
            {"QueryRetrieveLevel": level, **dict.fromkeys(return_keywords, ""), **keys, **patient_keys}
        )
        return [
            match
            for match in send_find(self.association, identifier, self._model, totals=self.totals)
            if all(read_text(match, keyword) in ("", uid) for keyword, uid in keys.items())
        ]

    def _require_uid(self, match: Identifier, keyword: str) -> str:
        uid = read_text(match, keyword)
        if not uid:
            raise DicomError(
                f"an answer to C-FIND lacks its {keyword} (study {self.study_uid})",
                subject=str(self.association.peer),
                next_step="without that nothing can be compared: its own log says what it sent",
            )
        return uid


_LEVEL_KEYWORDS = {
    "STUDY": (),
    "SERIES": ("SeriesInstanceUID",),
    "IMAGE": ("SOPInstanceUID", "SOPClassUID"),
}


_STUDY_KEYWORDS = (
    "StudyInstanceUID",
    "StudyDate",
    "PatientID",
    "IssuerOfPatientID",
    "InstanceAvailability",
    "RetrieveAETitle",
    "NumberOfStudyRelatedInstances",
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study as the archive lists it; ``""``, nothing or None is what it does not say.

    ``character_set`` is the one in which it names the patient (:func:`~dcmcfg.dicom.character_sets.decode_values`).
    """

    study_uid: str
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    study_date: str = ""
    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()
    instance_count: int | None = None
    character_set: str = ""


def find_studies(
    association: OpenAssociation, keys: Mapping[str, str], *, max_studies: int | None = None
) -> tuple[Study, ...]:
    """Ask which studies match *keys*, by keyword (``PatientID``, ``StudyDate`` …).

    Return at most *max_studies* of them. Each study is there once. The rest of a longer answer is cancelled; ask for
    one more than are wanted to learn whether there are more. Raises :class:`MalformedInput` for a keyword that is none,
    and :class:`DicomError` when the query fails or an answer lacks its UID.
    """
    studies: dict[str, Study] = {}
    for match in send_find(association, _build_study_identifier(keys), max_matches=max_studies):
        study = _build_study(match, association)
        studies.setdefault(study.study_uid, study)
    return tuple(studies.values())


def _build_study_identifier(keys: Mapping[str, str]) -> Identifier:
    for keyword in keys:
        if get_tag(keyword) is None:
            raise MalformedInput(
                "not a keyword of PS3.6", subject=keyword, next_step="for example PatientID or StudyDate"
            )
    is_ascii = all(value.isascii() for value in keys.values())
    character_set = {} if is_ascii else {"SpecificCharacterSet": UNICODE}
    return build_identifier(
        {"QueryRetrieveLevel": "STUDY", **dict.fromkeys(_STUDY_KEYWORDS, ""), **keys, **character_set}
    )


def _build_study(match: Identifier, association: OpenAssociation) -> Study:
    uid = read_text(match, "StudyInstanceUID")
    if not uid:
        raise DicomError(
            "an answer to C-FIND at STUDY level lacks its StudyInstanceUID",
            subject=str(association.peer),
            next_step="without that no study can be asked for: its own log says what it sent",
        )
    (patient_id, issuer), character_set = decode_values(match, "PatientID", "IssuerOfPatientID")
    return Study(
        study_uid=uid,
        patient_id=patient_id,
        issuer_of_patient_id=issuer,
        study_date=read_text(match, "StudyDate"),
        availability=read_text(match, "InstanceAvailability"),
        retrieve_ae_titles=read_texts(match, "RetrieveAETitle"),
        instance_count=parse_unsigned_integer(read_text(match, "NumberOfStudyRelatedInstances")),
        character_set=character_set,
    )


_PATIENT_HINT = "--patient-id says whose it is; --model study needs none"


def find_patient(association: OpenAssociation, study_uid: str) -> Patient:
    """Ask by Study Root whose the study is, for a request by Patient Root.

    Raises :class:`DicomError` when the archive does not know the study, names no Patient ID, has no Study Root query,
    or the query fails.
    """
    peer = str(association.peer)
    if not association.has_accepted(InformationModel.STUDY.find_sop_class):
        raise DicomError(
            "whose study it is cannot be asked: no Study Root query", subject=peer, next_step=_PATIENT_HINT
        )
    studies = find_studies(association, {"StudyInstanceUID": study_uid})
    study = next((each for each in studies if each.study_uid == study_uid), None)
    if study is None:
        raise DicomError(f"the archive lists no study {study_uid}", subject=peer, next_step=_PATIENT_HINT)
    if not study.patient_id:
        raise DicomError(f"the archive names no Patient ID of {study_uid}", subject=peer, next_step=_PATIENT_HINT)
    return Patient(study.patient_id, study.issuer_of_patient_id, study.character_set)
