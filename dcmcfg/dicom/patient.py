"""Whose study it is, as the archive lists it."""

from __future__ import annotations

from dcmcfg.dicom.associate import OpenAssociation
from dcmcfg.dicom.retrieval import Model, Patient
from dcmcfg.dicom.studies import find_studies
from dcmcfg.errors import DicomError

_SAY_WHO = "--patient-id says whose it is; --model study needs none"


def patient_of(opened: OpenAssociation, study_uid: str) -> Patient:
    """Ask by Study Root whose the study is, for a request by Patient Root.

    Raises :class:`DicomError` when the archive does not know the study, names no Patient ID, has no Study Root query,
    or the query fails.
    """
    on = str(opened.peer)
    if not opened.offers(Model.STUDY.find):
        raise DicomError("whose study it is cannot be asked: no Study Root query", on=on, next_step=_SAY_WHO)
    found = find_studies(opened, {"StudyInstanceUID": study_uid})
    study = next((each for each in found if each.study_uid == study_uid), None)
    if study is None:
        raise DicomError(f"the archive lists no study {study_uid}", on=on, next_step=_SAY_WHO)
    if not study.patient_id:
        raise DicomError(f"the archive names no Patient ID of {study_uid}", on=on, next_step=_SAY_WHO)
    return Patient(study.patient_id, study.issuer, study.character_set)
