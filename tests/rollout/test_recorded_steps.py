"""A step as other accounts may see it: values before and after, but no secrets, no vendor data, no binary data."""

from __future__ import annotations

import json

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.rollout.recorded_steps import RecordedAttribute, RecordedStep, parse_step, record_step
from tests.trees import ARCHIVE, site

DEVICE = DN.parse(ARCHIVE)
SOFTWARE = "dicomSoftwareVersion"


def recorded(change: Change) -> RecordedStep:
    """Record *change* of the site, with the undo that a plan has for it; what is written is what is read."""
    plan = make_plan(site(), [DesiredChange(change)])
    (undo,) = plan.make_undo_per_step()
    step = record_step(plan.changes[0], undo)
    assert parse_step(json.loads(json.dumps(step.to_json()))) == step
    return step


def modify(operation: Operation, name: str, *values: bytes) -> RecordedStep:
    return recorded(Modify(DEVICE, (Modification(operation, name, values),)))


def values_of(step: RecordedStep, name: str) -> RecordedAttribute:
    (found,) = (each for each in step.attributes if each.name.lower() == name.lower())
    return found


def test_values_before_and_after_are_those_of_the_plan() -> None:
    (before,) = site().entries[site().key(DEVICE)].texts("dicomInstalled")
    other = "FALSE" if before == "TRUE" else "TRUE"
    replaced = modify(Operation.REPLACE, "dicomInstalled", other.encode())
    assert replaced.attributes == (RecordedAttribute("dicomInstalled", (before,), (other,)),)
    removed = modify(Operation.DELETE, "dicomInstalled")
    assert removed.attributes == (RecordedAttribute("dicomInstalled", (before,), removes_all=True),)
    # The attribute is replaced as a whole, because the schema does not know it.
    assert modify(Operation.ADD, "dcmFromTheFuture", b"x").attributes == (
        RecordedAttribute("dcmFromTheFuture", (), ("x",)),
    )


@pytest.mark.parametrize(
    ("values", "removes_all"),
    [((b"a",), False), ((b"a", b"b"), True), ((), True)],
)
def test_the_removal_of_all_values_is_recorded(values: tuple[bytes, ...], removes_all: bool) -> None:
    tree = site().with_changes([Modify(DEVICE, (Modification(Operation.REPLACE, SOFTWARE, (b"a", b"b")),))])
    plan = make_plan(tree, [DesiredChange(Modify(DEVICE, (Modification(Operation.DELETE, SOFTWARE, values),)))])
    (undo,) = plan.make_undo_per_step()
    (attribute,) = record_step(plan.changes[0], undo).attributes
    assert attribute.removes_all is removes_all


def test_an_older_record_does_not_know_whether_all_values_were_removed() -> None:
    content = modify(Operation.DELETE, "dicomInstalled").to_json()
    del content["attributes"][0]["removes_all"]
    assert not parse_step(content).attributes[0].removes_all


def test_a_deleted_entry_has_its_values_and_a_new_one_too() -> None:
    entry = Entry.from_values(f"cn=new,{ARCHIVE}", {"objectClass": "dicomNetworkConnection", "dicomPort": "104"})
    step = record_step(Add(entry), (Delete(entry.dn),))
    assert values_of(step, "dicomPort").added == ("104",)
    step = record_step(Delete(entry.dn), (Add(entry),))
    assert values_of(step, "dicomPort").removed == ("104",)


def test_a_rename_has_both_names() -> None:
    step = record_step(Rename(DEVICE, RDN.of("dicomDeviceName", "other")), ())
    assert (step.dn, step.new_dn) == (ARCHIVE, str(DN((RDN.of("dicomDeviceName", "other"), *DEVICE.parent.rdns))))
    assert values_of(step, "dicomDeviceName").added == ("other",)


@pytest.mark.parametrize("name", ["dcmKeyStorePin", "DCMKEYSTOREPIN", "1.2.40.0.13.1.15.0.3.46", "dcmKeyStorePin;x"])
def test_a_secret_is_left_out_under_each_of_its_names(name: str) -> None:
    change = Modify(DEVICE, (Modification(Operation.REPLACE, name, (b"new-secret",)),))
    undo = Modify(DEVICE, (Modification(Operation.REPLACE, name, (b"old-secret",)),))
    assert record_step(change, (undo,)).attributes == (RecordedAttribute(name, hidden="secret"),)


@pytest.mark.parametrize("name", ["dicomVendorData", "DicomVendorData", "1.2.840.10008.15.0.3.6", "dicomVendorData;x"])
def test_vendor_data_is_left_out_under_each_of_its_names(name: str) -> None:
    entry = Entry.from_values(ARCHIVE, {name: b"PK\x03\x04", "dcmProperty": ["a=b", "password=c"]})
    step = record_step(Add(entry), ())
    assert step.attributes == (
        RecordedAttribute(name, hidden="vendor data"),
        RecordedAttribute("dcmProperty", (), ("a=b",), "secret"),
    )


def test_binary_and_long_values_are_recorded_by_their_size() -> None:
    entry = Entry.from_values(ARCHIVE, {"a": b"\xff\x00", "b": b"x" * 5000})
    assert record_step(Add(entry), ()).attributes == (
        RecordedAttribute("a", (), (2,)),
        RecordedAttribute("b", (), (5000,)),
    )
