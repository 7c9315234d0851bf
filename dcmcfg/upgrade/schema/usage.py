"""Find the uses of definitions that an upgrade of the schema removes: in the server's configuration and in its data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.upgrade.schema.configured import SCHEMA_BASE, ServerSchemaEntries, make_key
from dcmcfg.upgrade.schema.modifies import SchemaPlan

_CONTENT_RULES = "olcditcontentrules"
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+")


@dataclass(frozen=True)
class RemovedNames:
    """Names that are removed, by kind: name or OID in lower case → the name as spelt."""

    attributes: Mapping[str, str]
    classes: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.attributes or self.classes)


def find_obsolete_names(plan: SchemaPlan) -> RemovedNames:
    """Return the names that the server knows before *plan* and not after it."""
    before, after = _collect_names(plan.before.definitions), _collect_names(plan.after.definitions)
    return RemovedNames(
        *(
            {key: name for key, name in one.items() if key not in other}
            for one, other in zip(before, after, strict=True)
        )
    )


def find_touched_names(plan: SchemaPlan) -> RemovedNames:
    """Return all names that *plan* removes, also those that it adds again."""
    kept = plan.before.keys.intersection(*(step.after.keys for step in plan.steps))
    return RemovedNames(
        *_collect_names(
            each
            for entry in plan.before
            for kind in DefinitionKind
            for each in entry.get(kind)
            if make_key(entry, each) not in kept
        )
    )


def _collect_names(definitions: Iterable[Definition]) -> tuple[dict[str, str], dict[str, str]]:
    found: dict[DefinitionKind, dict[str, str]] = {kind: {} for kind in DefinitionKind}
    for each in definitions:
        for key in each.names:
            found[each.kind][key] = each.label if key == each.label.lower() else key
    return found[DefinitionKind.ATTRIBUTE], found[DefinitionKind.CLASS]


@dataclass(frozen=True)
class ConfigurationUse:
    """An attribute of an entry of cn=config whose values name removed definitions."""

    dn: DN
    attribute: str
    names: tuple[str, ...]


def find_configuration_uses(entries: Iterable[Entry], removed: RemovedNames) -> Iterator[ConfigurationUse]:
    """Yield the uses of *removed* in *entries*, those of cn=config, apart from definitions that a plan can change.

    The values themselves are not reported, because some contain passwords.
    """
    known = {**removed.classes, **removed.attributes}
    for entry in entries:
        is_schema = entry.dn.is_below(SCHEMA_BASE)
        for attribute in entry.attributes:
            # A plan changes these; a DIT content rule that names a missing class stops the server at its start.
            if is_schema and attribute.name.lower() != _CONTENT_RULES:
                continue
            words = (
                word.lower() for value in attribute.values for word in _WORD.findall(value.decode("utf-8", "replace"))
            )
            names = dict.fromkeys(known[word] for word in words if word in known)
            if names:
                yield ConfigurationUse(entry.dn, attribute.name, tuple(names))


@dataclass(frozen=True)
class DataUse:
    """An entry of the data with removed attributes or object classes."""

    dn: DN
    attributes: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the entry uses."""
        return (*self.attributes, *self.classes)


def find_data_uses(entries: Iterable[Entry], removed: RemovedNames) -> Iterator[DataUse]:
    """Yield the uses of *removed* in *entries*."""
    for entry in entries:
        attributes = tuple(
            each.name for each in entry.attributes if each.name.partition(";")[0].lower() in removed.attributes
        )
        classes = tuple(each for each in entry.texts(OBJECT_CLASS) if each.lower() in removed.classes)
        if attributes or classes:
            yield DataUse(entry.dn, attributes, classes)


@dataclass(frozen=True)
class SchemaChanges:
    """What a plan changes, for people: definitions by OID."""

    added: tuple[Definition, ...]
    changed: tuple[Definition, ...]
    dropped: tuple[Definition, ...]


def summarise(before: ServerSchemaEntries, after: ServerSchemaEntries) -> SchemaChanges:
    """Return the differences of *before* and *after*; a definition that changes its OID is dropped and added."""
    old = {(each.kind, each.oid): each for each in before.definitions}
    new = {(each.kind, each.oid): each for each in after.definitions}
    homes_before, homes_after = _find_homes(before), _find_homes(after)
    return SchemaChanges(
        tuple(each for key, each in new.items() if key not in old),
        tuple(
            each
            for key, each in new.items()
            if key in old and not (old[key].is_same(each) and homes_before[key] == homes_after[key])
        ),
        tuple(each for key, each in old.items() if key not in new),
    )


def _find_homes(schema: ServerSchemaEntries) -> dict[tuple[DefinitionKind, str], str]:
    return {
        (kind, each.oid): entry.name.lower() for entry in schema for kind in DefinitionKind for each in entry.get(kind)
    }
