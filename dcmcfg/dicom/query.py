"""C-FIND queries (PS3.4 §C.4.1, Study Root §C.6.2).

They find the instances of a study down to the IMAGE level, the patient of a study, and studies.
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
    """A SOP instance as listed by the archive.

    ``availability`` is its Instance Availability (0008,0056), or that of its series or study, ``""`` if none is given.
    ``retrieve_ae_titles`` (0008,0054) are found in the same way.
    """

    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    availability: str = ""
    retrieve_ae_titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Availability:
    """Availability and retrieve AE titles of one level, inherited from the level above where absent."""

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
    """Return the instances of the study, by Study Root, or with *patient* by Patient Root; empty for an unknown study.

    Queries level by level. If the peer agreed to relational queries (PS3.4 C.5.1.1) and its responses contain the
    series, one query gets all instances. Each instance is listed once; responses about other studies are ignored. The
    limits on responses apply to all these C-FINDs together. Raises :class:`DicomError` if one fails, or if a response
    has no UID, because the expected instances are unknown then; :class:`MalformedInput` if *study_uid* is not one UID.
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
            for series_uid, series in dict(series_by_uid).items():  # A series that is listed twice is queried once.
                series_availability = study_availability.refine(series)
                for image in self._find_matches("IMAGE", {"SeriesInstanceUID": series_uid}):
                    yield self._build_instance(image, series_uid, series_availability.refine(image))
            return  # A study is one response; a peer that lists it twice means the same study.

    @property
    def _model(self) -> InformationModel:
        return InformationModel.PATIENT if self.patient else InformationModel.STUDY

    @property
    def _is_relational(self) -> bool:
        return self._model.find_sop_class in self.association.ul_association.acceptance.relational_sop_classes

    def _query_relationally(self, study_availability: _Availability) -> tuple[Instance, ...]:
        """Return all instances by one query; none if a response does not contain its series."""
        images = self._find_matches("IMAGE", {}, "SeriesInstanceUID")
        images_with_series = [(image, read_text(image, "SeriesInstanceUID")) for image in images]
        # An instance without its series cannot be compared; the caller then queries level by level.
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
        """Return the responses at *level* that match the keys, with *extra_keywords*; some peers send others too."""
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
                f"a C-FIND response has no {keyword} (study {self.study_uid})",
                subject=str(self.association.peer),
                next_step="check the peer's log. dcmcfg cannot compare the instances without this value",
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
    """A study as listed by the archive; absent values are ``""``, empty or None.

    ``character_set`` is that of the patient (:func:`~dcmcfg.dicom.character_sets.decode_values`).
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
    """Return the studies that match *keys*, by keyword (``PatientID``, ``StudyDate`` …).

    Returns at most *max_studies*, each once, and cancels the rest of the query. To learn whether there are more,
    request one more than required. Raises :class:`MalformedInput` for an unknown keyword, and :class:`DicomError` if
    the query fails or a response has no UID.
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
                "not a keyword of PS3.6", subject=keyword, next_step="use for example PatientID or StudyDate"
            )
    # A query names its character set only if it has text outside ASCII (PS3.4 Section C.4.1.1.3.1).
    is_ascii = all(value.isascii() for value in keys.values())
    character_set = {} if is_ascii else {"SpecificCharacterSet": UNICODE}
    return build_identifier(
        {"QueryRetrieveLevel": "STUDY", **dict.fromkeys(_STUDY_KEYWORDS, ""), **keys, **character_set}
    )


def _build_study(match: Identifier, association: OpenAssociation) -> Study:
    uid = read_text(match, "StudyInstanceUID")
    if not uid:
        raise DicomError(
            "a C-FIND response at STUDY level has no StudyInstanceUID",
            subject=str(association.peer),
            next_step="check the peer's log: dcmcfg requires this UID to select a study",
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


_PATIENT_HINT = "specify the patient with --patient-id, or use --model study, which does not require a patient"


def find_patient(association: OpenAssociation, study_uid: str) -> Patient:
    """Return the patient of the study, found by Study Root, for a request by Patient Root.

    Raises :class:`DicomError` if the archive does not know the study, lists no Patient ID, or has no Study Root query,
    or if the query fails.
    """
    peer = str(association.peer)
    if not association.has_accepted(InformationModel.STUDY.find_sop_class):
        raise DicomError(
            "the archive has no Study Root query, so dcmcfg cannot find the patient of the study",
            subject=peer,
            next_step=_PATIENT_HINT,
        )
    studies = find_studies(association, {"StudyInstanceUID": study_uid})
    # A peer that ignores the key lists other studies too.
    study = next((each for each in studies if each.study_uid == study_uid), None)
    if study is None:
        raise DicomError(f"the archive lists no study {study_uid}", subject=peer, next_step=_PATIENT_HINT)
    if not study.patient_id:
        raise DicomError(f"the archive lists no Patient ID for {study_uid}", subject=peer, next_step=_PATIENT_HINT)
    return Patient(study.patient_id, study.issuer_of_patient_id, study.character_set)
