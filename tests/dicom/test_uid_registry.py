"""SOP classes and transfer syntaxes by name, keyword or UID."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.uid import UID

from dcmcfg.dicom.uid_registry import (
    UIDS,
    UidKind,
    complete_keywords,
    format_uid_name,
    get_keyword,
    list_storage_sop_classes,
    resolve_uid,
)
from dcmcfg.errors import MalformedInput

CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.mark.parametrize(
    ("text", "kind", "uid"),
    [
        ("CT Image Storage", UidKind.SOP_CLASS, CT),
        ("CTImageStorage", UidKind.SOP_CLASS, CT),
        ("ct image storage", UidKind.SOP_CLASS, CT),
        (f" {CT} ", UidKind.SOP_CLASS, CT),
        ("1.2.3.4", UidKind.SOP_CLASS, "1.2.3.4"),
        ("*", UidKind.SOP_CLASS, "*"),
        ("Verification", UidKind.SOP_CLASS, "1.2.840.10008.1.1"),
        ("VerificationSOPClass", UidKind.SOP_CLASS, "1.2.840.10008.1.1"),
        ("Nuclear Medicine Image Storage", UidKind.SOP_CLASS, "1.2.840.10008.5.1.4.1.1.20"),
        ("Explicit VR Little Endian", UidKind.TRANSFER_SYNTAX, "1.2.840.10008.1.2.1"),
        ("JPEGBaseline8Bit", UidKind.TRANSFER_SYNTAX, "1.2.840.10008.1.2.4.50"),
        ("JPEG Baseline (Process 1)", UidKind.TRANSFER_SYNTAX, "1.2.840.10008.1.2.4.50"),
        ("Private Thing Storage", UidKind.SOP_CLASS, "1.2.3"),
    ],
)
def test_a_uid_is_found_by_what_it_is_called(text: str, kind: UidKind, uid: str) -> None:
    assert resolve_uid(text, kind, {"Private Thing Storage": "1.2.3"}) == uid


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("CT Imag Storage", UidKind.SOP_CLASS, "no SOP class has this name — did you mean CT Image Storage"),
        ("CTImageStorage", UidKind.TRANSFER_SYNTAX, "no transfer syntax has this name"),
        ("ImplicitVRLittleEndian", UidKind.SOP_CLASS, "no SOP class has this name"),
        ("", UidKind.SOP_CLASS, "no SOP class has this name — use a UID"),
        ("...", UidKind.SOP_CLASS, "not a UID"),
        ("1.02.3", UidKind.SOP_CLASS, "not a UID"),
        ("1." * 40 + "1", UidKind.SOP_CLASS, "not a UID: it has 81 characters"),
        ("\x1b[31m", UidKind.SOP_CLASS, "no SOP class has this name"),
        (
            "1.2.840.10008.1.2.1",
            UidKind.SOP_CLASS,
            r"1.2.840.10008.1.2.1: not a SOP class: Explicit VR Little Endian \(transfer syntax\) — use the name",
        ),
        (CT, UidKind.TRANSFER_SYNTAX, r"not a transfer syntax: CT Image Storage \(SOP class\)"),
        ("1.2.840.10008.4.2", UidKind.SOP_CLASS, r"not a SOP class: Storage Service Class \(service class\)"),
        ("1.2.840.10008.15.0.3.1", UidKind.SOP_CLASS, r"not a SOP class: dicomDeviceName \(LDAP OID\)"),
    ],
)
def test_what_is_not_found_is_told_with_near_misses(text: str, kind: UidKind, problem: str) -> None:
    with pytest.raises(MalformedInput, match=problem):
        resolve_uid(text, kind)


def test_what_is_to_be_taken_away_may_be_something_else_and_a_meta_sop_class_is_negotiated_too() -> None:
    assert resolve_uid("1.2.840.10008.1.2.1", UidKind.SOP_CLASS, any_kind=True) == "1.2.840.10008.1.2.1"
    assert resolve_uid("1.2.840.10008.5.1.1.9", UidKind.SOP_CLASS) == "1.2.840.10008.5.1.1.9"


def test_every_name_and_keyword_leads_back_to_its_uid() -> None:
    for uid in list_storage_sop_classes():
        assert (
            resolve_uid(format_uid_name(uid), UidKind.SOP_CLASS)
            == uid
            == resolve_uid(get_keyword(uid), UidKind.SOP_CLASS)
        )


def test_storage_classes_are_those_in_use() -> None:
    uids = list_storage_sop_classes()
    assert len(uids) > 150
    assert {CT, "1.2.840.10008.5.1.4.1.1.66.4"} <= set(uids)
    retired, commitment, hanging_protocol = (
        "1.2.840.10008.5.1.4.1.1.5",
        "1.2.840.10008.1.20.1",
        "1.2.840.10008.5.1.4.38.1",
    )
    assert not {retired, commitment, hanging_protocol}.intersection(uids)


def test_a_retired_class_is_called_so_and_found_by_that() -> None:
    assert format_uid_name("1.2.840.10008.5.1.4.1.1.5") == "Nuclear Medicine Image Storage (Retired)"
    assert resolve_uid("Nuclear Medicine Image Storage (Retired)", UidKind.SOP_CLASS) == "1.2.840.10008.5.1.4.1.1.5"


def test_keywords_in_use_are_offered() -> None:
    assert complete_keywords(UidKind.SOP_CLASS, "ctim") == (("CTImageStorage", "CT Image Storage"),)
    assert ("JPEG2000", "JPEG 2000 Image Compression") in complete_keywords(UidKind.TRANSFER_SYNTAX, "JPEG2000")
    assert complete_keywords(UidKind.SOP_CLASS, "NuclearMedicineImageStorageRetired") == ()


def test_what_has_no_name_is_its_uid() -> None:
    assert (format_uid_name("1.2.3"), get_keyword("1.2.3"), format_uid_name("*")) == ("1.2.3", "1.2.3", "*")


def test_pydicom_says_the_same_of_each_uid() -> None:
    for uid, known in UIDS.items():
        same = UID(uid)
        assert (known.name, known.kind, known.is_retired) == (same.name, same.type, same.is_retired), uid
        assert known.keyword == same.keyword, uid
    assert len(UIDS) > 400


def test_the_table_has_the_classes_and_syntaxes_that_pydicom_lists() -> None:
    """That it is whole is held in tests/cli/test_documentation.py, to the dictionary of pydicom."""
    listed = {str(uid) for uid in vars(pydicom.uid).values() if isinstance(uid, UID) and not uid.is_private}
    assert len(listed) > 200
    assert listed <= UIDS.keys()
