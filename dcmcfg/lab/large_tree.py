"""Generate a configuration with many different devices, for measurements.

Names, descriptions, hosts, ports, serial numbers, references and the transfer syntaxes of capabilities vary. One device
in ten has non-ASCII text, a PIN and the URL of a key store, like real devices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.site import Site
from dcmcfg.ldif.writer import format_entry
from dcmcfg.well_known_uids import IMPLICIT_VR_LITTLE_ENDIAN

_CAPABILITIES = 16
#: Number of entries of one device: device, two connections, an AE, and the AE's capabilities.
DEVICE_ENTRIES = 4 + _CAPABILITIES
#: Number of entries above the devices: suffix, configuration root and devices' container.
HEAD_ENTRIES = 3

_STORAGE = "1.2.840.10008.5.1.4.1.1"
_SYNTAXES = tuple(
    f"{IMPLICIT_VR_LITTLE_ENDIAN}{end}" for end in ("", ".1", ".2", *(f".4.{n}" for n in range(50, 81)), ".5")
)
_MANUFACTURERS = ("Northern Imaging", "Röntgen & Söhne", "Acme Medical", "Blue Scanner Works", "Delta PACS")


def generate_large_tree(count: int) -> Iterator[Entry]:
    """Return *count* entries, parents before children; the last device may be incomplete.

    The entries conform to dcmcfg's bundled schema and can be loaded into an empty server; the first is the suffix.
    """
    return islice(_generate_entries(), count)


def generate_large_ldif(count: int) -> bytes:
    """Return the LDIF of :func:`generate_large_tree` without a version line, for slapadd."""
    return "".join(map(format_entry, generate_large_tree(count))).encode()


def _generate_entries() -> Iterator[Entry]:
    base = DN.parse(Site.base_dn)
    root = base.child("cn", "DICOM Configuration")
    devices = root.child("cn", "Devices")
    yield Entry.from_values(base, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"})
    yield Entry.from_values(root, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"})
    yield Entry.from_values(devices, {"objectClass": "dicomDevicesRoot", "cn": "Devices"})
    number = 0
    while True:
        yield from _generate_device(number, devices)
        number += 1


def _generate_device(number: int, devices: DN) -> Iterator[Entry]:
    name = f"modality-{number:06}"
    dn = devices.child("dicomDeviceName", name)
    values: dict[str, Iterable[str] | str] = {
        "objectClass": ("dicomDevice", "dcmDevice"),
        "dicomDeviceName": name,
        "dicomDescription": f"Room {number % 97}, building {number // 97}, unit {number * 7919 % 100003}",
        "dicomManufacturer": f"{_MANUFACTURERS[number % 4 + 1]} {number}",
        "dicomManufacturerModelName": f"Model {number * 31 % 9973}",
        "dicomDeviceSerialNumber": f"SN{number * 104729 % 10000019:08}",
        "dicomStationName": f"ST{number:06}",
        "dicomInstalled": "TRUE",
    }
    if number % 10 == 3:
        values["dicomManufacturer"] = f"{_MANUFACTURERS[1]} {number}"
        values["dcmKeyStorePin"] = f"pin-of-{number}"
        values["dcmKeyStoreURL"] = f"file:///etc/keys/{name}.p12"
    yield Entry.from_values(dn, values)
    for label, port in (("dicom", 11112), ("dicom-tls", 2762)):
        yield Entry.from_values(
            dn.child("cn", label),
            {
                "objectClass": "dicomNetworkConnection",
                "cn": label,
                "dicomHostname": f"host{number}.radiology{number % 13}.example.org",
                "dicomPort": str(port + number % 5000),
                **({"dicomTLSCipherSuite": "TLS_RSA_WITH_AES_128_CBC_SHA"} if label != "dicom" else {}),
            },
        )
    yield from _generate_network_ae(number, dn)


def _generate_network_ae(number: int, device: DN) -> Iterator[Entry]:
    title = f"AE{number:06}"
    dn = device.child("dicomAETitle", title)
    yield Entry.from_values(
        dn,
        {
            "objectClass": ("dicomNetworkAE", "dcmNetworkAE"),
            "dicomAETitle": title,
            "dicomDescription": f"Application entity of unit {number}",
            "dicomNetworkConnectionReference": [f"cn=dicom,{device}", f"cn=dicom-tls,{device}"],
            "dicomAssociationInitiator": "TRUE",
            "dicomAssociationAcceptor": "FALSE" if number % 3 else "TRUE",
        },
    )
    for index in range(_CAPABILITIES):
        yield _make_capability(number, index, dn)


def _make_capability(number: int, index: int, ae: DN) -> Entry:
    name = f"Storage {index} of {number} {'SCP' if index % 2 else 'SCU'}"
    first = number * 7 + index * 3
    syntaxes = {_SYNTAXES[(first + step * (1 + number % 11)) % len(_SYNTAXES)] for step in range(1 + index % 6)}
    return Entry.from_values(
        ae.child("cn", name),
        {
            "objectClass": "dicomTransferCapability",
            "cn": name,
            "dicomSOPClass": f"{_STORAGE}.{1 + (number + index) % 130}",
            "dicomTransferRole": "SCP" if index % 2 else "SCU",
            "dicomTransferSyntax": sorted(syntaxes),
        },
    )
