"""The lab's tree with a few values changed, and routes through it in few words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.route.path import RetrievePath, Route, RouteMessage
from dcmcfg.route.request import RouteRequest, StudyState
from dcmcfg.route.route import find_route
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import connection, network_ae

PORTS = Ports(ldap=1, http=2, archive=3, external=4, storage=5, archive_tls=7, workstation=6)
DEVICES = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
ARCHIVE = DEVICES.child("dicomDeviceName", "dcm4chee-arc")
DCM4CHEE = ARCHIVE.child("dicomAETitle", "DCM4CHEE")
AS_RECEIVED = ARCHIVE.child("dicomAETitle", "AS_RECEIVED")
LONGTERM_DEVICE = DEVICES.child("dicomDeviceName", "longterm")
LONGTERM = LONGTERM_DEVICE.child("dicomAETitle", "LONGTERM")
STORESCP_DEVICE = DEVICES.child("dicomDeviceName", "storescp")
STORESCP = STORESCP_DEVICE.child("dicomAETitle", "STORESCP")


@cache
def lab() -> Tree:
    return Tree.from_entries(load_bundled_schema(), load_site_entries(PORTS))


def put(name: str, *values: str, on: DN = ARCHIVE) -> Modify:
    return Modify(on, (Modification(Operation.REPLACE, name, tuple(value.encode() for value in values)),))


def without(dn: DN) -> tuple[Change, ...]:
    """Deletes for *dn* and what is below it."""
    below = [entry.dn for entry in lab().entries.values() if entry.dn == dn or entry.dn.is_below(dn)]
    return tuple(Delete(each) for each in sorted(below, key=lambda each: -len(each.rdns)))


def another_archive(title: str, port: str = "7") -> tuple[Change, ...]:
    """A device with an AE without transfer capabilities."""
    device = DEVICES.child("dicomDeviceName", title.lower())
    entry = next(entry for entry in lab().entries.values() if entry.dn == LONGTERM_DEVICE)
    named = entry.with_values("dicomDeviceName", [title.lower().encode()])
    return (
        Add(type(entry)(device, named.attributes)),
        Add(connection(str(device), port)),
        Add(network_ae(str(device), title)),
    )


def capability(ae: DN, sop_class: str, role: str, *syntaxes: str) -> Add:
    values = {
        "objectClass": "dicomTransferCapability",
        "cn": f"{sop_class} {role}",
        "dicomSOPClass": sop_class,
        "dicomTransferRole": role,
        "dicomTransferSyntax": syntaxes,
    }
    return Add(Entry.from_values(f"cn={sop_class} {role},{ae}", values))


def route(
    changes: Iterable[Change] = (),
    *,
    dest: str = "STORESCP",
    state: StudyState | None = None,
    calling: str = "VIEWER",
    ae: str | None = None,
    external: str | None = None,
    sop_classes: Iterable[str] | None = None,
) -> Route:
    configuration = Configuration(lab().with_changes(list(changes)))
    device = configuration.get_device("dcm4chee-arc")
    archive_ae = device.get_network_ae(ae or "DCM4CHEE")
    classes = frozenset(sop_classes) if sop_classes is not None else None
    request = RouteRequest(archive_ae, dest, calling, external, sop_classes=classes)
    return find_route(configuration, request, (state,) if state else tuple(StudyState))


def make_path(
    state: str,
    *changes: Change,
    dest: str = "STORESCP",
    calling: str = "VIEWER",
    external: str | None = None,
    sop_classes: Iterable[str] | None = None,
) -> RetrievePath:
    (found,) = route(
        changes, dest=dest, state=StudyState(state), calling=calling, external=external, sop_classes=sop_classes
    ).paths
    return found


def in_words(step: RouteMessage) -> str:
    to = f", Move Destination {step.move_destination}" if step.move_destination else ""
    called = f" called {step.called_ae_title}" if step.called_ae_title != step.receiver_ae_title else ""
    place = f" at {step.address}" if step.address else ""
    return (
        f"{step.kind} {step.sender_ae_title} > {step.receiver_ae_title}{place} as {step.calling_ae_title}{called}{to}"
    )
