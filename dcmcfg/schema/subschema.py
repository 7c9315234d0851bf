"""A server's own schema, from the descriptions in its subschema entry (RFC 4512 §4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import AttributeType, Kind, ObjectClass, Schema
from dcmcfg.schema.descriptions import Description, Descriptions
from dcmcfg.schema.syntax_oids import syntax_name

#: What to read of a subschema entry.
ATTRIBUTES = ("attributeTypes", "objectClasses", "matchingRules", "dITContentRules")
_STRUCTURAL: Kind = "structural"
_KINDS: Mapping[str, Kind] = {"ABSTRACT": "abstract", "AUXILIARY": "auxiliary"}


def schema_of(subschema: Entry, known: Schema) -> Schema:
    """Return the schema that the entry *subschema* describes; descriptions that are none are passed over.

    Syntax and rules come from the supertype where an attribute type has none of its own (RFC 4512 §2.5.1). What
    *known* knows by OID bears its name there, the server's names being aliases: tables of names go by that.
    """
    rules = {rule.oid: rule.names[0] for rule in Descriptions(subschema.values("matchingRules"))}
    described = Descriptions(subschema.values("attributeTypes"))
    attributes = tuple(_attribute_type(each, described, rules, known) for each in described)
    names = {
        name.lower(): each.name
        for each in (*known.attributes, *attributes)
        for name in (each.oid, each.name, *each.aliases)
    }
    classes = (_object_class(each, names, known) for each in Descriptions(subschema.values("objectClasses")))
    rules_of_content = (_content_rule(each, names) for each in Descriptions(subschema.values("dITContentRules")))
    return Schema(attributes, tuple(classes), tuple(rules_of_content))


def with_descriptions(schema: Schema, attributes: Iterable[bytes], classes: Iterable[bytes]) -> Schema:
    """Return *schema* with the published definitions *attributes* and *classes*, which win over its own."""
    published = {"attributeTypes": tuple(attributes), "objectClasses": tuple(classes)}
    return merged(schema_of(Entry.of(DN(), published), schema), schema)


def merged(server: Schema, known: Schema) -> Schema:
    """Return *server* with what *known* knows besides; where both know an OID or a name, the server wins."""

    def missing(each: AttributeType | ObjectClass, find: Callable[[str], object]) -> bool:
        return not any(find(name) for name in (each.oid, each.name, *each.aliases))

    return Schema(
        (*server.attributes, *(each for each in known.attributes if missing(each, server.attribute))),
        (*server.object_classes, *(each for each in known.object_classes if missing(each, server.object_class))),
        server.content_rules,
    )


def _attribute_type(
    each: Description, described: Descriptions, rules: Mapping[str, str], known: Schema
) -> AttributeType:
    line = tuple(_with_supertypes(each, described))

    def inherited(keyword: str) -> str:
        return next((word for word in (above.word(keyword) for above in line) if word), "")

    def rule(keyword: str) -> str | None:
        found = inherited(keyword)
        return rules.get(found, found) or None

    ours = known.attribute(each.oid)
    name, aliases = _named(each, ours.name if ours else "")
    return AttributeType(
        name,
        each.oid,
        syntax_name(inherited("SYNTAX").partition("{")[0]),
        rule("EQUALITY"),
        rule("SUBSTR"),
        "SINGLE-VALUE" in each.terms,
        aliases,
        each.word("DESC"),
        each.word("USAGE") not in ("", "userApplications"),
    )


def _with_supertypes(each: Description, described: Descriptions) -> Iterator[Description]:
    """Yield *each* and its supertypes upwards; one that is not there, or was there before, ends the line."""
    seen: set[str] = set()
    above: Description | None = each
    while above is not None and above.oid not in seen:
        seen.add(above.oid)
        yield above
        above = described.get(above.word("SUP"))


def _object_class(each: Description, names: Mapping[str, str], known: Schema) -> ObjectClass:
    ours = known.object_class(each.oid)
    name, aliases = _named(each, ours.name if ours else "")
    kind = next((kind for flag, kind in _KINDS.items() if flag in each.terms), _STRUCTURAL)
    return ObjectClass(
        name,
        each.oid,
        kind,
        each.words("SUP"),
        _canonical(each.words("MUST"), names),
        _canonical(each.words("MAY"), names),
        aliases,
        each.word("DESC"),
    )


def _content_rule(each: Description, names: Mapping[str, str]) -> ObjectClass:
    """Return what *each* requires and allows; which auxiliary classes it admits is for the server to judge."""
    must, may = _canonical(each.words("MUST"), names), _canonical(each.words("MAY"), names)
    return ObjectClass(each.names[0], each.oid, "auxiliary", (), must, may)


def _canonical(words: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(word.lower(), word) for word in words)


def _named(each: Description, ours: str) -> tuple[str, tuple[str, ...]]:
    """Return the name that counts, and the others; a description without a name goes by its OID."""
    first, *others = (ours, *each.names) if ours else each.names
    return first, tuple(other for other in dict.fromkeys(others) if other.lower() not in (first.lower(), each.oid))
