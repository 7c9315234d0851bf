"""Everything that is wrong with entries, by the schema and by how the archive reads its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.device_rules import SECRET_PINS, DeviceRules
from dcmcfg.schema.findings import (
    ENTRY_TWICE,
    NOT_ALLOWED,
    PARENT_MISSING,
    SINGLE_VALUED,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_CLASS,
    VALUE_TWICE,
    Finding,
    Place,
)
from dcmcfg.schema.structure import OPERATIONAL, Structures
from dcmcfg.schema.values import ValueRules

#: Where the archive looks for its configuration (LdapDicomConfiguration).
_ROOT = (("cn", "dicom configuration"),)
_NO_TAGS: frozenset[str] = frozenset()
#: What a server that holds the entry knows better than the bundled schema.
_SERVER_KNOWS = (UNKNOWN_ATTRIBUTE, UNKNOWN_CLASS, NOT_ALLOWED)


@dataclass(frozen=True)
class Subject:
    """An entry to check, with its place in a file if it comes from one."""

    entry: Entry
    place: Place | None = None


def check(subjects: Iterable[Subject], schema: Schema, *, live: bool, newer: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with *subjects*, in their order: errors and warnings, see ``RULES``.

    *live* says that they are all that a server holds below its base DN. Then every reference must find its target
    among them. Otherwise they come from files, which may hold a part: a reference into a part that is not there is
    passed over, and so is a missing PIN where the files hold no PIN at all. With *newer*, the server that took the
    entries may know more than *schema* does: what it does not know or allow is a warning.
    Unknown names count below ``cn=DICOM Configuration`` only, what else a directory holds is not the archive's.
    """
    return _Check(tuple(subjects), schema, live, newer).findings()


def _tags(name: str) -> frozenset[str]:
    """Return the tagging options of *name*: with others it is another attribute (RFC 4512 §2.5.2)."""
    return frozenset(name.lower().split(";")[1:]) - {"binary"} if ";" in name else _NO_TAGS


@dataclass(frozen=True)
class _Check:
    subjects: tuple[Subject, ...]
    schema: Schema
    live: bool
    newer: bool

    def findings(self) -> Iterator[Finding]:
        seen = set()
        for subject in self.subjects:
            entry = subject.entry
            key = self.schema.normal_dn(entry.dn)
            if key in seen:
                yield Finding(ENTRY_TWICE, entry.dn, "", "the entry was given before", place=subject.place)
            seen.add(key)
            if self._is_orphan(key):
                message = f"its parent is missing: {entry.dn.parent}"
                yield Finding(PARENT_MISSING, entry.dn, "", message, place=subject.place)
            for finding in (*self._structure(entry), *self._values(entry), *self._devices.findings(entry)):
                yield replace(finding, place=subject.place)

    @cached_property
    def _entries(self) -> dict[object, Entry]:
        return {self.schema.normal_dn(subject.entry.dn): subject.entry for subject in self.subjects}

    def _structure(self, entry: Entry) -> Iterator[Finding]:
        ours = _ROOT in self.schema.normal_dn(entry.dn)
        for finding in self._structures.findings(entry):
            if finding.rule not in _SERVER_KNOWS:
                yield finding
            elif ours and finding.attribute.lower() not in OPERATIONAL:
                yield replace(finding, severity="warning") if self.newer else finding

    def _values(self, entry: Entry) -> Iterator[Finding]:
        held: dict[str, dict[frozenset[str], list[bytes]]] = {}
        definitions: dict[str, AttributeType] = {}
        for attribute in entry.attributes:
            definition = self.schema.attribute(attribute.name)
            if definition is not None:
                definitions[definition.name] = definition
                by_options = held.setdefault(definition.name, {})
                by_options.setdefault(_tags(attribute.name), []).extend(attribute.values)
        for name, by_options in held.items():
            for values in by_options.values():
                yield from self._together(entry.dn, definitions[name], values)
            yield from self._rules.findings(entry, name, list(chain.from_iterable(by_options.values())))

    @cached_property
    def _structures(self) -> Structures:
        return Structures(self.schema)

    @cached_property
    def _devices(self) -> DeviceRules:
        return DeviceRules(lambda dn: self._entries.get(self.schema.normal_dn(dn)), self.live or self._has_pins)

    @property
    def _has_pins(self) -> bool:
        """Whether any entry has a PIN: an export leaves out all of them, or none."""
        return any(name in subject.entry for subject in self.subjects for name in SECRET_PINS)

    @cached_property
    def _rules(self) -> ValueRules:
        return ValueRules(self.schema, self._exists)

    def _together(self, dn: DN, definition: AttributeType, values: list[bytes]) -> Iterator[Finding]:
        if len(values) < 2:
            return
        if definition.single_valued:
            yield Finding(SINGLE_VALUED, dn, definition.name, f"one value is allowed, and there are {len(values)}")
        seen = set()
        for value in values:
            normal = self.schema.normal_value(definition.name, value)
            if normal in seen:
                yield Finding(VALUE_TWICE, dn, definition.name, "the value is given twice", value)
            seen.add(normal)

    def _is_orphan(self, key: NormalDN) -> bool:
        """Return whether the parent of the entry *key* is missing, although one further up is there."""
        if key[1:] in self._entries:
            return False
        return any(key[depth:] in self._entries for depth in range(2, len(key)))

    def _exists(self, dn: DN) -> bool:
        """Tell whether the entry *dn* is there, or may be in a part of the tree that was not read."""
        key = self.schema.normal_dn(dn)
        if key in self._entries:
            return True
        return not self.live and not any(key[depth:] in self._entries for depth in range(1, len(key)))
