"""What a study holds, by C-FIND down to the IMAGE level (PS3.4 §C.4.1).

Whose study it is, as the archive lists it.

Which studies there are, by C-FIND at STUDY level (Study Root, PS3.4 §C.6.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dcmcfg.dicom.character_sets import UNICODE, decode_values
from dcmcfg.dicom.elements import read_text, read_texts
from dcmcfg.dicom.find import ResponseTotals, find
from dcmcfg.dicom.identifiers import Identifier, build_identifier
from dcmcfg.dicom.open_association import OpenAssociation
from dcmcfg.dicom.pydicom_lazy import tag_of
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

    def refine(self, answer: Identifier) -> _Availability:
        return _Availability(
            read_text(answer, "InstanceAvailability") or self.availability,
            read_texts(answer, "RetrieveAETitle") or self.retrieve_ae_titles,
        )


def find_instances(opened: OpenAssociation, study_uid: str, patient: Patient | None = None) -> tuple[Instance, ...]:
    """Ask what the study holds, by Study Root, or as that of *patient* by Patient Root; empty when nobody knows it.

    Asks level by level, or for all instances at once where the peer agreed to relational queries (PS3.4 C.5.1.1) and
    its answers name their series. Each instance is listed once; answers about other studies are left out. The limits on
    answers apply to all these C-FINDs together. Raises :class:`DicomError` when one fails, or when an answer lacks its
    UID, because then nobody knows what to expect; :class:`MalformedInput` for a *study_uid* that is not one UID.
    """
    query = _Query(opened, parse_uid(study_uid), patient)
    found = {instance.sop_instance_uid: instance for instance in query.instances()}
    return tuple(found.values())


@dataclass(frozen=True)
class _Query:
    opened: OpenAssociation
    study_uid: str
    patient: Patient | None
    taken: ResponseTotals = field(default_factory=ResponseTotals)

    def instances(self) -> Iterator[Instance]:
        for study in self._find_matches("STUDY", {}):
            of_study = _Availability().refine(study)
            if self._is_relational and (at_once := self._query_relationally(of_study)):
                yield from at_once
                return
            listed = ((self._uid(series, "SeriesInstanceUID"), series) for series in self._find_matches("SERIES", {}))
            for series_uid, series in dict(listed).items():  # one that is listed twice is asked for once
                of_series = of_study.refine(series)
                for image in self._find_matches("IMAGE", {"SeriesInstanceUID": series_uid}):
                    yield self._instance(image, series_uid, of_series.refine(image))
            return  # a study is one answer; a peer that lists it twice means the same

    @property
    def _model(self) -> InformationModel:
        return InformationModel.PATIENT if self.patient else InformationModel.STUDY

    @property
    def _is_relational(self) -> bool:
        return self._model.find_sop_class in self.opened.association.acceptance.relational_sop_classes

    def _query_relationally(self, of_study: _Availability) -> tuple[Instance, ...]:
        """Return all instances by one query; none where an answer does not say of which series it is."""
        answers = self._find_matches("IMAGE", {}, "SeriesInstanceUID")
        named = [(image, read_text(image, "SeriesInstanceUID")) for image in answers]
        if not all(series_uid for _, series_uid in named):
            return ()
        return tuple(self._instance(image, series_uid, of_study.refine(image)) for image, series_uid in named)

    def _instance(self, image: Identifier, series_uid: str, whereabouts: _Availability) -> Instance:
        return Instance(
            study_uid=self.study_uid,
            series_uid=series_uid,
            sop_class_uid=read_text(image, "SOPClassUID"),
            sop_instance_uid=self._uid(image, "SOPInstanceUID"),
            availability=whereabouts.availability,
            retrieve_ae_titles=whereabouts.retrieve_ae_titles,
        )

    def _find_matches(self, level: str, above: dict[str, str], *more: str) -> list[Identifier]:
        """Return the answers at *level* that fit the keys, with *more* elements; some peers send others too."""
        keys = {"StudyInstanceUID": self.study_uid, **above}
        returned = (*_WANTED[level], *more, "InstanceAvailability", "RetrieveAETitle")
        of_patient = self.patient.keys if self.patient else {}
        asked = build_identifier({"QueryRetrieveLevel": level, **dict.fromkeys(returned, ""), **keys, **of_patient})
        return [
            answer
            for answer in find(self.opened, asked, self._model, totals=self.taken)
            if all(read_text(answer, keyword) in ("", uid) for keyword, uid in keys.items())
        ]

    def _uid(self, answer: Identifier, keyword: str) -> str:
        uid = read_text(answer, keyword)
        if not uid:
            raise DicomError(
                f"an answer to C-FIND lacks its {keyword} (study {self.study_uid})",
                subject=str(self.opened.peer),
                next_step="without that nothing can be compared: its own log says what it sent",
            )
        return uid


_WANTED = {
    "STUDY": (),
    "SERIES": ("SeriesInstanceUID",),
    "IMAGE": ("SOPInstanceUID", "SOPClassUID"),
}


_RETURNED = (
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
    opened: OpenAssociation, keys: Mapping[str, str], *, max_studies: int | None = None
) -> tuple[Study, ...]:
    """Ask which studies match *keys*, by keyword (``PatientID``, ``StudyDate`` …).

    Return at most *max_studies* of them. Each study is there once. The rest of a longer answer is cancelled; ask for
    one more than are wanted to learn whether there are more. Raises :class:`MalformedInput` for a keyword that is none,
    and :class:`DicomError` when the query fails or an answer lacks its UID.
    """
    found: dict[str, Study] = {}
    for answer in find(opened, _identifier(keys), max_matches=max_studies):
        study = _study(answer, opened)
        found.setdefault(study.study_uid, study)
    return tuple(found.values())


def _identifier(keys: Mapping[str, str]) -> Identifier:
    for keyword in keys:
        if tag_of(keyword) is None:
            raise MalformedInput(
                "not a keyword of PS3.6", subject=keyword, next_step="for example PatientID or StudyDate"
            )
    plain = all(value.isascii() for value in keys.values())
    character_set = {} if plain else {"SpecificCharacterSet": UNICODE}
    return build_identifier({"QueryRetrieveLevel": "STUDY", **dict.fromkeys(_RETURNED, ""), **keys, **character_set})


def _study(answer: Identifier, opened: OpenAssociation) -> Study:
    uid = read_text(answer, "StudyInstanceUID")
    if not uid:
        raise DicomError(
            "an answer to C-FIND at STUDY level lacks its StudyInstanceUID",
            subject=str(opened.peer),
            next_step="without that no study can be asked for: its own log says what it sent",
        )
    (patient_id, issuer), character_set = decode_values(answer, "PatientID", "IssuerOfPatientID")
    return Study(
        study_uid=uid,
        patient_id=patient_id,
        issuer_of_patient_id=issuer,
        study_date=read_text(answer, "StudyDate"),
        availability=read_text(answer, "InstanceAvailability"),
        retrieve_ae_titles=read_texts(answer, "RetrieveAETitle"),
        instance_count=parse_unsigned_integer(read_text(answer, "NumberOfStudyRelatedInstances")),
        character_set=character_set,
    )


_SAY_WHO = "--patient-id says whose it is; --model study needs none"


def find_patient(opened: OpenAssociation, study_uid: str) -> Patient:
    """Ask by Study Root whose the study is, for a request by Patient Root.

    Raises :class:`DicomError` when the archive does not know the study, names no Patient ID, has no Study Root query,
    or the query fails.
    """
    on = str(opened.peer)
    if not opened.has_accepted(InformationModel.STUDY.find_sop_class):
        raise DicomError("whose study it is cannot be asked: no Study Root query", subject=on, next_step=_SAY_WHO)
    found = find_studies(opened, {"StudyInstanceUID": study_uid})
    study = next((each for each in found if each.study_uid == study_uid), None)
    if study is None:
        raise DicomError(f"the archive lists no study {study_uid}", subject=on, next_step=_SAY_WHO)
    if not study.patient_id:
        raise DicomError(f"the archive names no Patient ID of {study_uid}", subject=on, next_step=_SAY_WHO)
    return Patient(study.patient_id, study.issuer_of_patient_id, study.character_set)
