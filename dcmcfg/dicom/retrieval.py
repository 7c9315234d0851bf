"""The request of a C-MOVE: information model, level, unique keys (PS3.4 §C.4.2, §C.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import Enum

from dcmcfg.dicom.character_sets import UNICODE
from dcmcfg.dicom.identifiers import Identifier, build_identifier
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.errors import MalformedInput
from dcmcfg.well_known_uids import PATIENT_ROOT_FIND, PATIENT_ROOT_MOVE, STUDY_ROOT_FIND, STUDY_ROOT_MOVE


class QueryRetrieveLevel(Enum):
    """The level of a query or retrieval."""

    STUDY = "study"
    SERIES = "series"
    IMAGE = "image"


class InformationModel(Enum):
    """A Query/Retrieve information model, Patient Root or Study Root (PS3.4 §C.6.1, §C.6.2)."""

    PATIENT = "patient"
    STUDY = "study"

    @property
    def find_sop_class(self) -> str:
        """The SOP class of its C-FIND."""
        return {
            InformationModel.PATIENT: PATIENT_ROOT_FIND,
            InformationModel.STUDY: STUDY_ROOT_FIND,
        }[self]

    @property
    def move_sop_class(self) -> str:
        """The SOP class of its C-MOVE."""
        return {
            InformationModel.PATIENT: PATIENT_ROOT_MOVE,
            InformationModel.STUDY: STUDY_ROOT_MOVE,
        }[self]


class Priority(Enum):
    """The Priority (0000,0700) of a request; a peer may ignore it (PS3.7 §9.1.4.1)."""

    LOW = 2
    MEDIUM = 0
    HIGH = 1


@dataclass(frozen=True)
class Patient:
    """The patient of a study: the unique key above STUDY in Patient Root.

    ``issuer_of_patient_id`` is ``""`` if unknown. Text outside ASCII is sent in ``character_set``; with ``""`` no
    character set is sent.
    """

    patient_id: str
    issuer_of_patient_id: str = ""
    character_set: str = UNICODE

    @property
    def keys(self) -> Mapping[str, str]:
        """The patient keys of an identifier, by keyword."""
        keys = {"PatientID": self.patient_id}
        if self.issuer_of_patient_id:
            keys["IssuerOfPatientID"] = self.issuer_of_patient_id
        if self.character_set and not (self.patient_id + self.issuer_of_patient_id).isascii():
            keys["SpecificCharacterSet"] = self.character_set
        return keys


@dataclass(frozen=True)
class Retrieval:
    """The keys of one C-MOVE; with a ``patient`` by Patient Root, otherwise by Study Root.

    SERIES level requires ``series_uids``, IMAGE level ``instance_uids`` of the one series in ``series_uids``; several
    are sent as a list of UIDs (PS3.4 §C.2.2.2.2). Raises :class:`MalformedInput` for an invalid UID, and if the keys do
    not match the level.
    """

    study_uid: str
    level: QueryRetrieveLevel = QueryRetrieveLevel.STUDY
    series_uids: tuple[str, ...] = ()
    instance_uids: tuple[str, ...] = ()
    _: KW_ONLY
    patient: Patient | None = None

    def __post_init__(self) -> None:
        for uid in (self.study_uid, *self.series_uids, *self.instance_uids):
            parse_uid(uid)
        is_valid = {
            QueryRetrieveLevel.STUDY: not self.series_uids and not self.instance_uids,
            QueryRetrieveLevel.SERIES: bool(self.series_uids) and not self.instance_uids,
            QueryRetrieveLevel.IMAGE: len(self.series_uids) == 1 and bool(self.instance_uids),
        }
        if not is_valid[self.level]:
            raise MalformedInput(f"these query keys are not valid at {self.level.name} level", subject=self.study_uid)

    @property
    def model(self) -> InformationModel:
        """The information model."""
        return InformationModel.PATIENT if self.patient else InformationModel.STUDY

    def build_identifier(self) -> Identifier:
        """Return the identifier of the request."""
        patient_keys = self.patient.keys if self.patient else {}
        uids = {keyword: "\\".join(uids) for keyword, uids in self._iterate_uid_keys()}
        return build_identifier({"QueryRetrieveLevel": self.level.name, **patient_keys, **uids})

    def _iterate_uid_keys(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "StudyInstanceUID", (self.study_uid,)
        if self.series_uids:
            yield "SeriesInstanceUID", self.series_uids
        if self.instance_uids:
            yield "SOPInstanceUID", self.instance_uids
