"""Small sites for tests of the map: the archive of :mod:`tests.trees` with what a test adds."""

from __future__ import annotations

from dcmcfg.entry import Entry
from dcmcfg.model.tree import Tree
from dcmcfg.topology.builder import build_topology
from dcmcfg.topology.graph import Topology
from tests.trees import ARCHIVE, DEVICES, LITTLE_ENDIAN, Values, connection, network_ae, site_entries, tree

QUERY_RETRIEVE = "1.2.840.10008.5.1.4.1.2.2.1"
WORKLIST = "1.2.840.10008.5.1.4.31"


def capability(ae: str, sop_class: str, role: str, name: str) -> Entry:
    return Entry.from_values(
        f"cn={name} {role},{ae}",
        {
            "objectClass": "dicomTransferCapability",
            "cn": f"{name} {role}",
            "dicomSOPClass": sop_class,
            "dicomTransferRole": role,
            "dicomTransferSyntax": LITTLE_ENDIAN,
        },
    )


def peer(title: str, kind: str = "", *, port: str | None = "104", **more: str) -> tuple[Entry, ...]:
    """A device with one AE; without *port*, it only sends."""
    device = f"dicomDeviceName={title.lower()},{DEVICES}"
    values: Values = {"objectClass": "dicomDevice", "dicomDeviceName": title.lower(), "dicomInstalled": "TRUE"}
    if kind:
        values["dicomPrimaryDeviceType"] = kind
    return (
        Entry.from_values(device, values),
        connection(device, port),
        network_ae(device, title, **{"dicomAssociationAcceptor": "TRUE" if port else "FALSE"} | more),
    )


def storage(name: str, **more: str) -> Entry:
    values: Values = {"objectClass": "dcmStorage", "dcmStorageID": name, "dcmURI": f"file:///{name}"}
    return Entry.from_values(f"dcmStorageID={name},{ARCHIVE}", values | dict(more))


def exporter(name: str, uri: str, **more: str) -> Entry:
    values: Values = {
        "objectClass": "dcmExporter",
        "dcmExporterID": name,
        "dcmURI": uri,
        "dcmQueueName": "Export",
        "dicomAETitle": "DCM4CHEE",
    }
    return Entry.from_values(f"dcmExporterID={name},{ARCHIVE}", values | dict(more))


def archive_ae(title: str, **more: str) -> Entry:
    return network_ae(ARCHIVE, title, **more)


def site(*entries: Entry, **device: str) -> Tree:
    """The archive with its storage ``fs1``; AS_RECEIVED offers query/retrieve. *entries* replace those of their DN."""
    retrieve = f"dicomAETitle=AS_RECEIVED,{ARCHIVE}"
    base = (
        *site_entries(**device),
        storage("fs1"),
        Entry.from_values(f"dcmQueueName=Export,{ARCHIVE}", {"objectClass": "dcmQueue", "dcmQueueName": "Export"}),
        capability(retrieve, QUERY_RETRIEVE, "SCP", "Study Root FIND"),
    )
    return tree(*{str(each.dn): each for each in (*base, *entries)}.values())


def build(*entries: Entry, **device: str) -> Topology:
    return build_topology(site(*entries, **device))


def list_edges(topology: Topology, *kinds: str) -> list[tuple[str, str, str]]:
    """Return (source, kind, target) of the edges of *kinds*, all if there are none, by names."""
    names = {node.id: node.name for node in topology.nodes}
    return [
        (names[edge.source], edge.kind.value, names[edge.target])
        for edge in topology.edges
        if not kinds or edge.kind.value in kinds
    ]
