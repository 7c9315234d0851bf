"""The LDAP schema: attribute types and object classes (RFC 4512 §4.1); dcm4chee-arc 5.35's is bundled."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from importlib import resources
from typing import Literal, cast

from dcmcfg.dn import DN, RDN, NormalDN
from dcmcfg.schema.equality import (
    Normaliser,
    get_normaliser,
    normalise_distinguished_name,
    normalise_object_identifier,
    normalise_octet_string,
)
from dcmcfg.schema_names import OBJECT_CLASS

ObjectClassKind = Literal["structural", "auxiliary", "abstract"]


# Positional, because keyword arguments make reading the schema slower: see tests/test_signatures.py.
@dataclass(frozen=True)
class AttributeType:
    """An attribute type; ``syntax`` and ``equality_rule`` are names from RFC 4517 (``IA5String``, ``integerMatch``).

    ``description`` comes from the server; it is empty in the bundled schema. The server maintains ``operational``
    attributes itself (RFC 4512 §3.4).
    """

    name: str
    oid: str
    syntax: str
    equality_rule: str | None = None
    substring_rule: str | None = None
    single_valued: bool = False
    aliases: tuple[str, ...] = ()
    description: str = ""
    operational: bool = False


# Positional, because keyword arguments make reading the schema slower: see tests/test_signatures.py.
@dataclass(frozen=True)
class ObjectClass:
    """An object class; ``must`` and ``may`` name attribute types, without those of ``superiors``."""

    name: str
    oid: str
    kind: ObjectClassKind
    superiors: tuple[str, ...] = ("top",)
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str = ""


# Schemas compare by identity: comparing all their definitions would be slow.
@dataclass(frozen=True, eq=False)
class Schema:
    """Attribute types and object classes by name, with the equality of values and DNs that they define.

    ``content_rules`` are a server's DIT content rules (RFC 4512 §4.1.6). Each is represented as an auxiliary class with
    the OID of the structural class that the rule applies to.
    """

    attributes: tuple[AttributeType, ...]
    object_classes: tuple[ObjectClass, ...]
    content_rules: tuple[ObjectClass, ...] = ()

    def attribute(self, name: str) -> AttributeType | None:
        """Return the attribute type *name*, or None if it is unknown.

        *name* is a name, alias or OID in any case; options (``;binary``) are ignored.
        """
        known = self._by_spelling
        if name not in known:
            known[name] = self._attributes.get(name.partition(";")[0].lower())
        return known[name]

    def object_class(self, name: str) -> ObjectClass | None:
        """Return the object class *name* (a name or OID in any case), or None if it is unknown."""
        return self._object_classes.get(name.lower())

    def normalise_value(self, name: str, value: bytes) -> bytes:
        """Return *value* in the normal form of attribute *name*'s equality rule.

        Two values of an attribute are equal exactly if their normal forms are equal. If the attribute is unknown or
        has no rule, the octets are returned unchanged.
        """
        return self.normalisers[name](value)

    def normalise_dn_value(self, attribute_type: str, value: str) -> str:
        """Return *value* of a DN in the normal form of its attribute's equality rule (a ``NormaliseValue``)."""
        # surrogateescape keeps octets that are not UTF-8 unchanged.
        normal = self.normalisers[attribute_type](value.encode("utf-8", "surrogateescape"))
        return normal.decode("utf-8", "surrogateescape")

    def normalise_dn(self, dn: DN) -> NormalDN:
        """Return the normal form of *dn*: each value by its attribute's equality rule, aliases as one type."""
        return dn.cache_normal_form(self, self._compute_normal_dn)

    def _compute_normal_dn(self, dn: DN) -> NormalDN:
        # The loop runs for every DN of a tree: a list is faster than a generator here.
        known = self._normal_rdns
        return tuple([known.get(rdn) or self._compute_normal_rdn(rdn) for rdn in dn.rdns])

    def _compute_normal_rdn(self, rdn: RDN) -> tuple[tuple[str, str], ...]:
        """Return the normal form of *rdn* and cache it: entries share the RDNs of their ancestors."""
        # An RDN is a set: the order of its parts is not significant (RFC 4512 §2.3.1).
        parts = sorted(
            (self._canonicalise_type(kind), self.normalise_dn_value(kind, value)) for kind, value in rdn.parts
        )
        self._normal_rdns[rdn] = found = tuple(parts)
        return found

    @cached_property
    def _normal_rdns(self) -> dict[RDN, tuple[tuple[str, str], ...]]:
        return {}

    def _canonicalise_type(self, name: str) -> str:
        known = self.attribute(name)
        return (known.name if known else name).lower()

    @cached_property
    def _by_spelling(self) -> dict[str, AttributeType | None]:
        """Attribute description as spelt → its type, cached: a plan looks up each attribute many times."""
        return {}

    @cached_property
    def _attributes(self) -> Mapping[str, AttributeType]:
        return {
            name.lower(): attribute
            for attribute in self.attributes
            for name in (attribute.oid, attribute.name, *attribute.aliases)
        }

    @cached_property
    def _object_classes(self) -> Mapping[str, ObjectClass]:
        return {
            name.lower(): known for known in self.object_classes for name in (known.oid, known.name, *known.aliases)
        }

    @cached_property
    def normalisers(self) -> Mapping[str, Normaliser]:
        """Attribute description as spelt → the function that normalises its values."""
        return Normalisers(self)


