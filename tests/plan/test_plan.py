"""Plans: what is planned, what counts as done, what is asserted, what takes it back."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions
from dcmcfg.plan.assertions import AllOf, Equals, Not, Present
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan, plan_applicable
from dcmcfg.schema.findings import SourceLocation
from tests.trees import ARCHIVE, DEVICES, connection, site, tree

NAME = "dcmExternalRetrieveAEDestination"
ARCHIVE_DN = DN.parse(ARCHIVE)


def setting(operation: Operation, *values: str, name: str = NAME) -> Modify:
    return Modify(ARCHIVE_DN, (Modification(operation, name, tuple(value.encode() for value in values)),))


def plan(*changes: Change, strict: bool = False, holding: str | None = None) -> Plan:
    """Plan *changes* of a site whose archive device holds the value *holding*."""
    before = site() if holding is None else site(**{NAME: holding})
    return make_plan(before, [DesiredChange(change, strict=strict) for change in changes])


def asserted(change: Change) -> assertions.Filter | None:
    (control,) = change.controls
    assert control.oid == assertions.OID
    assert control.critical
    return assertions.decode_control(control)


def test_a_replace_becomes_the_values_that_go_and_come() -> None:
    (step,) = plan(setting(Operation.REPLACE, "DCM4CHEE"), holding="OLD").steps
    assert isinstance(step.change, Modify)
    assert step.change.modifications == (
        Modification(Operation.DELETE, NAME, (b"OLD",)),
        Modification(Operation.ADD, NAME, (b"DCM4CHEE",)),
    )
    assert asserted(step.change) == Equals(NAME, b"OLD")


def test_a_new_value_asserts_that_the_attribute_is_absent() -> None:
    (step,) = plan(setting(Operation.REPLACE, "DCM4CHEE")).steps
    assert asserted(step.change) == Not(Present(NAME))


def test_an_unchanged_value_is_not_a_step() -> None:
    planned = plan(setting(Operation.REPLACE, "DCM4CHEE"), holding="DCM4CHEE")
    assert planned.steps == ()
    assert len(planned.unchanged) == 1


@pytest.mark.parametrize(
    "change",
    [
        setting(Operation.ADD, "DCM4CHEE"),
        setting(Operation.DELETE, "GONE"),
        setting(Operation.DELETE, name="dicomDescription"),
        Delete(DN.parse(f"cn=gone,{ARCHIVE}")),
        Add(connection(ARCHIVE)),
        Rename(DN.parse(f"cn=gone,{ARCHIVE}"), RDN.of("cn", "dicom")),
    ],
)
def test_a_tolerant_change_counts_as_unchanged_if_already_set(change: Change) -> None:
    assert [each.change for each in plan(change, holding="DCM4CHEE").unchanged] == [change]


def test_a_strict_change_does_not_count_as_done() -> None:
    with pytest.raises(DoesNotApply) as refusal:
        plan(setting(Operation.ADD, "DCM4CHEE"), strict=True, holding="DCM4CHEE")
    assert refusal.value.result_code == 20


def test_another_value_on_a_single_valued_attribute_is_refused() -> None:
    with pytest.raises(DoesNotApply) as refusal:
        plan(setting(Operation.ADD, "DCM4CHEE"), holding="OTHER")
    assert refusal.value.result_code == 19


def test_an_entry_that_exists_and_differs_is_refused_naming_what_differs() -> None:
    with pytest.raises(DoesNotApply, match="differs in dicomPort"):
        plan(Add(connection(ARCHIVE, "104")))


def test_every_change_that_does_not_apply_is_reported_with_its_location() -> None:
    missing = Modify(DN.parse(f"cn=nowhere,{DEVICES}"), (Modification(Operation.ADD, "cn", (b"x",)),))
    desired = [
        DesiredChange(missing, location=SourceLocation("a.ldif", 3)),
        DesiredChange(setting(Operation.REPLACE, "X"), location=SourceLocation("a.ldif", 9)),
        DesiredChange(missing, location=SourceLocation("b.ldif", 1)),
    ]
    with pytest.raises(DoesNotApply) as refusal:
        make_plan(site(), desired)
    assert "2 of 3 changes cannot be applied" in refusal.value.message
    assert "a.ldif:3" in refusal.value.full_message
    assert "b.ldif:1" in refusal.value.full_message


def test_a_strict_file_is_refused_when_the_tree_has_moved() -> None:
    reviewed = plan(setting(Operation.REPLACE, "DCM4CHEE"), holding="OLD").changes
    with pytest.raises(DoesNotApply, match="has changed since this change was planned") as refusal:
        plan(*reviewed, strict=True, holding="SOMEBODY_ELSES")
    assert f"somebody has changed {NAME} (expected 'OLD', found 'SOMEBODY_ELSES')" in refusal.value.message
    assert refusal.value.changed_dn == ARCHIVE


def test_a_strict_file_is_planned_exactly_as_written() -> None:
    reviewed = plan(setting(Operation.REPLACE, "DCM4CHEE"), holding="OLD").changes
    assert plan(*reviewed, strict=True, holding="OLD").changes == reviewed


def test_steps_on_one_entry_assert_what_was_there_before_each() -> None:
    planned = plan(setting(Operation.REPLACE, "A"), setting(Operation.REPLACE, "B"))
    assert [asserted(change) for change in planned.changes] == [Not(Present(NAME)), Equals(NAME, b"A")]


def test_a_delete_asserts_the_version_where_it_is_known() -> None:
    version = "20260101000000.000000Z#000000#000#000000"
    entry = Entry.from_values(
        ARCHIVE, {"objectClass": "dicomDevice", "dicomDeviceName": "dcm4chee-arc", "entryCSN": version}
    )
    (step,) = make_plan(tree(entry), [DesiredChange(Delete(ARCHIVE_DN))]).steps
    assert asserted(step.change) == Equals("entryCSN", version.encode())


def test_a_delete_asserts_the_values_where_no_version_is_known() -> None:
    (step,) = plan(Delete(DN.parse(f"cn=dicom,{ARCHIVE}"))).steps
    expected = asserted(step.change)
    assert isinstance(expected, AllOf)
    assert Equals("dicomPort", b"11112") in expected.inner


def test_vendor_data_is_replaced_whole() -> None:
    old = Modify(ARCHIVE_DN, (Modification(Operation.REPLACE, "dicomVendorData", (b"old",)),))
    new = Modify(ARCHIVE_DN, (Modification(Operation.REPLACE, "dicomVendorData", (b"new",)),))
    planned = plan(old, new)
    assert isinstance(planned.changes[1], Modify)
    assert planned.changes[1].modifications == (Modification(Operation.REPLACE, "dicomVendorData", (b"new",)),)
    back = planned.undo().after.get(ARCHIVE_DN)
    assert back is not None
    assert "dicomVendorData" not in back


def test_a_rename_and_back_keeps_a_second_naming_value() -> None:
    two = Entry.from_values(
        f"cn=a,{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "cn": ("a", "b"), "dicomHostname": "h"}
    )
    before = tree(*site().sorted_entries(), two)
    planned = make_plan(before, [DesiredChange(Rename(two.dn, RDN.of("cn", "b")))])
    renamed = planned.after.get(DN.parse(f"cn=b,{ARCHIVE}"))
    assert renamed is not None
    assert renamed.texts("cn") == ("b",)
    back = planned.undo().after.get(two.dn)
    assert back is not None
    assert set(back.texts("cn")) == {"a", "b"}


def test_the_undo_of_a_delete_adds_the_entry_as_it_was() -> None:
    planned = plan(Delete(DN.parse(f"cn=dicom,{ARCHIVE}")))
    assert planned.undo().changes == (Add(connection(ARCHIVE)),)


def test_an_attribute_that_the_schema_does_not_know_is_replaced_as_a_whole() -> None:
    """It may be one without equality rule: deleting, or asserting, a single value of it would be refused."""
    made = plan(setting(Operation.ADD, "face", name="jpegPhoto"))
    (back,) = made.undo().changes
    assert isinstance(back, Modify)
    assert back.modifications == (Modification(Operation.REPLACE, "jpegPhoto"),)
    assert asserted(back) == Present("jpegPhoto")
    added = Entry.from_values(f"dicomDeviceName=q,{DEVICES}", {"objectClass": "dicomDevice", "jpegPhoto": "face"})
    (gone,) = plan(Add(added)).undo().changes
    assert Equals("jpegPhoto", b"face") not in getattr(asserted(gone), "inner", ())


@pytest.mark.parametrize("strict", [False, True])
def test_an_attribute_named_by_its_oid_is_planned_by_its_name(strict: bool) -> None:
    made = plan(setting(Operation.ADD, "geheim", name="2.5.4.35"), strict=strict)
    (change,) = made.changes
    assert isinstance(change, Modify)
    assert [each.name for each in change.modifications] == ["userPassword"]
    (back,) = made.undo().changes
    assert isinstance(back, Modify)
    assert back.modifications == (Modification(Operation.REPLACE, "userPassword"),), "it may be held hashed"


def test_values_under_two_names_of_one_attribute_are_one_attribute() -> None:
    given = Entry.from_values(f"cn=a,{ARCHIVE}", {"cn": "a", "commonName": "b", "dicomHostname": "h"})
    (change,) = plan(Add(given)).changes
    assert isinstance(change, Add)
    assert change.entry.values("cn") == (b"a", b"b")
    assert "commonName" not in change.entry


def test_a_certificate_without_binary_is_refused_and_not_called_gone() -> None:
    with pytest.raises(DoesNotApply, match="userCertificate;binary"):
        plan(Modify(ARCHIVE_DN, (Modification(Operation.DELETE, "userCertificate"),)))


@pytest.mark.parametrize(
    "change",
    [
        Delete(DN.parse("dicomDeviceName=x,cn=Devices,dc=other")),
        Modify(DN(), (Modification(Operation.DELETE, "description"),)),
        Rename(ARCHIVE_DN, RDN.of("dicomDeviceName", "x"), new_superior=DN.parse("dc=other")),
    ],
)
def test_what_is_not_below_the_base_is_refused_and_not_called_gone(change: Change) -> None:
    with pytest.raises(DoesNotApply, match="not below the base DN"):
        plan(change)


CSN = Equals("entryCSN", b"csn of dcm4chee-arc")
VENDOR_DATA = setting(Operation.REPLACE, "new", name="dicomVendorData")
CERTIFICATE = Modify(ARCHIVE_DN, (Modification(Operation.DELETE, "userCertificate;binary", (b"old",)),))


def versioned(**device: str) -> Tree:
    before = site(**device)
    return Tree(before.schema, before.entries, {key: f"csn of {key[0][0][1]}" for key in before.entries})


def parts(change: Change) -> tuple[assertions.Filter, ...]:
    return assertions.extract_assertions(change) or ()


@pytest.mark.parametrize(
    ("values", "change"),
    [
        ({"dicomVendorData": "old"}, VENDOR_DATA),
        ({"userPassword": "old"}, setting(Operation.REPLACE, "new", name="userPassword")),
        ({"dcmOfTomorrow": "old"}, setting(Operation.REPLACE, "new", name="dcmOfTomorrow")),
        ({"userCertificate;binary": "old"}, CERTIFICATE),
        ({}, Delete(ARCHIVE_DN)),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_not_asserted_by_value_is_asserted_by_the_version(
    values: dict[str, str], change: Change, strict: bool
) -> None:
    before = versioned(**values)
    alone = Tree(before.schema, {before.key(ARCHIVE_DN): before.entries[before.key(ARCHIVE_DN)]}, before.versions)
    (step,) = make_plan(alone, [DesiredChange(change, strict=strict)]).steps
    assert CSN in parts(step.change)


@pytest.mark.parametrize("strict", [True, False])
def test_the_first_step_of_an_entry_asserts_the_version_for_a_later_one(strict: bool) -> None:
    renamed = DN.parse(ARCHIVE.replace("dcm4chee-arc", "renamed"))
    changes = (
        setting(Operation.ADD, "x", name="dicomDescription"),
        Rename(ARCHIVE_DN, renamed.rdn),
        Modify(renamed, VENDOR_DATA.modifications),
    )
    planned = make_plan(versioned(dicomVendorData="old"), [DesiredChange(change, strict=strict) for change in changes])
    assert [CSN in parts(change) for change in planned.changes] == [True, False, False]


def test_an_entry_below_a_renamed_one_keeps_its_version() -> None:
    renamed = DN.parse(ARCHIVE.replace("dcm4chee-arc", "renamed"))
    connection_dn = DN.parse(f"cn=dicom,{renamed}")
    planned = make_plan(
        versioned(), [DesiredChange(Rename(ARCHIVE_DN, renamed.rdn)), DesiredChange(Delete(connection_dn))]
    )
    assert [parts(change) for change in planned.changes] == [(), (Equals("entryCSN", b"csn of dicom"),)]


def test_without_versions_what_goes_is_asserted_octet_by_octet() -> None:
    reviewed = make_plan(site(dicomVendorData="old"), [DesiredChange(VENDOR_DATA)]).changes
    assert Equals("dicomVendorData", b"old") in parts(reviewed[0])
    with pytest.raises(DoesNotApply, match="has changed since this change was planned"):
        make_plan(site(dicomVendorData="theirs"), [DesiredChange(change, strict=True) for change in reviewed])


def test_an_undo_asserts_no_value_that_a_server_may_keep_in_another_form() -> None:
    planned = make_plan(
        site(userPassword="old"), [DesiredChange(setting(Operation.REPLACE, "new", name="userPassword"))]
    )
    assert [parts(change) for (change,) in planned.make_undo_per_step()] == [(Present("userPassword"),)]


def test_changes_below_one_that_does_not_fit_are_refused_in_linear_time() -> None:
    deep = ",".join(f"cn=level {number}" for number in range(20_000))
    below = [Delete(DN.parse(f"cn={number},{deep},{DEVICES}")) for number in range(3)]
    desired = [DesiredChange(change, strict=True) for change in (Delete(DN.parse(f"{deep},{DEVICES}")), *below)]
    fitting, misfits = plan_applicable(site(), desired)
    assert fitting.steps == ()
    assert [each.problem.message.startswith("this change depends on") for each in misfits] == [False, True, True, True]
