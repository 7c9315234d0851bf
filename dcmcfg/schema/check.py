"""Check entries against the schema and against the value formats that the archive parses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.device_rules import SECRET_PIN_ATTRIBUTES, DeviceRules
from dcmcfg.schema.findings import (
    ATTRIBUTE_NOT_ALLOWED,
    DUPLICATE_ENTRY,
    DUPLICATE_VALUE,
    PARENT_MISSING,
    SINGLE_VALUED,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_CLASS,
    EntryFinding,
    SourceLocation,
)
from dcmcfg.schema.structure import OPERATIONAL_ATTRIBUTES, StructureChecker
from dcmcfg.schema.values import ValueRules
from dcmcfg.schema_names import COMMON_NAME

#: The entry below which the archive looks for its configuration (LdapDicomConfiguration).
_CONFIGURATION_RDN = ((COMMON_NAME, "dicom configuration"),)
_NO_TAGS: frozenset[str] = frozenset()
#: Rules that the schema of a server can contradict: a server that stores an entry has accepted it.
_SCHEMA_DEPENDENT_RULES = (UNKNOWN_ATTRIBUTE, UNKNOWN_CLASS, ATTRIBUTE_NOT_ALLOWED)


@dataclass(frozen=True)
class LocatedEntry:
    """An entry to check, with its location if it comes from a file."""

    entry: Entry
    location: SourceLocation | None = None


def check_entries(
    entries: Iterable[LocatedEntry], schema: Schema, *, live: bool, server_is_newer: bool = False
) -> Iterator[EntryFinding]:
    """Yield the problems of *entries*, in their order: errors and warnings, see ``RULES``.

    With *live*, the entries are everything that a server holds below its base DN, so every reference must have its
    target among them. Otherwise they come from files, which may hold only a part of the tree: references into a missing
    part are ignored, and so are missing PINs if the files contain no PIN at all. With *server_is_newer*, the server may
    have a newer schema than *schema*: unknown names and attributes that are not allowed are warnings then. Unknown
    names are reported below ``cn=DICOM Configuration`` only; other entries do not belong to the archive.
    """
    return _EntryChecker(tuple(entries), schema, live, server_is_newer).find_problems()


def _get_tagging_options(name: str) -> frozenset[str]:
    """Return the tagging options of *name*. Different tagging options make different attributes (RFC 4512 §2.5.2)."""
    # ``binary`` is a transfer option, not a tagging option: it does not make another attribute (RFC 4522 §3).
    return frozenset(name.lower().split(";")[1:]) - {"binary"} if ";" in name else _NO_TAGS


@dataclass(frozen=True)
class _EntryChecker:
    located_entries: tuple[LocatedEntry, ...]
    schema: Schema
    live: bool
    server_is_newer: bool

    def find_problems(self) -> Iterator[EntryFinding]:
        seen = set()
        for located in self.located_entries:
            entry = located.entry
            key = self.schema.normalise_dn(entry.dn)
            if key in seen:
                yield EntryFinding(
                    DUPLICATE_ENTRY, entry.dn, "", "the entry occurs more than once", location=located.location
                )
            seen.add(key)
            if self._is_orphan(key):
                message = f"the parent entry is missing: {entry.dn.parent}"
                yield EntryFinding(PARENT_MISSING, entry.dn, "", message, location=located.location)
            for finding in (
                *self._check_structure(entry),
                *self._check_values(entry),
                *self._device_rules.find_problems(entry),
            ):
                yield replace(finding, location=located.location)

    @cached_property
    def _entries(self) -> dict[object, Entry]:
        return {self.schema.normalise_dn(located.entry.dn): located.entry for located in self.located_entries}

    def _check_structure(self, entry: Entry) -> Iterator[EntryFinding]:
        is_in_configuration = _CONFIGURATION_RDN in self.schema.normalise_dn(entry.dn)
        for finding in self._structure_checker.find_problems(entry):
            if finding.rule not in _SCHEMA_DEPENDENT_RULES:
                yield finding
            # A database dump contains operational attributes, which the bundled schema does not define.
            elif is_in_configuration and finding.attribute.lower() not in OPERATIONAL_ATTRIBUTES:
                yield replace(finding, severity="warning") if self.server_is_newer else finding

    def _check_values(self, entry: Entry) -> Iterator[EntryFinding]:
        values_by_name: dict[str, dict[frozenset[str], list[bytes]]] = {}
        definitions: dict[str, AttributeType] = {}
        for attribute in entry.attributes:
            definition = self.schema.attribute(attribute.name)
            if definition is not None:
                definitions[definition.name] = definition
                by_options = values_by_name.setdefault(definition.name, {})
                by_options.setdefault(_get_tagging_options(attribute.name), []).extend(attribute.values)
        for name, by_options in values_by_name.items():
            for values in by_options.values():
                yield from self._check_values_together(entry.dn, definitions[name], values)
            yield from self._value_rules.find_problems(entry, name, list(chain.from_iterable(by_options.values())))

    @cached_property
    def _structure_checker(self) -> StructureChecker:
        return StructureChecker(self.schema)

    @cached_property
    def _device_rules(self) -> DeviceRules:
        return DeviceRules(lambda dn: self._entries.get(self.schema.normalise_dn(dn)), self.live or self._has_pins)

    @property
    def _has_pins(self) -> bool:
        """Whether any entry has a PIN. An export contains either all PINs or none."""
        return any(name in located.entry for located in self.located_entries for name in SECRET_PIN_ATTRIBUTES)

    @cached_property
    def _value_rules(self) -> ValueRules:
        return ValueRules(self.schema, self._exists)

    def _check_values_together(self, dn: DN, definition: AttributeType, values: list[bytes]) -> Iterator[EntryFinding]:
        if len(values) < 2:
            return
        if definition.single_valued:
            yield EntryFinding(
                SINGLE_VALUED, dn, definition.name, f"only one value is allowed, but there are {len(values)}"
            )
        seen = set()
        for value in values:
            normal = self.schema.normalise_value(definition.name, value)
            # Values are compared by the equality rule, as a server does: two spellings of one value are duplicates.
            if normal in seen:
                yield EntryFinding(DUPLICATE_VALUE, dn, definition.name, "the value occurs twice", value=value)
            seen.add(normal)

    def _is_orphan(self, key: NormalDN) -> bool:
        """Return whether the parent of the entry *key* is missing although a higher ancestor exists."""
        if key[1:] in self._entries:
            return False
        # Without any ancestor, the entry is the top of a file that holds a subtree only.
        return any(key[depth:] in self._entries for depth in range(2, len(key)))

    def _exists(self, dn: DN) -> bool:
        """Return whether the entry *dn* exists, or may exist in a part of the tree that was not read."""
        key = self.schema.normalise_dn(dn)
        if key in self._entries:
            return True
        # A file that contains an ancestor contains that part of the tree, so the entry is really missing.
        return not self.live and not any(key[depth:] in self._entries for depth in range(1, len(key)))
