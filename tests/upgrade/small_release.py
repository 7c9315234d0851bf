"""Two small releases on disk, made of the lab's tree, with update files: for tests that need no data of upstream."""

from __future__ import annotations

import zipfile
from pathlib import Path

from dcmcfg.entry import Entry
from dcmcfg.files.release import read_release
from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.trees import UpgradeTree

ARCHIVE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
OLD, NEW = "5.30.0", "5.32.0"
#: What may not come out as it is: markup, Markdown, a sequence for a terminal, a new line.
HOSTILE = "</td><script>alert(1)</script> | `x` **b** [l](http://h/) \x1b[31m @all\n# h"
_NEW_PIN = "new-key-pin"
#: The official records: (file, records).
UPDATES = {
    "5.31.0/update-dev-5.31.0.ldif": f"""\
version: 1

dn: {ARCHIVE}
changetype: modify
replace: dcmKeyStorePin
dcmKeyStorePin: {_NEW_PIN}
-
replace: dicomManufacturerModelName
dicomManufacturerModelName: dcm4chee-arc 5.31

dn: dcmQueueName=New1,{ARCHIVE}
changetype: add
objectClass: dcmQueue
dcmQueueName: New1

dn: dcmQueueName=New2,{ARCHIVE}
changetype: add
objectClass: dcmQueue
dcmQueueName: New2

dn: dcmQueueName=Rejection,{ARCHIVE}
changetype: delete

dn: dcmEntity=Study,{ARCHIVE}
changetype: modify
add: dcmTag
dcmTag: 00401012

dn: dcmEntity=Series,{ARCHIVE}
changetype: modify
add: dcmTag
dcmTag: 00401012
""",
    "5.32.0/update-AS_RECEIVED-5.32.0.ldif": f"""\
dn: dicomAETitle=AS_RECEIVED,{ARCHIVE}
changetype: modify
replace: dcmQueryRetrieveViewID
dcmQueryRetrieveViewID: hideRejected

dn: dcmQueueName=Export,dicomDeviceName=longterm,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org
changetype: modify
replace: dicomDescription
dicomDescription: never there
""",
}


def write_releases(folder: Path) -> tuple[Path, Path]:
    """Write the distributions of both releases as folders; return their paths."""
    old, new = folder / f"dcm4chee-arc-{OLD}", folder / f"dcm4chee-arc-{NEW}"
    before = UpgradeTree.from_entries(load_bundled_schema(), default_entries())
    _write_default(old, before)
    for name, text in UPDATES.items():
        path = new / "ldap" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # The default of the newer release is that of the older one after its update files.
    _write_default(new, before)
    after = before.copy()
    for file in read_release(new).list_updates():
        for record in file.records:
            after.apply(record.change)
    _write_default(new, after)
    return old, new


def default_entries() -> list[Entry]:
    """The entries of the default configuration: the lab's tree."""
    found: list[Entry] = []
    for file in list_site_files():
        with file.open("rb") as source:
            found += [each.entry for each in read_all(source, file.name) if isinstance(each, ContentRecord)]
    return found


def write_tree(path: Path, changed: dict[str, dict[str, str]]) -> Path:
    """Write the default as a site's tree, with other values: DN → attribute → value."""
    entries = []
    for entry in default_entries():
        for name, text in changed.get(str(entry.dn), {}).items():
            entry = entry.with_values(name, [text.encode()])
        entries.append(entry)
    path.write_text("".join(map(format_entry, entries)))
    return path


def pack(folder: Path) -> Path:
    """Return the ZIP file of *folder*, which is its only member at the top."""
    path = folder.with_suffix(f"{folder.suffix}.zip")
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.rglob("*")):
            archive.write(each, each.relative_to(folder.parent).as_posix())
    return path


def _write_default(folder: Path, tree: UpgradeTree) -> None:
    ldap = folder / "ldap"
    ldap.mkdir(parents=True, exist_ok=True)
    entries = [each for _, each in tree.iterate_parents_first()]
    for name, part in (
        ("init-baseDN.ldif", entries[:1]),
        ("init-config.ldif", entries[1:2]),
        ("default-config.ldif", entries[2:]),
    ):
        (ldap / name).write_text("".join(map(format_entry, part)))
