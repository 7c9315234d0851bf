from __future__ import annotations

from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry

AE = Entry.from_values(
    "dicomAETitle=DCM4CHEE,o=x",
    {"objectClass": ["dicomNetworkAE", "dcmNetworkAE"], "dicomAETitle": "DCM4CHEE", "userCertificate;binary": b"\xff"},
)


def test_values_are_octets_and_names_compare_without_case() -> None:
    assert AE.values("DICOMAETITLE") == (b"DCM4CHEE",)
    assert "dicomaetitle" in AE
    assert AE.values("dicomDeviceName") == ()
    assert "dicomDeviceName" not in AE


def test_text_is_the_first_value_or_none() -> None:
    assert AE.text("objectClass") == "dicomNetworkAE"
    assert AE.texts("objectclass") == ("dicomNetworkAE", "dcmNetworkAE")
    assert AE.text("dicomDeviceName") is None
    assert AE.text("userCertificate;binary") == "\ufffd"


def test_an_option_makes_another_attribute() -> None:
    assert "userCertificate" not in AE
    assert AE.values("usercertificate;BINARY") == (b"\xff",)


def test_object_classes_compare_without_case() -> None:
    assert AE.is_a("DicomNetworkAE")
    assert not AE.is_a("dicomDevice")


def test_new_values_keep_place_and_spelling() -> None:
    changed = AE.with_values("DICOMAETITLE", [b"A", b"B"])
    assert [attribute.name for attribute in changed.attributes] == [attribute.name for attribute in AE.attributes]
    assert changed.values("dicomAETitle") == (b"A", b"B")
    assert AE.values("dicomAETitle") == (b"DCM4CHEE",)


def test_a_new_attribute_comes_last() -> None:
    assert AE.with_values("dcmTag", [b"1"]).attributes[-1] == Attribute("dcmTag", (b"1",))


def test_no_values_remove_the_attribute() -> None:
    assert "dicomAETitle" not in AE.with_values("dicomaetitle", [])
    assert AE.with_values("absent", []) == AE


def test_an_entry_moves_with_its_attributes() -> None:
    renamed = AE.with_dn(DN.parse("o=y"))
    assert (renamed.dn, renamed.attributes) == (DN.parse("o=y"), AE.attributes)


def test_equal_entries_are_equal_and_order_counts() -> None:
    assert Entry.from_values("o=x", {"a": "1", "b": "2"}) == Entry(
        DN.parse("o=x"), (Attribute("a", (b"1",)), Attribute("b", (b"2",)))
    )
    assert Entry.from_values("o=x", {"a": "1", "b": "2"}) != Entry.from_values("o=x", {"b": "2", "a": "1"})
