"""The schema entries below cn=schema,cn=config of an OpenLDAP server (slapd-config(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property

from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.comparable import Definition, DefinitionKind, parse_definition
from dcmcfg.schema.directives import expand_oid
from dcmcfg.schema_names import COMMON_NAME, OBJECT_CLASS

SCHEMA_BASE = DN.parse("cn=schema,cn=config")
ATTRIBUTE_OF_KIND: Mapping[DefinitionKind, str] = {
    DefinitionKind.ATTRIBUTE: "olcAttributeTypes",
    DefinitionKind.CLASS: "olcObjectClasses",
}
OBJECT_IDENTIFIERS = "olcObjectIdentifier"
SCHEMA_ENTRY_CLASS = "olcSchemaConfig"
_POSITION = re.compile(rb"\{(\d+)\}")
_NAME = re.compile(r"(?:\{(-?\d+)\})?(.*)", re.DOTALL)


@dataclass(frozen=True)
class ConfiguredSchema:
    """A schema entry of the server: ``cn={4}dicom`` has the index 4 and the name ``dicom``."""

    dn: DN
    index: int
    name: str
    _: KW_ONLY
    attribute_types: tuple[Definition, ...] = ()
    object_classes: tuple[Definition, ...] = ()

    def get(self, kind: DefinitionKind) -> tuple[Definition, ...]:
        """Return the definitions of *kind* in their order."""
        return self.attribute_types if kind is DefinitionKind.ATTRIBUTE else self.object_classes

    def with_definitions(self, kind: DefinitionKind, definitions: Iterable[Definition]) -> ConfiguredSchema:
        """Return this entry with exactly *definitions* of *kind*."""
        attribute_types, object_classes = self.attribute_types, self.object_classes
        if kind is DefinitionKind.ATTRIBUTE:
            attribute_types = tuple(definitions)
        else:
            object_classes = tuple(definitions)
        return replace(self, attribute_types=attribute_types, object_classes=object_classes)

    def to_entry(self) -> Entry:
        """Return the entry with all its definitions, as cn=config shows it."""
        values: dict[str, Iterable[str | bytes]] = {
            OBJECT_CLASS: (SCHEMA_ENTRY_CLASS,),
            COMMON_NAME: (f"{{{self.index}}}{self.name}",),
        }
        for kind, attribute in ATTRIBUTE_OF_KIND.items():
            if self.get(kind):
                values[attribute] = [number_value(position, each) for position, each in enumerate(self.get(kind))]
        return Entry.from_values(self.dn, values)


@dataclass(frozen=True)
class ServerSchemaEntries:
    """The schema entries of a server in the order in which it loads them."""

    entries: tuple[ConfiguredSchema, ...]
    #: Macros of OIDs that the definitions may use: name in lower case → OID.
    macros: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __iter__(self) -> Iterator[ConfiguredSchema]:
        return iter(self.entries)

    def find(self, name: str) -> ConfiguredSchema | None:
        """Return the entry with the *name*, in any case, or None."""
        return next((each for each in self.entries if each.name.lower() == name.lower()), None)

    @cached_property
    def definitions(self) -> tuple[Definition, ...]:
        """All definitions of all entries."""
        return tuple(each for entry in self.entries for kind in DefinitionKind for each in entry.get(kind))

    @cached_property
    def keys(self) -> frozenset[DefinitionKey]:
        """The key of each definition of each entry."""
        return frozenset(
            make_key(entry, each) for entry in self.entries for kind in DefinitionKind for each in entry.get(kind)
        )

    def is_same(self, other: ServerSchemaEntries) -> bool:
        """Return whether *other* has the same definitions in the same order, apart from descriptions."""
        return self._ordered_keys == other._ordered_keys

    @cached_property
    def _ordered_keys(self) -> tuple[tuple[str, DefinitionKind, tuple[DefinitionKey, ...]], ...]:
        return tuple(
            (entry.name.lower(), kind, tuple(make_key(entry, each) for each in entry.get(kind)))
            for entry in self.entries
            for kind in DefinitionKind
        )


#: The name of a schema entry, and the content of a definition in it. A server stores definitions in its own spelling,
#: so their texts cannot be compared.
DefinitionKey = tuple[str, DefinitionKind, str, tuple[object, ...]]


def make_key(entry: ConfiguredSchema, definition: Definition) -> DefinitionKey:
    """Return the key of *definition* in *entry*; equal for definitions that differ only in their description."""
    return entry.name.lower(), definition.kind, definition.oid, definition.shape


def number_value(position: int, definition: Definition) -> bytes:
    """Return the value of *definition* at the 0-based *position*: ``{3}( 1.2.3 … )``."""
    return b"{%d}%s" % (position, definition.text)


def parse_schema_entries(
    entries: Iterable[Entry], known_macros: Mapping[str, str] | None = None
) -> ServerSchemaEntries:
    """Return the schema entries among *entries*, those at and below cn=schema,cn=config.

    The definitions may use *known_macros* and those of the entries. Raises :class:`MalformedInput` for a definition
    that cannot be parsed, and for positions that are not 0, 1, 2 ….
    """
    found = tuple(entries)
    macros = {**(known_macros or {}), **_collect_macros(found)}
    schemas = []
    for entry in found:
        if len(entry.dn.rdns) != len(SCHEMA_BASE.rdns) + 1 or not entry.dn.is_below(SCHEMA_BASE):
            continue
        match = _NAME.fullmatch(entry.dn.rdn.parts[0][1])
        if match is None:
            continue
        attribute_types, object_classes = (_parse_values(entry, kind, macros) for kind in ATTRIBUTE_OF_KIND)
        schemas.append(
            ConfiguredSchema(
                entry.dn,
                int(match[1] or 0),
                match[2],
                attribute_types=attribute_types,
                object_classes=object_classes,
            )
        )
    return ServerSchemaEntries(tuple(sorted(schemas, key=lambda each: each.index)), macros)


def make_schema_dn(index: int, name: str) -> DN:
    """Return the DN of the schema entry with *index* and *name*."""
    return DN((RDN(((COMMON_NAME, f"{{{index}}}{name}"),)), *SCHEMA_BASE.rdns))


def _parse_values(entry: Entry, kind: DefinitionKind, macros: Mapping[str, str]) -> tuple[Definition, ...]:
    numbered: list[tuple[int, bytes]] = []
    for value in entry.values(ATTRIBUTE_OF_KIND[kind]):
        match = _POSITION.match(value)
        if match is None:
            raise MalformedInput("a definition has no position", subject=str(entry.dn))
        numbered.append((int(match[1]), value[match.end() :]))
    numbered.sort()
    if [position for position, _ in numbered] != list(range(len(numbered))):
        raise MalformedInput("the positions of the definitions are not consecutive", subject=str(entry.dn))
    try:
        return tuple(parse_definition(kind, text, macros) for _, text in numbered)
    except MalformedInput as error:
        raise MalformedInput(f"{error.message}: {error.subject}", subject=str(entry.dn)) from error


def _collect_macros(entries: Iterable[Entry]) -> dict[str, str]:
    macros: dict[str, str] = {}
    for entry in entries:
        for text in entry.texts(OBJECT_IDENTIFIERS):
            name, _, value = re.sub(r"^\{\d+\}", "", text).partition(" ")
            try:
                macros[name.lower()] = expand_oid(value.strip(), macros)
            except MalformedInput:  # slapd knows more macros than these entries show
                continue
    return macros
