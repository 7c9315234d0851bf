"""Entries taken to another base DN, that of the base itself above all."""

from __future__ import annotations

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.rebasing import Rebasing, RebasingReport
from dcmcfg.schema.definitions import AttributeType, ObjectClass, Schema, load_bundled_schema
from tests.trees import ARCHIVE, BASE, network_ae

NEW = "dc=hospital,dc=org"
CORE = Schema(
    load_bundled_schema().attributes,
    (
        *load_bundled_schema().object_classes,
        ObjectClass("dcObject", "1.3.6.1.4.1.1466.344", "auxiliary", must=("dc",)),
        ObjectClass("organization", "2.5.6.4", "structural", must=("o",), may=("description",)),
    ),
)
STOCK = Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"})


def rebasing(new: str = NEW, old: str = BASE, schema: Schema = CORE) -> Rebasing:
    return Rebasing(schema, DN.parse(old), DN.parse(new))


def held(entry: Entry) -> dict[str, tuple[bytes, ...]]:
    return {attribute.name: tuple(sorted(attribute.values)) for attribute in entry.attributes}


def test_names_are_taken_along_and_texts_are_not() -> None:
    ae = network_ae(ARCHIVE, "DCM4CHEE", dicomDescription=f"below {BASE}")
    taken = rebasing().rebase_entry(ae)
    assert str(taken.dn) == f"dicomAETitle=DCM4CHEE,{ARCHIVE.removesuffix(BASE)}{NEW}"
    assert taken.texts("dicomNetworkConnectionReference") == (f"cn=dicom,{ARCHIVE.removesuffix(BASE)}{NEW}",)
    assert taken.texts("dicomDescription") == ae.texts("dicomDescription")


def test_the_base_has_the_naming_value_of_the_new_one() -> None:
    taken = rebasing().rebase_entry(STOCK)
    assert str(taken.dn) == NEW
    assert held(taken) == held(STOCK) | {"dc": (b"hospital",)}


@pytest.mark.parametrize("schema", [CORE, load_bundled_schema()], ids=["known classes", "unknown classes"])
def test_a_naming_value_that_the_classes_may_need_stays(schema: Schema) -> None:
    """The new base is named by another attribute; on the way back nothing of it is left."""
    new = "o=Hospital\\, Radiology"
    taken = rebasing(new, schema=schema).rebase_entry(STOCK)
    assert str(taken.dn) == new
    assert held(taken) == held(STOCK) | {"o": (b"Hospital, Radiology", b"dcm4che.org")}
    assert held(rebasing(BASE, new, schema).rebase_entry(taken)) == held(STOCK)


def test_a_name_that_the_classes_forbid_does_not_fit() -> None:
    notes = RebasingReport(rebasing("ou=pacs,dc=hospital,dc=org"))
    assert list(notes.rebase_entries([STOCK])) == []
    assert list(notes.format_warnings()) == [
        f"The entry {BASE} is omitted: its object classes do not allow the attribute ou of the new base. "
        "Create the entry ou=pacs,dc=hospital,dc=org before you add the other entries."
    ]


def test_a_name_with_a_uid_keeps_it() -> None:
    member = AttributeType("uniqueMember", "2.5.4.50", "NameAndOptionalUID", "uniqueMemberMatch")
    schema = Schema((*load_bundled_schema().attributes, member), ())
    taken = rebasing(schema=schema).rebase_value("uniqueMember", f"cn=x,{BASE}#'0101'B".encode())
    assert taken == f"cn=x,{NEW}#'0101'B".encode()


def test_texts_that_still_say_the_old_base_are_told_the_first_of_many() -> None:
    notes = RebasingReport(rebasing())
    entries = [
        Entry.from_values(f"cn={n},{BASE}", {"description": f"ldap://h/{BASE.upper()}", "seeAlso": BASE})
        for n in range(12)
    ]
    assert len(list(notes.rebase_entries(entries))) == 12
    *lines, last = notes.format_warnings()
    assert (
        lines[0]
        == f"description of cn=0,{BASE} still contains {BASE}: dcmcfg changes only DNs, and this value is text."
    )
    assert (len(lines), last) == (10, f"2 more values still contain {BASE}.")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("ldap://h/dc=dcm4che%2cDC%3Ddcm4che,dc=org", True),
        ("below dc=dcm4che , dc = org", True),
        ("dcm4che.org", False),
        ("dc=dcm4che", False),
        ("100%", False),
    ],
)
def test_text_says_the_old_base_with_blanks_and_in_a_url_too(value: str, says: bool) -> None:
    assert rebasing().mentions_old_base("description", value.encode()) is says
