"""Synthetic studies of the lab: small CT images, identical in every lab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

from dcmcfg.lab.jpeg_ls import encode_black_image

_ROWS = _COLUMNS = 16
_STUDY_DATE = "20240117"
_BITS_STORED = 12


class StudyLocation(Enum):
    """The location of a study's objects in a new lab."""

    EXTERNAL = "archived and purged: known to the archive, stored in the external archive"
    LOCAL = "in the archive's own storage only"
    UNKNOWN_TO_ARCHIVE = "in the external archive, unknown to the archive"


@dataclass(frozen=True)
class LabStudy:
    """A synthetic study; ``instances`` are complete data sets with File Meta Information (PS3.10 §7.1)."""

    name: str
    location: StudyLocation
    instances: tuple[Dataset, ...]

    @property
    def uid(self) -> str:
        """The Study Instance UID."""
        return str(self.instances[0].StudyInstanceUID)

    @property
    def sop_instance_uids(self) -> frozenset[str]:
        """The SOP Instance UIDs of all objects of the study."""
        return frozenset(str(instance.SOPInstanceUID) for instance in self.instances)


def make_standard_studies() -> tuple[LabStudy, ...]:
    """Return the standard studies in this order: one, three, twenty, local, unknown, jpeg-ls; UIDs never change."""
    return (
        _make_study("one", StudyLocation.EXTERNAL, series=1, images=1),
        _make_study("three", StudyLocation.EXTERNAL, series=1, images=3),
        _make_study("twenty", StudyLocation.EXTERNAL, series=2, images=10),
        _make_study("local", StudyLocation.LOCAL, series=1, images=5),
        _make_study("unknown", StudyLocation.UNKNOWN_TO_ARCHIVE, series=1, images=2),
        _convert_to_jpeg_ls(_make_study("jpeg-ls", StudyLocation.EXTERNAL, series=1, images=2)),
    )


def make_extra_studies(count: int) -> Iterator[LabStudy]:
    """Yield *count* studies of one image each, named ``more-1`` and so on, always the same.

    Every tenth study is in the external archive, the others are in the archive's own storage.
    """
    for each in range(1, count + 1):
        yield make_small_study(
            _make_extra_name(each), StudyLocation.EXTERNAL if each % 10 == 0 else StudyLocation.LOCAL, 1
        )


def make_small_study(name: str, location: StudyLocation, images: int) -> LabStudy:
    """Return a study of one series; its UIDs are derived from *name*."""
    return _make_study(name, location, series=1, images=images)


def list_extra_study_uids(count: int) -> Iterator[str]:
    """Yield the Study Instance UIDs of :func:`make_extra_studies` without creating the images."""
    return (_make_uid(_make_extra_name(each)) for each in range(1, count + 1))


def _make_extra_name(number: int) -> str:
    return f"more-{number}"


def make_all_studies(extra_count: int) -> Iterator[LabStudy]:
    """Yield the standard studies and *extra_count* extra studies."""
    yield from make_standard_studies()
    yield from make_extra_studies(extra_count)


def get_standard_study(name: str) -> LabStudy:
    """Return the standard study *name*; raises :class:`KeyError` if there is none."""
    return {each.name: each for each in make_standard_studies()}[name]


def _make_study(name: str, location: StudyLocation, *, series: int, images: int) -> LabStudy:
    return LabStudy(name, location, tuple(_make_instances(name, series, images)))


def _convert_to_jpeg_ls(study: LabStudy) -> LabStudy:
    """Return *study* with black images in JPEG-LS Lossless (PS3.5 Section 8.2.3)."""
    for image in study.instances:
        del image.PixelData
        octets = encapsulate([encode_black_image(_ROWS, _COLUMNS, _BITS_STORED)])
        image.add_new("PixelData", "OB", octets)
        # Encapsulated pixel data has an undefined length (PS3.5 §A.4).
        image["PixelData"].is_undefined_length = True
        image.file_meta.TransferSyntaxUID = JPEGLSLossless
    return study


def _make_instances(name: str, series: int, images: int) -> Iterator[Dataset]:
    for series_number in range(1, series + 1):
        for instance_number in range(1, images + 1):
            yield _make_ct_image(name, series_number, instance_number)


def _make_uid(*parts: object) -> str:
    # A hash of these texts makes the UID: it is the same in every lab.
    return str(generate_uid(entropy_srcs=["dcmcfg lab", *map(str, parts)]))


def _make_ct_image(name: str, series_number: int, instance_number: int) -> Dataset:
    """Return a CT image with the attributes of type 1 and 2 (PS3.3 A.3)."""
    image = Dataset()
    _add_patient_and_study(image, name)
    _add_series(image, name, series_number)
    _add_image(image, instance_number)
    image.SOPInstanceUID = _make_uid(name, series_number, instance_number)
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = CTImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return image


def _add_patient_and_study(image: Dataset, name: str) -> None:
    image.SpecificCharacterSet = "ISO_IR 100"
    image.PatientName = f"LAB^{name.upper()}"
    image.PatientID = f"LAB-{name.upper()}"
    image.PatientBirthDate = "19700101"
    image.PatientSex = "O"
    image.StudyInstanceUID = _make_uid(name)
    image.StudyDate = _STUDY_DATE
    image.StudyTime = "101500"
    image.StudyID = name.upper()
    image.StudyDescription = f"dcmcfg lab, study {name}"
    image.AccessionNumber = f"A-{name.upper()}"
    image.ReferringPhysicianName = ""


def _add_series(image: Dataset, name: str, number: int) -> None:
    image.Modality = "CT"
    image.SeriesInstanceUID = _make_uid(name, number)
    image.SeriesNumber = str(number)
    image.SeriesDescription = f"series {number}"
    image.FrameOfReferenceUID = _make_uid(name, "frame of reference")
    image.PositionReferenceIndicator = ""
    image.PatientPosition = "HFS"
    image.Manufacturer = "dcmcfg lab"


def _add_image(image: Dataset, number: int) -> None:
    image.SOPClassUID = CTImageStorage
    image.InstanceNumber = str(number)
    image.AcquisitionNumber = "1"
    image.ContentDate = _STUDY_DATE
    image.ContentTime = "101500"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.ImagePositionPatient = [0, 0, number]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PixelSpacing = [1, 1]
    image.SliceThickness = "1"
    image.KVP = "120"
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows = _ROWS
    image.Columns = _COLUMNS
    image.BitsAllocated = 16
    image.BitsStored = _BITS_STORED
    image.HighBit = _BITS_STORED - 1
    image.PixelRepresentation = 0
    image.RescaleIntercept = "-1024"
    image.RescaleSlope = "1"
    pixels = bytearray()
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            # The values must fit into the 12 bits of _BITS_STORED.
            pixels += ((row * column * number) % 4096).to_bytes(2, "little")
    image.add_new("PixelData", "OW", bytes(pixels))
