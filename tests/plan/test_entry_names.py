"""The names of entries before and after a plan with renames."""

from __future__ import annotations

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN, NormalDN
from dcmcfg.plan.entry_names import EntryNames
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.trees import DEVICES, STORESCP, connection, site

NEW = f"dicomDeviceName=new,{DEVICES}"


def through(*changes: Change) -> EntryNames:
    return EntryNames(make_plan(site(), [DesiredChange(change) for change in changes]))


def key(text: str) -> NormalDN:
    return site().key(DN.parse(text))


def described(dn: str, address: str = "10.0.0.1") -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.REPLACE, "dcmBindAddress", (address.encode(),)),))


def renamed(dn: str, value: str) -> Rename:
    parsed = DN.parse(dn)
    return Rename(parsed, RDN.of(parsed.rdn.parts[0][0], value))


def test_without_a_rename_every_name_stays() -> None:
    names = through(described(f"cn=dicom,{STORESCP}"))
    assert names.names_before == names.names_after == (key(f"cn=dicom,{STORESCP}"),)
    assert names.find_original_name(key(STORESCP)) == key(STORESCP)


def test_each_step_is_followed_to_both_ends() -> None:
    names = through(
        described(f"cn=dicom,{STORESCP}"),
        renamed(f"cn=dicom,{STORESCP}", "other"),
        renamed(STORESCP, "new"),
        described(f"cn=other,{NEW}", "10.0.0.2"),
    )
    old, new = f"cn=dicom,{STORESCP}", f"cn=other,{NEW}"
    assert names.names_before == tuple(map(key, (old, old, STORESCP, old)))
    assert names.names_after == tuple(map(key, (new, new, NEW, new)))
    assert names.find_original_name(key(new)) == key(old)
    assert names.find_original_name(key(f"dicomAETitle=STORESCP,{NEW}")) == key(f"dicomAETitle=STORESCP,{STORESCP}")


def test_names_that_change_places_are_not_mixed_up() -> None:
    one, two = f"cn=dicom,{STORESCP}", f"cn=two,{STORESCP}"
    names = through(
        Add(connection(STORESCP, name="two")),
        renamed(one, "aside"),
        renamed(two, "dicom"),
        renamed(f"cn=aside,{STORESCP}", "two"),
    )
    assert names.find_original_name(key(two)) == key(one)
    assert names.find_original_name(key(one)) == key(two)


def test_a_new_entry_under_the_name_of_one_that_moved_away_has_no_origin() -> None:
    names = through(renamed(f"cn=dicom,{STORESCP}", "other"), Add(connection(STORESCP)))
    assert names.find_original_name(key(f"cn=dicom,{STORESCP}")) is None


def test_a_step_on_an_entry_that_a_later_one_deletes_has_the_name_it_would_have() -> None:
    names = through(
        Add(connection(STORESCP, name="two")), Delete(DN.parse(f"cn=two,{STORESCP}")), renamed(STORESCP, "new")
    )
    assert names.names_after == (key(f"cn=two,{NEW}"), key(f"cn=two,{NEW}"), key(NEW))
