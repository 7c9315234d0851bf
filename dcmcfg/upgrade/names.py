"""Give the entries and changes of a default configuration the names that a site uses for the same parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import DICOM_AE_TITLE, DICOM_DEVICE_NAME, WEB_APP_NAME

#: Ends the name of a part that the site has removed, if the site uses the name for another part: a character that no
#: real name has (private use area of Unicode).
_REMOVED_MARK = "\ue000"


def mark_removed(name: str) -> str:
    """Return a name that no part of a site has, for the part *name* of the default that the site has removed."""
    return name + _REMOVED_MARK


def is_marked_removed(value: bytes) -> bool:
    """Return whether *value* contains a name of :func:`mark_removed`."""
    return _REMOVED_MARK.encode() in value


@dataclass(frozen=True)
class NameMapping:
    """The names of the default configuration → the names at the site, for the parts whose names differ.

    ``old_base`` is the suffix of the default, ``new_base`` that of the site.
    """

    schema: Schema
    old_base: DN
    new_base: DN
    _: KW_ONLY
    devices: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    web_apps: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def is_identity(self) -> bool:
        """Whether all names are the same."""
        return self.old_base == self.new_base and not (self.devices or self.titles or self.web_apps)

    def inverse(self) -> NameMapping:
        """Return the mapping from the names at the site to those of the default."""
        return replace(
            self,
            old_base=self.new_base,
            new_base=self.old_base,
            devices={new: old for old, new in self.devices.items()},
            titles={new: old for old, new in self.titles.items()},
            web_apps={new: old for old, new in self.web_apps.items()},
        )

    def map_dn(self, dn: DN) -> DN:
        """Return *dn* with the names of the site."""
        if self.is_identity:
            return dn
        if dn.is_below(self.old_base):
            head = dn.rdns[: len(dn.rdns) - len(self.old_base.rdns)]
            return DN((*map(self._map_rdn, head), *self.new_base.rdns))
        return dn

    def map_values(self, attribute: str, values: Iterable[bytes]) -> tuple[bytes, ...]:
        """Return *values* of *attribute* with the names of the site."""
        if self.is_identity:
            return tuple(values)
        definition = self.schema.attribute(attribute)
        if definition is not None and definition.syntax == "DN":
            return tuple(map(self._map_dn_value, values))
        return tuple(self._map_names(attribute, value) for value in values)

    def map_entry(self, entry: Entry) -> Entry:
        """Return *entry* with the names of the site."""
        if self.is_identity:
            return entry
        attributes = tuple(Attribute(each.name, self.map_values(each.name, each.values)) for each in entry.attributes)
        mapped = Entry(self.map_dn(entry.dn), attributes)
        if entry.dn == self.old_base:
            for kind, value in self.new_base.rdn.parts:
                mapped = mapped.with_values(kind, [value.encode()])
        return mapped

    def map_change(self, change: Change) -> Change:
        """Return *change* with the names of the site."""
        match change:
            case Add(entry):
                return Add(self.map_entry(entry))
            case Modify(dn, modifications):
                mapped = (
                    Modification(each.operation, each.name, self.map_values(each.name, each.values))
                    for each in modifications
                )
                return Modify(self.map_dn(dn), tuple(mapped))
            case Delete(dn):
                return Delete(self.map_dn(dn))
            case Rename():
                return replace(change, dn=self.map_dn(change.dn), new_rdn=self._map_rdn(change.new_rdn))

    def _map_rdn(self, rdn: RDN) -> RDN:
        parts = tuple((kind, self._map_name(kind, value)) for kind, value in rdn.parts)
        return rdn if parts == rdn.parts else RDN(parts)

    def _map_name(self, kind: str, value: str) -> str:
        match kind.lower():
            case lower if lower == DICOM_DEVICE_NAME.lower():
                return self._map_device(value)
            case lower if lower == DICOM_AE_TITLE.lower():
                return self.titles.get(value, value)
            case lower if lower == WEB_APP_NAME.lower():
                return self.web_apps.get(value, value)
        return value

    def _map_device(self, name: str) -> str:
        return next((new for old, new in self.devices.items() if old.lower() == name.lower()), name)

    def _map_dn_value(self, value: bytes) -> bytes:
        try:
            return str(self.map_dn(DN.parse(value.decode("utf-8", "surrogateescape")))).encode(
                "utf-8", "surrogateescape"
            )
        except MalformedInput:
            return value

    def _map_names(self, attribute: str, value: bytes) -> bytes:
        text, offset = value.decode("utf-8", "surrogateescape"), 0
        for name in find_names(attribute, value):
            match name.kind:
                case EntityKind.AE:
                    new = self.titles.get(name.text, name.text)
                case EntityKind.DEVICE:
                    new = self._map_device(name.text)
                case EntityKind.WEB_APP:
                    new = self.web_apps.get(name.text, name.text)
                case _:
                    continue
            if new != name.text:
                replacement = name.format_replacement(new)
                text = text[: name.start + offset] + replacement + text[name.end + offset :]
                offset += len(replacement) - (name.end - name.start)
        return text.encode("utf-8", "surrogateescape")
