"""Official records for tests, on the archive's device of the small trees."""

from __future__ import annotations

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.upgrade.release import OfficialRecord, UpdateFile, Version
from tests.trees import ARCHIVE


def update_file(version: Version, *changes: Change, component: str = "dev") -> UpdateFile:
    name = f"{'.'.join(map(str, version))}/update-{component}.ldif"
    records = tuple(OfficialRecord(each, f"{name}:{number}") for number, each in enumerate(changes, 1))
    return UpdateFile(version, component, name, records)


def add_queue(name: str, **values: str) -> Add:
    known = {"objectClass": "dcmQueue", "dcmQueueName": name, "dicomDescription": f"Queue {name}"}
    return Add(Entry.from_values(f"dcmQueueName={name},{ARCHIVE}", known | values))


def modify(operation: str, name: str, *values: str, dn: str = ARCHIVE) -> Modify:
    octets = tuple(each.encode() for each in values)
    return Modify(DN.parse(dn), (Modification(Operation(operation), name, octets),))