class Normalisers(dict[str, Normaliser]):
    """Attribute description as spelt → its normaliser, cached: reading a tree looks it up for each value."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self.schema = schema

    def __missing__(self, name: str) -> Normaliser:
        self[name] = found = self._find(name)
        return found

    def _find(self, name: str) -> Normaliser:
        attribute = self.schema.attribute(name)
        if attribute is None:
            return normalise_octet_string
        if attribute.name == OBJECT_CLASS:
            return self._normalise_class_name
        if attribute.equality_rule == "distinguishedNameMatch":
            # Many references name the same few connections, and parsing a DN is slow.
            return lru_cache(maxsize=4096)(partial(normalise_distinguished_name, normal_dn=self.schema.normalise_dn))
        return get_normaliser(attribute.equality_rule)

    def _normalise_class_name(self, value: bytes) -> bytes:
        """Return the normal form of an object class name; its OID has the same one (RFC 4512 §2.4)."""
        known = self.schema.object_class(value.decode("utf-8", "replace"))
        return known.name.lower().encode() if known else normalise_object_identifier(value)


class RDNNormaliser(dict[RDN, tuple[tuple[str, str], ...]]):
    """RDN as spelt → its normal form in a schema, cached: entries share the RDNs of their ancestors."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, rdn: RDN) -> tuple[tuple[str, str], ...]:
        (self[rdn],) = self._schema.normalise_dn(DN((rdn,)))
        return self[rdn]

    def normalise_dn(self, dn: DN) -> NormalDN:
        """Return the same as :meth:`Schema.normalise_dn`."""
        return tuple([self[rdn] for rdn in dn.rdns])


@cache
def load_bundled_schema() -> Schema:
    """Return the schema that is bundled with dcmcfg. It is read once, because this takes some milliseconds."""
    facts = json.loads(resources.files(__package__).joinpath("facts.json").read_bytes())
    return Schema(
        tuple(_parse_attribute_types(facts["attribute_types"])), tuple(_parse_object_classes(facts["object_classes"]))
    )


def _parse_attribute_types(facts: Mapping[str, Mapping[str, object]]) -> Iterable[AttributeType]:
    for name, fact in facts.items():
        yield AttributeType(
            name,
            cast("str", fact["oid"]),
            cast("str", fact["syntax"]),
            cast("str | None", fact.get("equality")),
            cast("str | None", fact.get("substr")),
            bool(fact.get("single")),
            tuple(cast("list[str]", fact.get("aliases", []))),
        )


def _parse_object_classes(facts: Mapping[str, Mapping[str, object]]) -> Iterable[ObjectClass]:
    for name, fact in facts.items():
        yield ObjectClass(
            name,
            cast("str", fact["oid"]),
            cast("ObjectClassKind", fact["kind"]),
            tuple(cast("list[str]", fact["sup"])),
            tuple(cast("list[str]", fact["must"])),
            tuple(cast("list[str]", fact["may"])),
        )
