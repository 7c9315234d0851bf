"""Requests in our own octets do at slapd what ldapmodify does with the same changes as LDIF."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.ldap import connect
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.writer import format_change
from tests.connecting import server_of
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database

pytestmark = pytest.mark.real

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
DEVICE = DEVICES.child("dicomDeviceName", 'a, "b" + #ü')
CONNECTION = DEVICE.child("cn", "dicom")


def modify(dn: DN, operation: Operation, name: str, *values: bytes) -> Modify:
    return Modify(dn, (Modification(operation, name, values),))


def device(dn: DN, **more: str | tuple[str, ...]) -> Add:
    return Add(Entry.from_values(dn, {"objectClass": ("dicomDevice", "dcmDevice"), "dicomInstalled": "TRUE", **more}))


SECOND = DEVICES.child("dicomDeviceName", "second")
CHANGES: tuple[Change, ...] = (
    device(DEVICE, dicomSoftwareVersion=("1", "2", "3")),
    Add(Entry.from_values(CONNECTION, {"objectClass": "dicomNetworkConnection", "dicomHostname": "x" * 200})),
    modify(DEVICE, Operation.ADD, "dicomVendorData", bytes(range(256)) * 300),
    modify(DEVICE, Operation.DELETE, "dicomSoftwareVersion", b"2"),
    Modify(
        DEVICE,
        (
            Modification(Operation.DELETE, "dicomSoftwareVersion"),
            Modification(Operation.ADD, "dicomSoftwareVersion", ("grün".encode(), b" x", b"y " * 50)),
            Modification(Operation.REPLACE, "dicomDescription", (b"d",)),
        ),
    ),
    modify(CONNECTION, Operation.REPLACE, "dicomPort", b"104"),
    modify(CONNECTION, Operation.INCREMENT, "dicomPort", b"7"),
    modify(DEVICE, Operation.REPLACE, "dicomDescription"),
    Rename(CONNECTION, RDN.of("cn", "other, one"), delete_old_rdn=False),
    device(SECOND),
    Rename(DEVICE.child("cn", "other, one"), RDN.of("cn", "moved"), new_superior=SECOND),
    Rename(DEVICE, RDN.of("dicomDeviceName", "plain")),
    Delete(DEVICES.child("dicomDeviceName", "plain")),
)


@pytest.mark.parametrize("count", [9, 11, len(CHANGES)])
def test_the_tree_is_the_same(slapd: RunningSlapd, tmp_path: Path, site_database: Path, count: int) -> None:
    other = Slapd(tmp_path / "other", port=free_port(), root_password=PASSWORD)
    other.prepare()
    copy_database(site_database, other)
    file = tmp_path / "changes.ldif"
    file.write_text("".join(map(format_change, CHANGES[:count])), "utf-8")
    with other, connect(server_of(slapd)) as directory:
        theirs = RunningSlapd(other)
        done = theirs.run_client("ldapmodify", "-f", str(file))
        for change in CHANGES[:count]:
            directory.apply(change)
        assert (done.returncode, done.stderr) == (0, "")
        assert slapd.entries() == theirs.entries()
