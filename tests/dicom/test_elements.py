from __future__ import annotations

import struct
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

from dcmcfg.dicom.elements import text, texts
from tests.dicom.scp import element


def _read(octets: bytes) -> Dataset:
    return read_dataset(BytesIO(octets), is_implicit_VR=True, is_little_endian=True)


def test_padding_and_empty_values_are_left_out() -> None:
    dataset = _read(element("RetrieveAETitle", b"LONGTERM \\\\ DCM4CHEE"))
    assert texts(dataset, "RetrieveAETitle") == ("LONGTERM", "DCM4CHEE")


def test_an_absent_element_has_no_text() -> None:
    assert texts(Dataset(), "SOPInstanceUID") == ()
    assert text(Dataset(), "SOPInstanceUID") == ""


def test_a_decoded_element_has_the_same_text() -> None:
    dataset = Dataset()
    dataset.FailedSOPInstanceUIDList = ["1.2", "1.3"]
    assert texts(dataset, "FailedSOPInstanceUIDList") == ("1.2", "1.3")


def test_a_wrong_vr_does_not_fail() -> None:
    explicit = struct.pack("<HH2sH", 0x0020, 0x000D, b"US", 3) + b"1.2"
    dataset = read_dataset(BytesIO(explicit), is_implicit_VR=False, is_little_endian=True)
    assert text(dataset, "StudyInstanceUID") == "1.2"


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_any_octets_have_a_text(octets: bytes) -> None:
    for value in texts(_read(element("SOPInstanceUID", octets)), "SOPInstanceUID"):
        assert value.strip(" \0") == value != ""
