"""Content records: what becomes of an entry that a file tells as it is wanted."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Modify
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.ldif.reader import read_all
from dcmcfg.model.tree import Tree
from dcmcfg.plan import content_records
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.plan import Plan, make_plan
from tests.trees import ARCHIVE, DEVICES, connection, site, tree

CONNECTION = f"dn: cn=dicom,{ARCHIVE}\nobjectClass: dicomNetworkConnection\ncn: dicom\ndicomHostname: localhost\n"


def plan(*texts: str, before: Tree | None = None) -> Plan:
    files = [(f"{number}.ldif", read_all([text.encode()], "test")) for number, text in enumerate(texts, 1)]
    return make_plan(before or site(), collect_desired_changes(files))


def holding(**values: str | bytes) -> Tree:
    """The site, its archive device holding *values* in place of what it held of them."""
    return tree(*(entry for entry in site(**values).sorted_entries()))  # type: ignore[arg-type]


def device(**values: str) -> str:
    current = site().sorted_entries()[3]
    assert str(current.dn) == ARCHIVE
    lines = [f"{each.name}: {value.decode()}" for each in current.attributes for value in each.values]
    return "\n".join((f"dn: {ARCHIVE}", *lines, *(f"{name}: {value}" for name, value in values.items()), ""))


def modifications(planned: Plan) -> list[tuple[str, str, tuple[bytes, ...]]]:
    (change,) = planned.changes
    assert isinstance(change, Modify)
    return [(each.operation.value, each.name, each.values) for each in change.modifications]


def test_an_entry_that_is_not_there_is_added() -> None:
    planned = plan(CONNECTION.replace("cn=dicom,", "cn=tls,").replace("cn: dicom", "cn: tls"))
    (change,) = planned.changes
    assert isinstance(change, Add)


def test_of_an_entry_that_differs_what_the_record_lacks_goes_and_what_it_has_comes() -> None:
    assert modifications(plan(CONNECTION + "dicomInstalled: TRUE\n")) == [
        ("add", "dicomInstalled", (b"TRUE",)),
        ("delete", "dicomPort", (b"11112",)),
    ]


def test_an_entry_equal_by_matching_rules_is_unchanged() -> None:
    planned = plan(CONNECTION.replace("cn: dicom", "commonName:  DICOM") + "dicomPort: 011112\n")
    assert (planned.steps, len(planned.unchanged)) == ((), 1)


def test_no_entry_is_deleted_for_not_being_named() -> None:
    assert plan(CONNECTION + "dicomPort: 11112\n").after.entries.keys() == site().entries.keys()


def test_secrets_and_vendor_data_that_the_record_lacks_stay() -> None:
    current = holding(dcmKeyStorePin="pin", dicomVendorData=b"\0zip", dicomDescription="old")
    assert modifications(plan(device(), before=current)) == [("delete", "dicomDescription", (b"old",))]


def test_secrets_and_vendor_data_that_the_record_has_come() -> None:
    current = holding(dcmKeyStorePin="pin", dicomVendorData=b"\0zip")
    assert modifications(plan(device(dcmKeyStorePin="new", dicomVendorData="new"), before=current)) == [
        ("delete", "dcmKeyStorePin", (b"pin",)),
        ("add", "dcmKeyStorePin", (b"new",)),
        ("replace", "dicomVendorData", (b"new",)),
    ]
    assert modifications(plan(device(dcmKeyStorePin="new"))) == [("add", "dcmKeyStorePin", (b"new",))]


def test_a_secret_property_takes_the_place_of_its_own_key_only() -> None:
    current = holding(dcmProperty=["a=1", "x.password=p", "y.secret=s"])  # type: ignore[arg-type]
    assert modifications(plan(device(dcmProperty="x.password=new"), before=current)) == [
        ("delete", "dcmProperty", (b"a=1", b"x.password=p")),
        ("add", "dcmProperty", (b"x.password=new",)),
    ]


def test_a_property_takes_the_place_of_the_one_with_a_password_in_it() -> None:
    """Two lines of one key would leave it to the archive which of them counts."""
    current = holding(dcmProperty=["proxy=http://user:pw@host", "x.password=p"])  # type: ignore[arg-type]
    assert modifications(plan(device(dcmProperty="proxy=http://host"), before=current)) == [
        ("delete", "dcmProperty", (b"proxy=http://user:pw@host",)),
        ("add", "dcmProperty", (b"proxy=http://host",)),
    ]


def test_operational_attributes_are_left_out_and_reported() -> None:
    text = f"{CONNECTION}dicomPort: 11112\nentryCSN: 20260101000000.000000Z#000000#000#000000\ncreatorsName: cn=admin\n"
    assert plan(text).steps == ()
    (note,) = content_records.describe_ignored_attributes([("slapcat.ldif", read_all([text.encode()], "test"))])
    assert (
        note == "slapcat.ldif: dcmcfg ignored these operational attributes, because only the server can set them: "
        "creatorsName, entryCSN."
    )


def test_another_structural_class_is_refused() -> None:
    with pytest.raises(
        DoesNotApply, match="cannot change: the entry has dicomNetworkConnection, but the record has dicomNetworkAE"
    ) as no:
        plan(CONNECTION.replace("dicomNetworkConnection", "dicomNetworkAE"))
    assert no.value.result_code == 69


def test_auxiliary_classes_may_come_and_go() -> None:
    planned = plan(device().replace("objectClass: dcmArchiveDevice\n", ""))
    assert ("delete", "objectClass", (b"dcmArchiveDevice",)) in modifications(planned)


def test_a_name_that_contradicts_the_values_is_refused() -> None:
    text = f"dn: dicomDeviceName=a,{DEVICES}\nobjectClass: dicomDevice\ndicomDeviceName: b\n"
    with pytest.raises(DoesNotApply, match="dicomDeviceName differs from the value in the DN") as refusal:
        plan(text)
    assert refusal.value.result_code == 64


def test_entries_come_parents_first_whatever_the_order_of_records_and_files() -> None:
    new = f"dicomDeviceName=new,{DEVICES}"
    child = f"dn: cn=dicom,{new}\nobjectClass: dicomNetworkConnection\ncn: dicom\ndicomHostname: h\n"
    parent = f"dn: {new}\nobjectClass: dicomDevice\ndicomDeviceName: new\ndicomInstalled: TRUE\n"
    assert [str(change.dn) for change in plan(child, parent).changes] == [new, f"cn=dicom,{new}"]


def test_entries_do_not_overtake_changes_that_stand_between() -> None:
    new = f"dicomDeviceName=new,{DEVICES}"
    child = f"dn: cn=dicom,{new}\nobjectClass: dicomNetworkConnection\ncn: dicom\ndicomHostname: h\n"
    change = f"dn: {ARCHIVE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n"
    parent = f"dn: {new}\nobjectClass: dicomDevice\ndicomDeviceName: new\ndicomInstalled: TRUE\n"
    with pytest.raises(DoesNotApply, match="the parent entry does not exist"):
        plan(f"{child}\n{change}\n{parent}")


def test_two_contradictory_records_of_an_entry_are_refused() -> None:
    with pytest.raises(DoesNotApply, match="two records of this entry have different values of dicomPort"):
        plan(CONNECTION + "dicomPort: 1\n", CONNECTION + "dicomPort: 2\n")
    assert len(plan(CONNECTION + "dicomPort: 1\n", CONNECTION + "dicomPort: 1\n").steps) == 1


def test_in_a_strict_file_an_entry_is_one_to_add() -> None:
    reviewed = f"dn: {ARCHIVE}\ncontrol: 1.3.6.1.1.12 true:: hwtvYmplY3RDbGFzcw==\nchangetype: modify\n"
    with pytest.raises(DoesNotApply, match="already exists"):
        plan(f"{reviewed}replace: dicomDescription\ndicomDescription: x\n\n{CONNECTION}")


def test_the_operational_attributes_do_not_reach_an_entry_that_is_added() -> None:
    entry = Entry.from_values(f"cn=a,{ARCHIVE}", {"cn": "a", "entryUUID": "x", "modifyTimestamp": "x"})
    assert [each.name for each in content_records.drop_operational_attributes(entry).attributes] == ["cn"]
    assert content_records.drop_operational_attributes(connection(ARCHIVE)) == connection(ARCHIVE)
