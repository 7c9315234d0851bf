"""Check the object classes and attributes of entries, without their values, by a schema (RFC 4512 §2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import ObjectClass, Schema
from dcmcfg.schema.findings import (
    ATTRIBUTE_NOT_ALLOWED,
    MISSING_ATTRIBUTE,
    UNKNOWN_ATTRIBUTE,
    UNKNOWN_CLASS,
    EntryFinding,
)
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.suggestions import ATTRIBUTE_SIMILARITY, suggest_names

_MAXIMUM_SHOWN_LENGTH = 80
#: The OID of extensibleObject, which allows every attribute (RFC 4512 §4.3).
_EXTENSIBLE = "1.3.6.1.4.1.1466.101.120.111"
#: Attributes that the server maintains itself (RFC 4512 §3.4); a database dump (``slapcat``) contains them.
OPERATIONAL_ATTRIBUTES = frozenset(
    name.lower()
    for name in (
        "structuralObjectClass",
        "entryUUID",
        "entryCSN",
        "entryDN",
        "contextCSN",
        "creatorsName",
        "createTimestamp",
        "modifiersName",
        "modifyTimestamp",
        "subschemaSubentry",
        "hasSubordinates",
        "numSubordinates",
        "memberOf",
    )
)


class StructureChecker:
    """Checks the attributes and object classes of entries one after another.

    Most entries have the same classes and attributes as an earlier entry. Combinations that were valid are cached and
    not checked again.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._valid_shapes: set[tuple[object, ...]] = set()

    def find_problems(self, entry: Entry) -> tuple[EntryFinding, ...]:
        """Return the same findings for *entry* as :func:`check_structure`."""
        # A list is faster than a generator here, and this code runs for every entry of a tree.
        names = tuple([attribute.name for attribute in entry.attributes])
        # The RDN belongs to the shape because its attributes count as present.
        naming = tuple([kind for kind, _ in entry.dn.rdn.parts]) if entry.dn.rdns else ()
        shape = (entry.values(OBJECT_CLASS), names, naming)
        if shape in self._valid_shapes:
            return ()
        found = tuple(check_structure(self._schema, entry))
        if not found:
            self._valid_shapes.add(shape)
        return found


def check_structure(schema: Schema, entry: Entry) -> Iterator[EntryFinding]:
    """Yield the problems of the attributes and object classes of *entry*, in the entry's order.

    If a class is unknown, required and allowed attributes are not checked. Attributes of the RDN count as present,
    because a server adds them to the entry.
    """
    for attribute in entry.attributes:
        if schema.attribute(attribute.name) is None:
            yield _build_unknown_attribute_finding(schema, entry, attribute.name)
    names = entry.texts(OBJECT_CLASS)
    classes = tuple(schema.object_class(name) for name in names)
    known = tuple(each for each in classes if each is not None)
    for name, object_class in zip(names, classes, strict=True):
        # The bundled schema does not define ``top``, which every server has (RFC 4512 §2.4.1).
        if object_class is None and name.lower() != "top":
            suggestions = _format_suggestions(tuple(each.name for each in schema.object_classes), name)
            message = f"unknown object class {_truncate(name)}{suggestions}"
            yield EntryFinding(UNKNOWN_CLASS, entry.dn, OBJECT_CLASS, message, value=name.encode())
    if not names:
        yield EntryFinding(MISSING_ATTRIBUTE, entry.dn, OBJECT_CLASS, "the entry has no objectClass")
    elif all(
        object_class is not None or name.lower() == "top" for name, object_class in zip(names, classes, strict=True)
    ):
        yield from _find_violations(schema, entry, _add_content_rules(schema, add_superiors(schema, known)))


def add_superiors(schema: Schema, classes: Iterable[ObjectClass]) -> tuple[ObjectClass, ...]:
    """Return *classes* with all their superior classes, each once."""
    found: dict[str, ObjectClass] = {}
    pending = list(classes)
    while pending:
        known = pending.pop()
        # This test also ends a cycle of superiors in a malformed schema of a server.
        if known.name not in found:
            found[known.name] = known
            pending += [superior for superior in map(schema.object_class, known.superiors) if superior is not None]
    return tuple(found.values())


def _add_content_rules(schema: Schema, classes: tuple[ObjectClass, ...]) -> tuple[ObjectClass, ...]:
    """Return *classes* (with superiors) and the DIT content rule of the most derived structural class.

    A rule applies to entries of exactly that structural class, not to classes derived from it (RFC 4512 §4.1.6).
    """
    if not schema.content_rules:
        return classes
    structural = [each for each in classes if each.kind == "structural"]
    superior_oids = {
        superior.oid
        for each in structural
        for superior in add_superiors(schema, (found for found in map(schema.object_class, each.superiors) if found))
    }
    lowest = {each.oid for each in structural if each.oid not in superior_oids}
    return (*classes, *(rule for rule in schema.content_rules if rule.oid in lowest))


