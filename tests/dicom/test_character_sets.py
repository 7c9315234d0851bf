from __future__ import annotations

import pytest

from dcmcfg.dicom.character_sets import UNICODE, decode_values
from dcmcfg.dicom.identifiers import decode_identifier, encode_identifier
from dcmcfg.dicom.retrieval import Patient, Retrieval
from tests.dicom.scp import element

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize(
    ("named", "octets", "text", "named_again"),
    [
        ("ISO_IR 100", "Ä1".encode("latin-1"), "Ä1", "ISO_IR 100"),
        ("ISO_IR 192", "Ä1".encode(), "Ä1", "ISO_IR 192"),
        ("ISO_IR 144", "Жук".encode("iso8859-5"), "Жук", "ISO_IR 144"),
        ("GB18030", "王".encode("gb18030"), "王", "GB18030"),
        ("\\ISO 2022 IR 87", "日本".encode("iso2022_jp"), "日本", "\\ISO 2022 IR 87"),
        ("", "Ä1".encode(), "Ä1".encode().decode("latin-1"), ""),
        ("ISO_IR 192", "Ä1".encode("latin-1"), "Ä1", ""),
        ("ISO_IR 999", "Ä1".encode("latin-1"), "Ä1", "ISO_IR 999"),
        ("ISO_IR 100\\\0\\ISO 2022 IR 87", "Ä1".encode("latin-1"), "Ä1", "ISO_IR 100\\\0\\ISO 2022 IR 87"),
        ("punycode", "Ä1".encode("latin-1"), "Ä1", "punycode"),
        ("undefined", "Ä1".encode("latin-1"), "Ä1", "undefined"),
        ("hex", "Ä1".encode("latin-1"), "Ä1", "hex"),
    ],
)
def test_a_patient_is_asked_for_by_the_octets_that_the_archive_gave(
    named: str, octets: bytes, text: str, named_again: str, syntax: str
) -> None:
    answer = decode_identifier(element("SpecificCharacterSet", named.encode()) + element("PatientID", octets))
    assert answer is not None
    (patient_id, issuer), character_set = decode_values(answer, "PatientID", "IssuerOfPatientID")
    assert (patient_id, issuer, character_set) == (text, "", named_again)
    request = encode_identifier(
        Retrieval("1.2", patient=Patient(patient_id, issuer, character_set)).build_identifier(), syntax
    )
    assert octets in request
    assert (0x00080005 in (decode_identifier(request) or ())) == bool(named_again)


def test_octets_that_pydicom_writes_otherwise_are_asked_for_in_unicode() -> None:
    superfluous = b"\x1b(B" + "日本".encode("iso2022_jp")
    answer = decode_identifier(element("SpecificCharacterSet", b"\\ISO 2022 IR 87") + element("PatientID", superfluous))
    assert answer is not None
    assert decode_values(answer, "PatientID") == (("日本",), UNICODE)


def test_several_values_are_the_first_of_them() -> None:
    answer = decode_identifier(element("PatientID", b"A1 \\B2"))
    assert answer is not None
    assert decode_values(answer, "PatientID", "IssuerOfPatientID") == (("A1", ""), "")
