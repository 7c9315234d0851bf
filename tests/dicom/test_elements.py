from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from dcmcfg.dicom.elements import read_text, read_texts
from dcmcfg.dicom.identifiers import Identifier, decode_identifier
from tests.dicom.scp import element


def _read(octets: bytes) -> Identifier:
    found = decode_identifier(octets)
    assert found is not None
    return found


def test_padding_and_empty_values_are_left_out() -> None:
    elements = _read(element("RetrieveAETitle", b"LONGTERM \\\\ DCM4CHEE"))
    assert read_texts(elements, "RetrieveAETitle") == ("LONGTERM", "DCM4CHEE")


def test_an_absent_element_has_no_text() -> None:
    assert read_texts({}, "SOPInstanceUID") == ()
    assert read_text({}, "SOPInstanceUID") == ""


def test_a_keyword_that_is_none_has_no_text() -> None:
    assert read_text(_read(element("SOPInstanceUID", b"1.2")), "SOPInstance") == ""


def test_a_wrong_vr_does_not_fail() -> None:
    assert read_text(_read(struct.pack("<HH2sH", 0x0020, 0x000D, b"US", 3) + b"1.2"), "StudyInstanceUID") == "1.2"


@settings(max_examples=50)
@given(st.binary(max_size=40))
def test_any_octets_have_a_text(octets: bytes) -> None:
    for value in read_texts(_read(element("SOPInstanceUID", octets)), "SOPInstanceUID"):
        assert value.strip(" \0") == value != ""
