"""Transactions of many members on a real slapd, most of them sent before the last was answered."""

from __future__ import annotations

import pytest

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, NotFound

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")


def device(number: int) -> list[Change]:
    """A device, its connection, and a description for each."""
    dn = DEVICES.child("dicomDeviceName", f"device{number}")
    below = dn.child("cn", "dicom")
    return [
        Add(
            Entry.from_values(
                dn, {"objectClass": "dicomDevice", "dicomDeviceName": f"device{number}", "dicomInstalled": "TRUE"}
            )
        ),
        Add(
            Entry.from_values(
                below, {"objectClass": "dicomNetworkConnection", "cn": "dicom", "dicomHostname": "localhost"}
            )
        ),
        Modify(dn, (Modification(Operation.ADD, "dicomDescription", (b"first",)),)),
        Modify(dn, (Modification(Operation.REPLACE, "dicomDescription", (b"last",)),)),
    ]


def devices(count: int) -> list[Change]:
    return [change for number in range(count) for change in device(number)]


def test_two_thousand_members_are_made_as_if_in_order(directory: LdapDirectory) -> None:
    directory.apply_in_transaction(devices(500))
    tree = read_tree(directory)
    made = [tree.get(DEVICES.child("dicomDeviceName", f"device{number}")) for number in range(500)]
    assert all(entry is not None and entry.values("dicomDescription") == (b"last",) for entry in made)
    assert all(len(tree.children(entry.dn)) == 1 for entry in made if entry is not None)


def test_member_1700_of_2000_that_fails_leaves_nothing_changed_and_is_named(directory: LdapDirectory) -> None:
    before = read_tree(directory).entries
    changes = devices(500)
    missing = DEVICES.child("dicomDeviceName", "nowhere")
    changes[1699] = Modify(missing, (Modification(Operation.ADD, "dicomDescription", (b"x",)),))
    with pytest.raises(NotFound, match="dicomDeviceName=nowhere"):
        directory.apply_in_transaction(changes)
    assert read_tree(directory).entries == before
    directory.apply_in_transaction(device(0))  # the connection is as good as before


def test_a_member_refused_before_the_commit_ends_the_transaction_with_nothing_changed(directory: LdapDirectory) -> None:
    before = read_tree(directory).entries
    changes = devices(300)
    changes[900] = Modify(DN.parse("cn=x,o=another suffix"), (Modification(Operation.ADD, "cn", (b"x",)),))
    with pytest.raises(DirectoryError, match="another suffix"):
        directory.apply_in_transaction(changes)
    assert read_tree(directory).entries == before
    directory.apply_in_transaction(device(0))
