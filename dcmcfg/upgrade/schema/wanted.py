"""Compute the schema entries that a server must have after an upgrade, or after its undo."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from dcmcfg.errors import Refused
from dcmcfg.schema.comparable import Definition, DefinitionKind
from dcmcfg.upgrade.schema.configured import ConfiguredSchema, ServerSchemaEntries, make_key, make_schema_dn
from dcmcfg.upgrade.schema.release_schema import ARCHIVE_ARCS, SCHEMA_NAMES, ReleaseSchema

#: The schemas that OpenLDAP itself brings, which no release of the archive may replace.
_OPENLDAP_SCHEMAS = frozenset(
    (
        "collective",
        "corba",
        "core",
        "cosine",
        "dsee",
        "duaconf",
        "dyngroup",
        "inetorgperson",
        "java",
        "misc",
        "msuser",
        "namedobject",
        "nis",
        "openldap",
        "pmi",
        "ppolicy",
    )
)


def want_release(base: ServerSchemaEntries, release: ReleaseSchema) -> ServerSchemaEntries:
    """Return *base* with all definitions of *release*.

    Definitions that the release does not have stay, unless their name or OID now belongs to another definition. Raises
    :class:`Refused` if *base* has none of the archive's schemas, if the release would replace a definition of
    OpenLDAP's own schemas, and if a definition of the site refers to one that is dropped.
    """
    base = _add_missing_entries(base)
    parts = _classify(base, release)
    going = find_dependents(base.definitions, parts.dropped)
    new_by_name = {file.name: file.definitions for file in release.files}
    result = []
    for entry in base:
        wanted = entry
        for kind in DefinitionKind:
            present = entry.get(kind)
            new = new_by_name.get(entry.name.lower())
            if new is None:
                definitions = [each for each in present if each not in parts.dropped]
            else:
                definitions = _merge_definitions(present, [each for each in new if each.kind is kind], parts, going)
            wanted = wanted.with_definitions(kind, definitions)
        result.append(wanted)
    wanted_entries = replace(base, entries=tuple(result))
    _require_references(wanted_entries, base)
    return wanted_entries


@dataclass(frozen=True)
class _Parts:
    """Definitions of a server: those that a release replaces or excludes, and those of the site only."""

    dropped: frozenset[Definition]
    own: frozenset[Definition]


def _classify(base: ServerSchemaEntries, release: ReleaseSchema) -> _Parts:
    homes = {each.oid: (file.name, each) for file in release.files for each in file.definitions}
    names = {(each.kind, name) for each in release.definitions for name in each.names}
    dropped, own, kept_oids = set(), set(), set()
    for entry in base:
        for each in (each for kind in DefinitionKind for each in entry.get(kind)):
            home, successor = homes.get(each.oid, ("", None))
            is_equal = successor is not None and successor.kind is each.kind and successor.is_same(each)
            if is_equal and home == entry.name.lower() and each.oid not in kept_oids:
                kept_oids.add(each.oid)
            elif successor is None and not any((each.kind, name) in names for name in each.names):
                own.add(each)
            elif entry.name.lower() in _OPENLDAP_SCHEMAS:
                raise Refused(
                    f"the release defines {each.label}, which is part of OpenLDAP's own schema {entry.name}",
                    subject=release.label,
                    next_step="check that the schema files of the release are unmodified",
                )
            else:
                dropped.add(each)
    return _Parts(frozenset(dropped), frozenset(own))


def _merge_definitions(
    present: Sequence[Definition], new: Sequence[Definition], parts: _Parts, going: frozenset[Definition]
) -> list[Definition]:
    """Return the definitions of an entry: those that stay, those of the release, those of the site that come again."""
    kept = [each for each in present if each not in going]
    kept_oids = {each.oid for each in kept}
    current = {each.oid: each for each in present}
    added = (each for each in new if each.oid not in kept_oids)
    return [
        *kept,
        # The server's own text of an equal definition stays, with its description.
        *(current[each.oid] if each.oid in current and current[each.oid].is_same(each) else each for each in added),
        *(each for each in present if each in going and each in parts.own),
    ]


def want_former(
    current: ServerSchemaEntries, former: ServerSchemaEntries, upgraded: ServerSchemaEntries
) -> ServerSchemaEntries:
    """Return *former*, with the definitions that *current* has beyond *former* and *upgraded*.

    This is the state to which an upgrade is reverted. If the upgrade was interrupted, it is also the state from which
    it starts again: it has the definitions of the site that the upgrade has removed and not yet added again.
    """
    known = former.keys | upgraded.keys
    result = []
    for entry in current:
        found = former.find(entry.name)
        merged = entry
        for kind in DefinitionKind:
            added = (each for each in entry.get(kind) if make_key(entry, each) not in known)
            merged = merged.with_definitions(kind, (*(found.get(kind) if found is not None else ()), *added))
        result.append(merged)
    return replace(current, entries=tuple(result))


def find_dependents(definitions: Iterable[Definition], dropped: Collection[Definition]) -> frozenset[Definition]:
    """Return *dropped* with all *definitions* that must go too, because they refer to one that goes.

    A subtype goes with its supertype, and a class with its superior classes and with each attribute that it names.
    """
    pending = tuple(definitions)
    going = set(dropped)
    count = -1
    while count != len(going):
        count = len(going)
        keys = {kind: {key for each in going if each.kind is kind for key in each.keys} for kind in DefinitionKind}
        going.update(
            each
            for each in pending
            if each.superiors & keys[each.kind] or each.attributes & keys[DefinitionKind.ATTRIBUTE]
        )
    return frozenset(going)


def _add_missing_entries(base: ServerSchemaEntries) -> ServerSchemaEntries:
    missing = [name for name in SCHEMA_NAMES if base.find(name) is None]
    if not any(each.oid.startswith(ARCHIVE_ARCS) for each in base.definitions):
        raise Refused(
            "the server has none of the archive's schemas",
            subject="cn=schema,cn=config",
            next_step="load the schema of a release first, as its release notes describe for a new installation",
        )
    first = max((each.index for each in base), default=-1) + 1
    added = (ConfiguredSchema(make_schema_dn(first + i, name), first + i, name) for i, name in enumerate(missing))
    return replace(base, entries=(*base.entries, *added))


def _require_references(wanted: ServerSchemaEntries, base: ServerSchemaEntries) -> None:
    """Raise :class:`Refused` if a definition in *wanted* refers to one of *base* that *wanted* no longer has."""

    def collect(schema: ServerSchemaEntries, kind: DefinitionKind) -> set[str]:
        return {key for each in schema.definitions if each.kind is kind for key in each.keys}

    gone = {kind: collect(base, kind) - collect(wanted, kind) for kind in DefinitionKind}
    lines = [
        f"{each.kind.value} {each.label} uses {', '.join(sorted(lost))}"
        for each in wanted.definitions
        if (lost := each.superiors & gone[each.kind] | each.attributes & gone[DefinitionKind.ATTRIBUTE])
    ]
    if lines:
        raise Refused(
            "definitions of the site use definitions that the release no longer has",
            next_step="remove or change these definitions of the site first",
            details=lines,
        )
