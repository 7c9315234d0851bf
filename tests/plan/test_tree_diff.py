"""Diffs of trees: what is a difference, what is none, and in which order they are made."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.plan.tree_diff import diff_trees
from tests.trees import ARCHIVE, STORESCP, connection, network_ae, site, site_entries, tree

CERTIFICATE = "userCertificate;binary"


def changes(before: Tree, after: Tree, *ignore: str, with_secrets: bool = False) -> tuple[Change, ...]:
    return diff_trees(before, after, ignore=ignore, with_secrets=with_secrets).plan.changes


def with_device(**values: str | bytes | tuple[str | bytes, ...]) -> Tree:
    return tree(Entry.from_values(ARCHIVE, {"objectClass": "dicomDevice", "dicomDeviceName": "dcm4chee-arc", **values}))


def modifications(before: Tree, after: Tree, **options: bool) -> tuple[Modification, ...]:
    (change,) = changes(before, after, **options)
    assert isinstance(change, Modify)
    return change.modifications


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("dicomDescription", "CT  of  floor 2", "ct of floor 2"),
        ("objectClass", "dicomDevice", "DICOMDEVICE"),
        ("dicomPort", "104", "00104"),
        ("dicomDefaultAETitle", "x", "x"),
        ("dicomNetworkConnectionReference", f"cn=dicom,{ARCHIVE}", f"CN=Dicom, {ARCHIVE.upper()}"),
        ("dicomNetworkConnectionReference", "cn=a+ou=b,dc=c", "OU=b+cn=a,dc=c"),
    ],
)
def test_values_that_match_by_their_rule_are_no_difference(name: str, one: str, other: str) -> None:
    assert changes(with_device(**{name: one}), with_device(**{name: other})) == ()


def test_values_that_count_case_are_a_difference() -> None:
    assert modifications(with_device(dcmFileSystemID="a"), with_device(dcmFileSystemID="A"))


def test_the_order_of_values_and_attributes_is_no_difference() -> None:
    one = Entry.from_values(ARCHIVE, {"objectClass": ("dicomDevice", "dcmDevice"), "dicomDeviceName": "dcm4chee-arc"})
    other = Entry.from_values(ARCHIVE, {"dicomdevicename": "dcm4chee-arc", "objectclass": ("dcmDevice", "dicomDevice")})
    assert changes(tree(one), tree(other)) == ()


def test_names_that_match_are_one_entry_whatever_their_spelling_and_the_order_of_their_parts() -> None:
    values = {"objectClass": "dicomNetworkConnection", "cn": "a", "dicomHostname": "h"}
    one = Entry.from_values(f"cn=a+dicomHostname=h,{ARCHIVE}", values)
    other = Entry.from_values(f"DICOMHOSTNAME=H+cn=A,{ARCHIVE.replace(',', ', ')}", values)
    assert changes(tree(one), tree(other)) == ()


def test_removed_and_added_values_are_listed_in_the_spelling_of_the_first_tree() -> None:
    before = with_device(dicomInstitutionDepartmentName=("CT", "MR"))
    after = with_device(dicomInstitutionDepartmentName=("mr", "US"))
    assert modifications(before, after) == (
        Modification(Operation.DELETE, "dicomInstitutionDepartmentName", (b"CT",)),
        Modification(Operation.ADD, "dicomInstitutionDepartmentName", (b"US",)),
    )
    reached = diff_trees(before, after).plan.after.get(DN.parse(ARCHIVE))
    assert reached is not None
    assert reached.texts("dicomInstitutionDepartmentName") == ("MR", "US")


def test_certificates_compare_octet_by_octet() -> None:
    one, other = with_device(**{CERTIFICATE: b"\x30\x01"}), with_device(**{CERTIFICATE: b"\x30\x02"})
    assert changes(one, one) == ()
    assert [each.name for each in modifications(one, other)] == [CERTIFICATE, CERTIFICATE]


def test_an_attribute_of_which_nothing_is_known_is_replaced_whole() -> None:
    found = modifications(with_device(siteColour=("red", "blue")), with_device(siteColour=("red", "green")))
    assert found == (Modification(Operation.REPLACE, "siteColour", (b"red", b"green")),)


def test_adds_stand_before_modifies_before_deletes() -> None:
    """A reference is changed while both of its connections exist."""
    before = tree(*site_entries(), connection(ARCHIVE, name="old"), network_ae(ARCHIVE, "X", references=("old",)))
    after = tree(*site_entries(), connection(ARCHIVE, name="new"), network_ae(ARCHIVE, "X", references=("new",)))
    assert [type(change) for change in changes(before, after)] == [Add, Modify, Delete]


def test_a_device_is_added_from_the_top_and_deleted_from_the_bottom() -> None:
    below = [str(entry.dn) for entry in site().subtree(DN.parse(STORESCP))]
    without = tree(*(entry for entry in site_entries() if str(entry.dn) not in below))
    assert [str(change.dn) for change in changes(without, site())] == below
    assert [str(change.dn) for change in changes(site(), without)][-1] == STORESCP
    assert len(site().with_changes(changes(site(), without)).entries) == len(without.entries)


def test_an_ignored_attribute_is_left_as_it_is_by_any_of_its_names_and_with_options() -> None:
    before = with_device(dicomDescription="a", **{CERTIFICATE: b"\1"})
    after = with_device(**{CERTIFICATE: b"\2"})
    assert changes(before, after, "DICOMDESCRIPTION", "2.5.4.36") == ()
    assert [each.name for each in modifications(before, after)] == ["dicomDescription", CERTIFICATE, CERTIFICATE]


@pytest.mark.parametrize(
    "values",
    [
        {"dcmKeyStorePin": "changeit"},
        {"userPassword": "x"},
        {"dicomVendorData": b"PK\3\4"},
        {"dcmProperty": "ldap.password=x"},
        {"dcmURI": "http://user:pw@host/"},
    ],
)
def test_a_secret_that_one_side_lacks_is_a_difference_only_with_secrets(values: dict[str, str | bytes]) -> None:
    with_secrets, bare = with_device(**values), with_device()
    for before, after in ((with_secrets, bare), (bare, with_secrets)):
        found = diff_trees(before, after)
        assert found.plan.steps == ()
        assert [each.partition(" ")[0] for each in found.not_compared] == list(values)
        assert [each.name for each in modifications(before, after, with_secrets=True)] == list(values)


def test_secrets_that_both_sides_hold_are_compared() -> None:
    found = diff_trees(with_device(dcmKeyStorePin="one"), with_device(dcmKeyStorePin="other"))
    assert len(found.plan.steps) == 1
    assert found.not_compared == ()


def test_values_beside_a_secret_that_was_left_out_are_compared() -> None:
    before = with_device(dcmProperty=("a=1", "ldap.password=x"))
    after = with_device(dcmProperty=("a=2",))
    assert modifications(before, after) == (
        Modification(Operation.DELETE, "dcmProperty", (b"a=1",)),
        Modification(Operation.ADD, "dcmProperty", (b"a=2",)),
    )


def test_a_property_with_a_password_and_one_of_its_key_without_are_different() -> None:
    one = with_device(dcmProperty=("proxy=http://user:pw@host", "x.password=p"))
    other = with_device(dcmProperty=("proxy=http://host",))
    for before, after, is_there in ((one, other, b"proxy=http://host"), (other, one, b"proxy=http://user:pw@host")):
        (found,) = diff_trees(before, after).plan.steps
        assert found.after is not None
        assert [each for each in found.after.values("dcmProperty") if each.startswith(b"proxy")] == [is_there]


def test_another_value_in_place_of_a_secret_single_one_is_a_difference() -> None:
    before, after = with_device(dcmURI="http://u:p@host/"), with_device(dcmURI="http://other/")
    (found,) = diff_trees(before, after).plan.steps
    assert found.after is not None
    assert found.after.texts("dcmURI") == ("http://other/",)


def test_the_version_of_an_entry_that_changes_or_goes_is_not_kept() -> None:
    """An entryCSN in the tree that is reached would be asserted by whoever plans from it."""
    unchanged, changed, gone = (connection(ARCHIVE, name=name, entryCSN="1") for name in ("kept", "changed", "gone"))
    before = tree(*site_entries(), unchanged, changed, gone)
    after = tree(*site_entries(), unchanged, changed.with_values("dicomPort", (b"1",)))
    assert set(diff_trees(before, after).plan.after.versions) == {before.key(unchanged.dn)}


def test_an_implied_class_is_not_a_difference_on_either_side() -> None:
    stated, unsaid = (("dicomDevice", "top"), ("dicomDevice",))
    assert changes(with_device(objectClass=stated), with_device(objectClass=unsaid)) == ()
    assert changes(with_device(objectClass=unsaid), with_device(objectClass=stated)) == ()


def test_an_implied_class_stays_where_the_classes_differ() -> None:
    before, after = (
        with_device(objectClass=("dicomDevice", "top")),
        with_device(objectClass=("dicomDevice", "dcmDevice")),
    )
    assert modifications(before, after) == (Modification(Operation.ADD, "objectClass", (b"dcmDevice",)),)
