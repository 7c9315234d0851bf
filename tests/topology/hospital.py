"""A hospital with 300 AEs around the lab's archive: modalities, workstations, archives, lists and destinations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from dcmcfg.entry import Entry
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.model.tree import Tree
from tests.trees import ARCHIVE, BASE, DEVICES, connection, network_ae, tree

#: Type of device → number of modalities.
MODALITIES = {
    "CR": 31,
    "CT": 24,
    "DX": 36,
    "ES": 9,
    "MG": 14,
    "MR": 18,
    "NM": 7,
    "PT": 5,
    "US": 48,
    "XA": 12,
}
WORKSTATIONS, ARCHIVES, UNTYPED = 64, ("VNA", "OLDPACS", "TELERAD", "CLOUD"), 24
#: All AEs outside the archive, together with the lab's LONGTERM, STORESCP and WORKSTATION.
COUNT = sum(MODALITIES.values()) + WORKSTATIONS + len(ARCHIVES) + UNTYPED + 3
_PORTS = Ports(ldap=389, http=8080, archive=11112, external=11119, storage=11115, archive_tls=2762, workstation=11117)


@cache
def build_hospital(scale: int = 1) -> Tree:
    """Return the tree; with *scale*, that many times the modalities and workstations."""
    entries = {str(entry.dn): entry for entry in load_site_entries(_PORTS)}
    archive = entries[ARCHIVE]
    for name, value in (
        ("dcmFallbackCMoveSCP", "OLDPACS"),
        ("dcmFwdMppsDestination", "RIS_MPPS"),
        ("dcmExternalRetrieveAEDestination", "DCM4CHEE"),
    ):
        archive = archive.with_values(name, [value.encode()])
    entries[ARCHIVE] = archive
    worklist = f"dicomAETitle=WORKLIST,{ARCHIVE}"
    callers = [name for name, _ in _list_modalities(scale)][::2]
    entries[worklist] = entries[worklist].with_values(
        "dcmAcceptedCallingAETitle", [each.encode() for each in (*callers, "RIS")]
    )
    return tree(*entries.values(), *_build_peers(scale), *_build_exporters())


def _list_modalities(scale: int) -> Iterator[tuple[str, str]]:
    for kind, count in MODALITIES.items():
        for number in range(1, count * scale + 1):
            yield f"{kind}_ROOM{number:03}", kind


def _build_peers(scale: int) -> Iterator[Entry]:
    for title, kind in _list_modalities(scale):
        yield from _build_device(title, kind, port=None)
    for number in range(1, UNTYPED * scale + 1):
        yield from _build_device(f"GATEWAY{number:02}", "", port=None)
    for number in range(1, WORKSTATIONS * scale + 1):
        yield from _build_device(f"READING{number:03}", "WSD", port="11112")
    for title in ARCHIVES:
        yield from _build_device(title, "ARCHIVE", port="104")


def _build_device(title: str, kind: str, *, port: str | None) -> Iterator[Entry]:
    device = f"dicomDeviceName={title.lower()},{DEVICES}"
    values = {
        "objectClass": "dicomDevice",
        "dicomDeviceName": title.lower(),
        "dicomInstalled": "TRUE",
        "dicomDescription": f"{kind or 'Other'} device of {title}",
        **({"dicomPrimaryDeviceType": kind} if kind else {}),
    }
    yield Entry.from_values(device, values)
    yield connection(device, port, dicomHostname=f"{title.lower().replace('_', '-')}.example.org")
    yield network_ae(device, title, dicomAssociationAcceptor="TRUE" if port else "FALSE")
    registry = f"cn=Unique AE Titles Registry,cn=DICOM Configuration,{BASE}"
    yield Entry.from_values(
        f"dicomAETitle={title},{registry}", {"objectClass": "dicomUniqueAETitle", "dicomAETitle": title}
    )


def _build_exporters() -> Iterator[Entry]:
    for title in ("VNA", "TELERAD", "CLOUD"):
        yield Entry.from_values(
            f"dcmExporterID={title},{ARCHIVE}",
            {
                "objectClass": "dcmExporter",
                "dcmExporterID": title,
                "dcmURI": f"dicom:{title}",
                "dcmQueueName": "Export",
                "dicomAETitle": "DCM4CHEE",
                **({"dcmStgCmtSCP": "VNA"} if title == "VNA" else {}),
            },
        )
        yield Entry.from_values(
            f"cn=Send to {title},{ARCHIVE}",
            {
                "objectClass": "dcmExportRule",
                "cn": f"Send to {title}",
                "dcmEntity": "Study",
                "dcmDuration": "PT1M",
                "dcmExporterID": title,
            },
        )
