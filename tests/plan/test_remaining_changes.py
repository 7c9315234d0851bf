"""What a tolerant change takes away that is not there: told as it is, and what may be misspelt for it."""

from __future__ import annotations

import time

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.warnings import find_plan_warnings
from tests.trees import DEVICES, STORESCP, connection, site

SECRET = "the-one-and-only-pin"


def planned(*changes: Change, tree: Tree | None = None) -> Plan:
    plan = make_plan(tree or site(), [DesiredChange(change) for change in changes])
    assert plan.steps == ()
    return plan


def deleting(name: str, *values: str, dn: str = STORESCP) -> Modify:
    return Modify(DN.parse(dn), (Modification(Operation.DELETE, name, tuple(value.encode() for value in values)),))


def holding(name: str, *values: str) -> Tree:
    adding = Modification(Operation.ADD, name, tuple(value.encode() for value in values))
    return site().with_changes([Modify(DN.parse(STORESCP), (adding,))])


def renaming(old: str, kind: str, value: str, *, delete_old_rdn: bool = True) -> Rename:
    return Rename(DN.parse(old), RDN.of(kind, value), delete_old_rdn=delete_old_rdn)


def test_a_misspelt_entry_to_delete_is_reported_with_similar_names() -> None:
    dn = f"dicomDeviceName=storescpp,{DEVICES}"
    assert list(find_plan_warnings(planned(Delete(DN.parse(dn))))) == [
        f"{dn}: does not exist, so there is nothing to delete; did you mean dicomDeviceName=storescp?"
    ]


def test_entries_below_a_misspelt_entry_share_its_warning() -> None:
    device = f"dicomDeviceName=storescpp,{DEVICES}"
    plan = planned(Delete(DN.parse(f"cn=dicom,{device}")), Delete(DN.parse(device)))
    assert len(plan.unchanged) == 2
    assert len(list(find_plan_warnings(plan))) == 1


def test_the_naming_attribute_alone_does_not_make_names_similar() -> None:
    assert list(find_plan_warnings(planned(Delete(DN.parse(f"dicomDeviceName=xyz,{DEVICES}"))))) == []


def test_a_misspelt_value_to_delete_is_reported_with_existing_values() -> None:
    plan = planned(deleting("dicomDescription", "Storage SCPP"), tree=holding("dicomDescription", "Storage SCP"))
    assert plan.unchanged[0].missing_items == ("dicomDescription has no such value",), "what it holds is told once"
    assert list(find_plan_warnings(plan)) == [
        f"{STORESCP}: dicomDescription has no value 'Storage SCPP' to delete; did you mean 'Storage SCP'?"
    ]


def test_values_without_similar_ones_are_reported_with_a_misspelt_value() -> None:
    change = deleting("dicomDescription", "Storage SCPP", "zzz")
    plan = planned(change, tree=holding("dicomDescription", "Storage SCP"))
    assert plan.unchanged[0].missing_items == ("dicomDescription has no such value; current values: 'Storage SCP'",)
    assert len(list(find_plan_warnings(plan))) == 1


def test_a_misspelt_value_is_reported_if_the_rest_of_the_record_still_applies() -> None:
    change = deleting("dicomDescription", "Storage SCPP")
    more = Modification(Operation.ADD, "dicomStationName", (b"x",))
    tree = holding("dicomDescription", "Storage SCP")
    plan = make_plan(tree, [DesiredChange(Modify(change.dn, (*change.modifications, more)))])
    assert (len(plan.steps), plan.unchanged) == (1, ())
    assert [warning.rpartition("; ")[2] for warning in find_plan_warnings(plan)] == ["did you mean 'Storage SCP'?"]


def test_a_value_without_similar_ones_is_reported_with_existing_values() -> None:
    plan = planned(
        deleting("dicomPrimaryDeviceType", "0"), tree=holding("dicomPrimaryDeviceType", "a", "b", "c", "d", "e")
    )
    assert plan.unchanged[0].missing_items == (
        "dicomPrimaryDeviceType has no such value; current values: 'a', 'b', 'c' and 2 more",
    )
    assert list(find_plan_warnings(plan)) == []


def test_neither_the_existing_nor_the_requested_secret_is_shown() -> None:
    plan = planned(deleting("dcmKeyStorePin", SECRET[:-1]), tree=holding("dcmKeyStorePin", SECRET))
    assert plan.unchanged[0].missing_items == ("dcmKeyStorePin has no such value; current values: (secret)",)
    assert list(find_plan_warnings(plan)) == []


