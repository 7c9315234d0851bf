"""The intent to create a device."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add
from dcmcfg.edits.devices import create_device
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.lint.breaking import BASE, DEVICES, ROOT, valid_tree
from tests.trees import tree


def test_a_device_is_created_and_created_again_counts_as_done() -> None:
    (change,) = create_device(Configuration(valid_tree()), "ct-1", description="CT, room 3", types=("CT", "OT")).changes
    assert isinstance(change, Add)
    assert change.entry == Entry.from_values(
        f"dicomDeviceName=ct-1,{DEVICES}",
        {
            "objectClass": ("dicomDevice", "dcmDevice"),
            "dicomDeviceName": "ct-1",
            "dicomDescription": "CT, room 3",
            "dicomPrimaryDeviceType": ("CT", "OT"),
            "dicomInstalled": "TRUE",
        },
    )
    with_device = valid_tree().with_changes([change])
    again = create_device(Configuration(with_device), "CT-1", description=None, types=("CT",))
    assert make_plan(with_device, [DesiredChange(each) for each in again.changes]).steps == ()
    with pytest.raises(Refused, match="the device ct-1 already exists with other settings"):
        create_device(Configuration(with_device), "ct-1", description="MR", types=())


def test_the_container_is_made_where_it_is_missing() -> None:
    bare = tree(
        Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"}),
        Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"}),
    )
    made = create_device(Configuration(bare), "a", description=None, types=())
    assert [str(change.dn) for change in made.changes] == [DEVICES, f"dicomDeviceName=a,{DEVICES}"]


@pytest.mark.parametrize("name", ["", " a", "a,b", 'a"b', "a\nb", "#a", "a<b"])
def test_names_that_the_archive_cannot_handle_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        create_device(Configuration(valid_tree()), name, description=None, types=())
