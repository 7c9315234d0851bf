"""The JSON of a device, which the archive reads from its directory for each request.

Simulates ConfigurationRS with JsonConfiguration and JsonArchiveConfiguration: attributes of auxiliary classes are in
objects of their own, entries are in lists, and references to connections are JSON pointers. As in the archive's source,
attributes that it does not load are missing, ``dcmDeleterThresholdBlocksFilePath`` is missing, and
``dcmCoercionOnFailure`` has the key ``dcmCoercionSufficient``. The archive omits most default values; the simulation
omits only FALSE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema.archive_values import is_loaded_by_archive
from dcmcfg.schema.definitions import Schema, load_bundled_schema

JsonObject = dict[str, Any]
#: Object class → the classes whose attributes are in its object, each in the object of the class before.
_EXTENSIONS = {
    "dicomDevice": ("dcmDevice", "dcmArchiveDevice"),
    "dicomNetworkAE": ("dcmNetworkAE", "dcmArchiveNetworkAE"),
    "dicomNetworkConnection": ("dcmNetworkConnection",),
    "dicomTransferCapability": ("dcmTransferCapability",),
    "hl7Application": ("dcmArchiveHL7Application",),
}
#: Classes whose lists are in the object of the device itself, and those in its first extension; others are in the last.
_LISTS_OF_DEVICE = ("dicomNetworkConnection", "dicomNetworkAE")
_LISTS_OF_EXTENSION = (
    "dcmWebApp",
    "dcmImageReader",
    "dcmImageWriter",
    "dcmAuditLogger",
    "dcmKeycloakClient",
    "dcmuiConfig",
    "hl7Application",
)
#: Entries that only group other entries.
_GROUPS = ("dcmImageReaderFactory", "dcmImageWriterFactory")
_NAMES_OF_REFERENCES = {
    "dcmAuditRecordRepositoryDeviceReference": "dcmAuditRecordRepositoryDeviceName",
    "hl7OrderScheduledStationDeviceReference": "hl7OrderScheduledStationDeviceName",
    "dcmSupplementFromDeviceReference": "dcmSupplementFromDeviceReference",
}
_OTHER_KEYS = {"dcmCoercionOnFailure": "dcmCoercionSufficient"}
_NEVER_SHOWN = ("objectClass", "dcmDeleterThresholdBlocksFilePath")
_ALWAYS_SHOWN = ("dicomInstalled", "dicomAssociationInitiator", "dicomAssociationAcceptor")
_BINARY = ("Binary", "Certificate")


def build_device_json(entries: Sequence[Entry]) -> str:
    """Return the JSON of the device with the subtree *entries*, its own entry first."""
    return json.dumps(_Builder(entries).build(entries[0]), separators=(",", ":"))


class _Builder:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self._schema: Schema = load_bundled_schema()
        self._children: dict[NormalDN, list[Entry]] = {}
        for entry in entries[1:]:
            self._children.setdefault(self._key(entry.dn.parent), []).append(entry)
        self._connection_keys = [
            self._make_reference_key(str(each.dn))
            for each in self._list_children(entries[0])
            if each.is_a("dicomNetworkConnection")
        ]

    def build(self, entry: Entry) -> JsonObject:
        """Return the object of *entry* with the objects of all entries below it."""
        found: JsonObject = {}
        if entry.is_a("dicomDevice"):
            found["dicomVendorData"] = "dicomVendorData" in entry
        levels = [found]
        possible = next((names for name, names in _EXTENSIONS.items() if entry.is_a(name)), ())
        extensions = tuple(filter(entry.is_a, possible))
        for name in extensions:
            levels[-1][name] = {}
            levels.append(levels[-1][name])
        for attribute in entry.attributes:
            self._add_attribute(levels, extensions, attribute.name, entry)
        for child in self._list_shown_children(entry):
            name = self._get_structural_class(child)
            levels[self._find_level(entry, name, len(levels))].setdefault(name, []).append(self.build(child))
        return found

    def _add_attribute(self, levels: Sequence[JsonObject], extensions: Sequence[str], name: str, entry: Entry) -> None:
        known = self._schema.attribute(name)
        values = entry.texts(name)
        # The name of an entry is a single value, also if the schema allows several.
        naming = [kind for kind, _ in entry.dn.rdn.parts]
        if known is None or known.syntax in _BINARY or name in _NEVER_SHOWN or not is_loaded_by_archive(known.name):
            return
        if values == ("FALSE",) and name not in _ALWAYS_SHOWN:
            return
        level = next((number for number, each in enumerate(extensions, 1) if self._allows(each, name)), 0)
        if name == "dicomNetworkConnectionReference":
            shown: list[Any] = [f"/dicomNetworkConnection/{self._find_connection(value)}" for value in values]
        elif name in _NAMES_OF_REFERENCES:
            shown = [value.partition("=")[2].partition(",")[0] for value in values]
        else:
            shown = [_convert(known.syntax, value) for value in values]
        key = _NAMES_OF_REFERENCES.get(name, _OTHER_KEYS.get(name, name))
        levels[level][key] = shown[0] if known.single_valued or name in naming else shown

    def _find_connection(self, reference: str) -> int:
        key = self._make_reference_key(reference)
        return self._connection_keys.index(key) if key in self._connection_keys else -1

    def _make_reference_key(self, dn: str) -> bytes:
        return self._schema.normalise_value("dicomNetworkConnectionReference", dn.encode())

    def _allows(self, object_class: str, attribute: str) -> bool:
        known = self._schema.object_class(object_class)
        return known is not None and attribute in (*known.must, *known.may)

    def _list_shown_children(self, entry: Entry) -> Iterator[Entry]:
        for child in self._list_children(entry):
            if any(child.is_a(group) for group in _GROUPS):
                yield from self._list_children(child)
            else:
                yield child

    def _list_children(self, entry: Entry) -> Sequence[Entry]:
        return self._children.get(self._key(entry.dn), [])

    def _key(self, dn: DN) -> NormalDN:
        return self._schema.normalise_dn(dn)

    def _get_structural_class(self, entry: Entry) -> str:
        names = [known for name in entry.texts("objectClass") if (known := self._schema.object_class(name))]
        return next((each.name for each in names if each.kind == "structural"), names[0].name if names else "")

    def _find_level(self, entry: Entry, object_class: str, level_count: int) -> int:
        if not entry.is_a("dicomDevice"):
            return level_count - 1 if entry.is_a("dicomNetworkAE") and object_class != "dicomTransferCapability" else 0
        if object_class in _LISTS_OF_DEVICE:
            return 0
        return min(1, level_count - 1) if object_class in _LISTS_OF_EXTENSION else level_count - 1


def _convert(syntax: str, value: str) -> bool | int | str:
    match syntax:
        case "Boolean":
            return value == "TRUE"
        case "Integer" if value.isdecimal():
            return int(value)
        case _:
            return value