@pytest.mark.parametrize("operation", [Operation.DELETE, Operation.REPLACE])
def test_a_missing_attribute_is_reported_as_not_set(operation: Operation) -> None:
    change = Modify(DN.parse(STORESCP), (Modification(operation, "dicomDescription", ()),))
    plan = planned(change)
    assert plan.unchanged[0].missing_items == ("dicomDescription is not set",)
    assert list(find_plan_warnings(plan)) == []


def test_a_misspelt_attribute_to_delete_is_reported_with_existing_attributes() -> None:
    assert list(find_plan_warnings(planned(deleting("dicomInstaled")))) == [
        f"{STORESCP}: dicomInstaled is not set, so there is nothing to delete; did you mean dicomInstalled?"
    ]


def test_a_rename_assumed_applied_is_reported_if_the_old_name_may_be_misspelt() -> None:
    longterm = f"dicomDeviceName=longterm,{DEVICES}"
    tree = site().with_changes(
        [Add(Entry.from_values(longterm, {"objectClass": "dicomDevice", "dicomDeviceName": "longterm"}))]
    )
    misspelt = f"dicomDeviceName=longtrm,{DEVICES}"
    assert list(find_plan_warnings(planned(renaming(misspelt, "dicomDeviceName", "storescp"), tree=tree))) == [
        f"{misspelt}: does not exist; did you mean dicomDeviceName=longterm? dcmcfg assumes that "
        "dicomDeviceName=longtrm was already renamed to dicomDeviceName=storescp"
    ]


def test_an_applied_rename_to_a_similar_name_gives_no_warning() -> None:
    made = renaming(f"dicomDeviceName=storesc,{DEVICES}", "dicomDeviceName", "storescp")
    assert list(find_plan_warnings(planned(made))) == []


@pytest.mark.parametrize(
    "change",
    [
        renaming(f"hl7ApplicationName=x,{STORESCP}", "cn", "dicom"),
        renaming(f"cn=x,{STORESCP}", "cn", "dicom", delete_old_rdn=False),
    ],
)
def test_an_entry_that_cannot_have_had_the_old_name_is_not_the_one_renamed(change: Rename) -> None:
    with pytest.raises(DoesNotApply, match="there is no such entry"):
        make_plan(site(), [DesiredChange(change)])


def test_a_wrong_name_is_refused_with_similar_names_below_the_last_existing_entry() -> None:
    dn = f"cn=dicom,dicomDeviceName=dcm4chee-ar,{DEVICES}"
    with pytest.raises(DoesNotApply) as modified:
        make_plan(site(), [DesiredChange(deleting("dicomPort", dn=dn))])
    assert modified.value.next_step == (
        f"nearest existing entry: {DEVICES}; did you mean dicomDeviceName=dcm4chee-arc?"
    )
    with pytest.raises(DoesNotApply) as added:
        make_plan(site(), [DesiredChange(Add(connection(f"dicomDeviceName=dcm4chee-ar,{DEVICES}")))])
    assert added.value.next_step == modified.value.next_step


def test_an_entry_with_children_is_refused_with_what_to_do_first() -> None:
    with pytest.raises(DoesNotApply, match="2 children") as refused:
        make_plan(site(), [DesiredChange(Delete(DN.parse(STORESCP)))])
    assert refused.value.next_step.startswith("first delete the entries below this entry, the lowest entries first. ")


def test_many_wrong_names_among_many_take_no_longer_than_the_first_of_them() -> None:
    devices = [
        Entry.from_values(f"dicomDeviceName=dev{number:05},{DEVICES}", {"objectClass": "dicomDevice"})
        for number in range(5_000)
    ]
    tree = site().with_changes(map(Add, devices))
    gone = [Delete(DN.parse(f"dicomDeviceName=dex{number:05},{DEVICES}")) for number in range(2_000)]
    started = time.process_time()
    some = len(planned(*gone[:5], tree=tree).typo_warnings)
    first = time.process_time() - started
    started = time.process_time()
    warning_count = len(planned(*gone, tree=tree).typo_warnings)
    assert 0 < some == warning_count
    assert time.process_time() - started < 20 * first + 1
