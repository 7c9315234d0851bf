"""Small trees for tests that need no server."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema

BASE = "dc=dcm4che,dc=org"
DEVICES = f"cn=Devices,cn=DICOM Configuration,{BASE}"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
CT = "1.2.840.10008.5.1.4.1.1.2"
LITTLE_ENDIAN = "1.2.840.10008.1.2"

Values = dict[str, Iterable[str | bytes] | str | bytes]


def connection(device: str, port: str | None = "11112", *, name: str = "dicom", **more: str) -> Entry:
    values: Values = {"objectClass": "dicomNetworkConnection", "cn": name, "dicomHostname": "localhost"}
    if port:
        values["dicomPort"] = port
    return Entry.from_values(f"cn={name},{device}", values | dict(more))


def network_ae(device: str, title: str, *, references: Iterable[str] = ("dicom",), **more: str) -> Entry:
    values: Values = {
        "objectClass": ("dicomNetworkAE", "dcmNetworkAE", "dcmArchiveNetworkAE"),
        "dicomAETitle": title,
        "dicomNetworkConnectionReference": [f"cn={name},{device}" for name in references],
        "dicomAssociationInitiator": "TRUE",
        "dicomAssociationAcceptor": "TRUE",
    }
    return Entry.from_values(f"dicomAETitle={title},{device}", values | dict(more))


def storage_scp(device: str, title: str) -> Entry:
    return Entry.from_values(
        f"cn=CT Image Storage SCP,dicomAETitle={title},{device}",
        {
            "objectClass": "dicomTransferCapability",
            "cn": "CT Image Storage SCP",
            "dicomSOPClass": CT,
            "dicomTransferRole": "SCP",
            "dicomTransferSyntax": LITTLE_ENDIAN,
        },
    )


def site_entries(**device: str) -> tuple[Entry, ...]:
    """An archive with a storage SCP and a query/retrieve AE, and a storage SCP of another device."""
    archive: Values = {
        "objectClass": ("dicomDevice", "dcmDevice", "dcmArchiveDevice"),
        "dicomDeviceName": "dcm4chee-arc",
        "dicomInstalled": "TRUE",
        "dcmFuzzyAlgorithmClass": "org.dcm4che3.soundex.ESoundex",
    }
    storescp: Values = {"objectClass": "dicomDevice", "dicomDeviceName": "storescp", "dicomInstalled": "TRUE"}
    return (
        Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"}),
        Entry.from_values(
            f"cn=DICOM Configuration,{BASE}",
            {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"},
        ),
        Entry.from_values(DEVICES, {"objectClass": "dicomDevicesRoot", "cn": "Devices"}),
        Entry.from_values(ARCHIVE, archive | dict(device)),
        connection(ARCHIVE),
        network_ae(ARCHIVE, "DCM4CHEE", dcmObjectStorageID="fs1"),
        storage_scp(ARCHIVE, "DCM4CHEE"),
        network_ae(ARCHIVE, "AS_RECEIVED"),
        Entry.from_values(STORESCP, storescp),
        connection(STORESCP, "11115"),
        network_ae(STORESCP, "STORESCP"),
        storage_scp(STORESCP, "STORESCP"),
    )


def tree(*entries: Entry) -> Tree:
    return Tree.from_entries(load_bundled_schema(), entries)


def site(**device: str) -> Tree:
    return tree(*site_entries(**device))


def octets(source: Tree) -> dict[str, dict[str, frozenset[bytes]]]:
    """What *source* holds, spelling included; attributes and their values have no order."""
    return {str(each.dn): {a.name: frozenset(a.values) for a in each.attributes} for each in source.sorted_entries()}
