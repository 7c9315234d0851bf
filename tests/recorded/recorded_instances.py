"""CT images with the UIDs of the recorded studies: instance 2 of study N is ``…777.N.1.2``."""

from __future__ import annotations

from copy import deepcopy

from pydicom.dataset import Dataset

from dcmcfg.lab.studies import get_standard_study

ROOT = "1.2.826.0.1.3680043.8.498.777"


def uids_of(study_uid: str, number: int) -> list[str]:
    """Return the SOP Instance UIDs of the first *number* instances of a recorded study."""
    return [f"{study_uid}.1.{each}" for each in range(1, number + 1)]


def instance(sop_instance_uid: str) -> Dataset:
    """Return a complete CT image with that UID, in the series and study that the UID is of."""
    series_uid, _, number = sop_instance_uid.rpartition(".")
    study_uid, _, _ = series_uid.rpartition(".")
    image = deepcopy(get_standard_study("three").instances[0])
    image.StudyInstanceUID = study_uid
    image.SeriesInstanceUID = series_uid
    image.SOPInstanceUID = sop_instance_uid
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.PatientID = f"P{study_uid.rpartition('.')[2]}"
    image.StudyDate = "20240101"
    image.InstanceNumber = number
    del image.SpecificCharacterSet
    return image
