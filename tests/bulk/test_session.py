"""What of the tree decides how a C-MOVE goes."""

from __future__ import annotations

import pytest

from dcmcfg.bulk.session import compute_configuration_checksum
from dcmcfg.changes import Change, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.verify.addresses import find_addresses
from dcmcfg.verify.evidence import VerificationRequest

DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
ARCHIVE = DEVICES.child("dicomDeviceName", "dcm4chee-arc")
AE = ARCHIVE.child("dicomAETitle", "DCM4CHEE")
PORTS = Ports(ldap=1, http=2, archive=3, external=4, storage=5, archive_tls=6, workstation=7)


@pytest.fixture(scope="module")
def lab() -> Tree:
    return Tree.from_entries(load_bundled_schema(), load_site_entries(PORTS)).with_changes(
        [put(AE, "dcmAcceptedMoveDestination", "STORESCP")]
    )


def put(dn: DN, name: str, *values: str) -> Modify:
    return Modify(dn, (Modification(Operation.REPLACE, name, tuple(value.encode() for value in values)),))


def checksum(tree: Tree, *changes: Change) -> str:
    configuration = Configuration(tree.with_changes(changes))
    addresses = find_addresses(configuration, "dcm4chee-arc", "STORESCP")
    return compute_configuration_checksum(
        configuration, "DCM4CHEE-ARC", addresses, VerificationRequest("", addresses.archive, "STORESCP", "DCMCFG")
    )


@pytest.mark.parametrize(
    "change",
    [
        put(AE, "dcmAcceptedMoveDestination", "WORKSTATION"),
        put(ARCHIVE, "dicomDescription", "new"),
        put(DEVICES.child("dicomDeviceName", "storescp").child("cn", "dicom"), "dicomPort", "104"),
        put(DEVICES.child("dicomDeviceName", "longterm"), "dicomInstalled", "FALSE"),
    ],
)
def test_what_the_archive_the_destination_and_the_external_archive_have_decides(lab: Tree, change: Change) -> None:
    assert checksum(lab, change) != checksum(lab)


@pytest.mark.parametrize(
    "change",
    [
        put(DEVICES.child("dicomDeviceName", "workstation"), "dicomDescription", "another room"),
        put(AE, "dcmAcceptedMoveDestination", "DCMCFG_0123456AB", "STORESCP"),
    ],
)
def test_another_device_and_a_temporary_destination_do_not(lab: Tree, change: Change) -> None:
    assert checksum(lab, change) == checksum(lab)