def add_implied_classes(schema: Schema, names: Iterable[str]) -> frozenset[str]:
    """Return the classes *names* in lower case, with the classes that a server may add: all superiors and ``top``.

    An entry of a class belongs to all superior classes, whether objectClass lists them or not (RFC 4512 §3.3). slapd
    stores the listed classes only, other servers (389 Directory Server) store all of them.
    """
    given = {name.lower(): schema.object_class(name) for name in names}
    superiors = add_superiors(schema, (each for each in given.values() if each is not None))
    return frozenset(
        (*(name for name, known in given.items() if known is None), "top", *(each.name.lower() for each in superiors))
    )


def find_structural_classes(schema: Schema, entry: Entry) -> frozenset[str]:
    """Return the structural classes of *entry* with their superiors; classes unknown to *schema* are ignored."""
    known = (schema.object_class(name) for name in entry.texts(OBJECT_CLASS))
    classes = add_superiors(schema, (each for each in known if each is not None))
    return frozenset(each.name for each in classes if each.kind == "structural")


def find_allowed_attributes(schema: Schema, entry: Entry) -> frozenset[str] | None:
    """Return the attributes that the classes of *entry* allow, in lower case.

    None if a class allows every attribute, or if a class is unknown.
    """
    names = [name for name in entry.texts(OBJECT_CLASS) if name.lower() != "top"]
    known = [each for each in map(schema.object_class, names) if each is not None]
    classes = _add_content_rules(schema, add_superiors(schema, known))
    return _list_allowed_attributes(classes) if len(known) == len(names) else None


def is_required(schema: Schema, entry: Entry, name: str) -> bool:
    """Return whether the classes of *entry* require attribute *name*; True also if a class is unknown."""
    names = [each for each in entry.texts(OBJECT_CLASS) if each.lower() != "top"]
    known = [each for each in map(schema.object_class, names) if each is not None]
    required = {must.lower() for each in add_superiors(schema, known) for must in each.must}
    return len(known) < len(names) or name.lower() in required


def _list_allowed_attributes(classes: tuple[ObjectClass, ...]) -> frozenset[str] | None:
    """Return the attributes that *classes* (with superiors) allow, in lower case; None if every attribute."""
    if any(known.oid == _EXTENSIBLE for known in classes):
        return None
    return frozenset(name.lower() for known in classes for name in (*known.must, *known.may)) | {OBJECT_CLASS.lower()}


def _build_unknown_attribute_finding(schema: Schema, entry: Entry, name: str) -> EntryFinding:
    suggestions = _format_suggestions(tuple(attribute.name for attribute in schema.attributes), name)
    return EntryFinding(UNKNOWN_ATTRIBUTE, entry.dn, name, f"unknown attribute {_truncate(name)}{suggestions}")


def _find_violations(schema: Schema, entry: Entry, classes: tuple[ObjectClass, ...]) -> Iterator[EntryFinding]:
    spelt = [attribute.name for attribute in entry.attributes]
    naming = [kind for kind, _ in entry.dn.rdn.parts] if entry.dn.rdns else []
    present = {known.name.lower() for known in map(schema.attribute, (*spelt, *naming)) if known is not None}
    for known in classes:
        for name in known.must:
            if name.lower() not in present:
                yield EntryFinding(MISSING_ATTRIBUTE, entry.dn, name, f"{known.name} requires {name}")
    allowed = _list_allowed_attributes(classes)
    if allowed is None:
        return
    for name in spelt:
        definition = schema.attribute(name)
        if definition is not None and not definition.operational and definition.name.lower() not in allowed:
            yield EntryFinding(ATTRIBUTE_NOT_ALLOWED, entry.dn, name, f"the entry's object classes do not allow {name}")


def _truncate(name: str) -> str:
    return name if len(name) <= _MAXIMUM_SHOWN_LENGTH else name[:_MAXIMUM_SHOWN_LENGTH] + "…"


# An unknown name often occurs in many entries, and comparing it with all known names is slow.
@lru_cache(maxsize=512)
def _format_suggestions(known: tuple[str, ...], name: str) -> str:
    similar = suggest_names(name, known, min_similarity=ATTRIBUTE_SIMILARITY)
    return f"; did you mean {', '.join(similar)}?" if similar else ""
