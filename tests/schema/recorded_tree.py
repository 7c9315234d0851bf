"""The configuration that the recordings were made with: the default one, with an exporter and its rule."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.check import LocatedEntry, check_entries
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.findings import EntryFinding
from dcmcfg.schema.structure import add_superiors

_RELEASE = "5.33.1"
_FILES = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif")
DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,{DEVICES}"
_ADDED = (
    Entry.from_values(
        f"dcmExporterID=LONGTERM,{ARCHIVE}",
        {
            "objectClass": "dcmExporter",
            "dcmExporterID": "LONGTERM",
            "dcmURI": "dicom:LONGTERM",
            "dcmQueueName": "Export1",
            "dcmStgCmtSCP": "LONGTERM",
        },
    ),
    Entry.from_values(
        f"cn=To LONGTERM,{ARCHIVE}",
        {
            "objectClass": "dcmExportRule",
            "cn": "To LONGTERM",
            "dcmEntity": "Series",
            "dcmExporterID": "LONGTERM",
            "dcmDuration": "PT3S",
            "dcmProperty": "SendingApplicationEntityTitle!=LONGTERM",
        },
    ),
)


@dataclass(frozen=True)
class RecordedTree:
    """The entries by DN as it is compared."""

    entries: dict[object, Entry]

    def entry(self, below_devices: str) -> Entry:
        """Return the entry whose DN below ``cn=Devices`` is *below_devices*; raises KeyError if there is none."""
        return self.entries[load_bundled_schema().normalise_dn(DN.parse(f"{below_devices},{DEVICES}"))]

    def findings(self, *changed: Entry, gone: str = "") -> tuple[EntryFinding, ...]:
        """Return what ``check_entries`` finds in the whole tree with *changed* entries, without the entry *gone*."""
        schema = load_bundled_schema()
        entries = self.entries | {schema.normalise_dn(each.dn): each for each in changed}
        if gone:
            del entries[schema.normalise_dn(DN.parse(f"{gone},{DEVICES}"))]
        return tuple(check_entries(map(LocatedEntry, entries.values()), schema, live=True))

    def findings_with(self, below_devices: str, attribute: str, value: bytes) -> tuple[EntryFinding, ...]:
        """Return what ``check_entries`` finds where *attribute* of an entry is set to *value*.

        Checked is the entry with those above it, the archive's device and connections, each with what its classes
        require and what says whether a connection listens: thousands of values are tried.
        """
        schema = load_bundled_schema()
        whole = self.entry(below_devices)
        changed = _short(whole, attribute).with_values(attribute, (value,))
        entries = self._device_and_connections | self._above(changed.dn) | {schema.normalise_dn(changed.dn): changed}
        return tuple(check_entries(map(LocatedEntry, entries.values()), schema, live=False))

    def _above(self, dn: DN) -> dict[object, Entry]:
        """Return the entries between the archive's device and *dn*."""
        archive = DN.parse(ARCHIVE)
        found: dict[object, Entry] = {}
        while (dn := dn.parent).is_below(archive):
            name = load_bundled_schema().normalise_dn(dn)
            found[name] = _short(self.entries[name])
        return found

    @cached_property
    def _device_and_connections(self) -> dict[object, Entry]:
        archive = DN.parse(ARCHIVE)
        return {
            name: _short(entry)
            for name, entry in self.entries.items()
            if entry.dn == archive or (entry.is_a("dicomNetworkConnection") and entry.dn.is_below(archive))
        }


_OF_LISTENING = ("dicomPort", "dicomInstalled", "dicomTLSCipherSuite", "dcmProtocol", "dcmBindAddress")


def _short(entry: Entry, *attributes: str) -> Entry:
    schema = load_bundled_schema()
    classes = filter(None, map(schema.object_class, entry.texts("objectClass")))
    required = {name.lower() for each in add_superiors(schema, classes) for name in each.must}
    kept_names = required | {name.lower() for name in ("objectClass", *attributes, *_OF_LISTENING)}
    return Entry(entry.dn, tuple(each for each in entry.attributes if each.name.lower() in kept_names))


@cache
def _read(folder: Path) -> RecordedTree:
    entries = []
    for name in _FILES:
        with (folder / name).open("rb") as source:
            records = read_all(source, name)
        entries += [each.entry for each in records if isinstance(each, ContentRecord)]
    return RecordedTree({load_bundled_schema().normalise_dn(each.dn): each for each in (*entries, *_ADDED)})


def recorded_tree() -> RecordedTree:
    """Return the tree; skips the test where ``DCMCFG_UPSTREAM`` is unset."""
    upstream = os.environ.get("DCMCFG_UPSTREAM")
    if not upstream:
        pytest.skip("DCMCFG_UPSTREAM is not set: there is no default configuration to set recorded values in")
    return _read(Path(upstream) / _RELEASE)
