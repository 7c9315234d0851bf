from __future__ import annotations

from io import BytesIO

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.filereader import read_dataset

from dcmcfg.dicom import pydicom_lazy
from dcmcfg.dicom.identifiers import build_identifier, decode_identifier, encode_identifier
from dcmcfg.errors import MalformedInput
from tests.dicom.scp import element

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
VALUES = {
    "StudyInstanceUID": "1.2.3",
    "QueryRetrieveLevel": "STUDY",
    "PatientName": "Müller*",
    "PatientComments": "of a long VR",
    "StudyDate": "20240101-",
    "SOPInstanceUID": r"1.2\1.34",
    "RetrieveURI": "http://archive/1.2.3",
    "SpecificCharacterSet": "ISO_IR 192",
    "AccessionNumber": "",
}


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_pydicom_reads_what_is_written(syntax: str) -> None:
    octets = encode_identifier(build_identifier(VALUES), syntax)
    dataset = read_dataset(BytesIO(octets), is_implicit_VR=syntax == IMPLICIT, is_little_endian=True)
    dataset.decode()
    several = {
        keyword: "\\".join(value) if isinstance(value, list) else str(value)
        for keyword, value in ((each.keyword, list(each.value) if each.VM > 1 else each.value) for each in dataset)
    }
    assert several == VALUES
    assert [each.tag for each in dataset] == sorted(each.tag for each in dataset)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_what_is_written_is_read_again_whatever_the_syntax_was(syntax: str) -> None:
    identifier = build_identifier(VALUES)
    assert decode_identifier(encode_identifier(identifier, syntax)) == identifier


def test_a_length_that_looks_like_a_vr_is_a_length() -> None:
    """17,752 octets: the letters XE, where a VR would be, in the list of 317 instances that failed."""
    uids = "\\".join(f"1.2.826.0.1.3680043.8.498.1.{number:026}.1" for number in range(317))[:17752]
    octets = encode_identifier(build_identifier({"FailedSOPInstanceUIDList": uids}), IMPLICIT)
    assert octets[4:6] == b"XE"
    assert decode_identifier(octets) == build_identifier({"FailedSOPInstanceUIDList": uids})


def test_a_value_too_long_for_its_vr_is_an_error_of_ours() -> None:
    with pytest.raises(MalformedInput, match="longer than 65534 octets"):
        encode_identifier(build_identifier({"StudyInstanceUID": "\\".join(["1.2.3"] * 11000)}), EXPLICIT)


def test_a_keyword_that_is_none_is_an_error() -> None:
    with pytest.raises(KeyError, match="StudyUID"):
        build_identifier({"StudyUID": "1.2"})


@pytest.mark.parametrize("octets", [b"", b"\0" * 7])
def test_what_is_too_short_for_an_element_is_passed_over(octets: bytes) -> None:
    whole = element("SOPInstanceUID", b"1.2\0")
    assert decode_identifier(octets) == {}
    assert decode_identifier(whole + octets) == {0x00080018: b"1.2\0"}


def test_a_value_that_is_cut_off_is_no_identifier() -> None:
    assert decode_identifier(element("SOPInstanceUID", b"1.2\0")[:-1]) is None


def test_tags_and_vrs_at_hand_are_those_of_pydicom() -> None:
    for keyword, (tag, vr) in pydicom_lazy._PRELOADED.items():
        assert (tag, vr) == (tag_for_keyword(keyword), dictionary_VR(tag))
