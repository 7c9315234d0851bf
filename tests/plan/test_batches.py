"""Which steps go into one transaction."""

from __future__ import annotations

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.plan.batches import PlanBatches, split_plan
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.trees import ARCHIVE, DEVICES, connection, network_ae, site

WORKSTATION = f"dicomDeviceName=workstation,{DEVICES}"
DEVICE = Entry.from_values(
    WORKSTATION, {"objectClass": "dicomDevice", "dicomDeviceName": "workstation", "dicomInstalled": "TRUE"}
)
WHOLE_DEVICE = (
    Add(DEVICE),
    Add(connection(WORKSTATION, "11117")),
    Add(network_ae(WORKSTATION, "WORKSTATION")),
)
DESCRIBED = Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, "dicomDescription", (b"x",)),))


def split(*changes: Change) -> PlanBatches:
    return split_plan(make_plan(site(), [DesiredChange(change) for change in changes]))


def test_adds_changes_and_renames_go_together() -> None:
    rename = Rename(DN.parse(WORKSTATION), RDN.of("dicomDeviceName", "ws"))
    found = split(*WHOLE_DEVICE, DESCRIBED, rename)
    assert len(found.transaction_steps) == 5
    assert found.single_steps == ()


def test_a_delete_that_leaves_siblings_goes_together() -> None:
    found = split(Delete(DN.parse(f"dicomAETitle=AS_RECEIVED,{ARCHIVE}")))
    assert len(found.transaction_steps) == 1


def test_the_undo_of_a_whole_device_deletes_leaf_first_one_by_one() -> None:
    undo = make_plan(site(), [DesiredChange(change) for change in WHOLE_DEVICE]).undo()
    found = split_plan(undo)
    assert found.transaction_steps == ()
    assert [str(step.change.dn).partition(",")[0] for step in found.single_steps] == [
        "dicomAETitle=WORKSTATION",
        "cn=dicom",
        "dicomDeviceName=workstation",
    ]


def test_other_changes_come_before_the_deletes() -> None:
    storage = DN.parse(f"cn=CT Image Storage SCP,dicomAETitle=DCM4CHEE,{ARCHIVE}")
    found = split(Delete(storage), DESCRIBED)
    assert [type(step.change) for step in found.transaction_steps] == [Modify]
    assert [type(step.change) for step in found.single_steps] == [Delete]


def test_a_step_that_builds_on_a_delete_puts_everything_one_by_one() -> None:
    storage = DN.parse(f"cn=CT Image Storage SCP,dicomAETitle=DCM4CHEE,{ARCHIVE}")
    again = Entry.from_values(storage, {"objectClass": "dicomTransferCapability", "cn": "CT Image Storage SCP"})
    assert split(Delete(storage), Add(again)).transaction_steps == ()
    above = Rename(DN.parse(ARCHIVE), RDN.of("dicomDeviceName", "pacs"))
    assert split(Delete(storage), above).transaction_steps == ()


def test_a_new_superior_never_goes_into_a_transaction() -> None:
    moved = Rename(DN.parse(f"cn=dicom,{ARCHIVE}"), RDN.of("cn", "dicom2"), new_superior=DN.parse(DEVICES))
    assert split(DESCRIBED, moved).transaction_steps == ()
