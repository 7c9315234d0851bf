"""The schema: attribute types with object classes (RFC 4512 §4.1), bundled as facts of dcm4chee-arc 5.35."""

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


# Positional, because keywords cost: see tests/test_signatures.py.
@dataclass(frozen=True)
class AttributeType:
    """An attribute type; ``syntax`` and ``equality_rule`` by their names in RFC 4517 (``IA5String``, ``integerMatch``).

    ``description`` is the server's own, empty in the bundled facts. ``operational`` attributes are kept by the server
    (RFC 4512 §3.4).
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


# Positional, because keywords cost: see tests/test_signatures.py.
@dataclass(frozen=True)
class ObjectClass:
    """An object class; ``must`` and ``may`` name attribute types, those of ``superiors`` not included."""

    name: str
    oid: str
    kind: ObjectClassKind
    superiors: tuple[str, ...] = ("top",)
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, eq=False)
class Schema:
    """Definitions by name, with what they say about when two values or two names are equal.

    ``content_rules`` are a server's DIT content rules (RFC 4512 §4.1.6): what each requires and allows, as an auxiliary
    class whose OID is that of the structural class that it is for.
    """

    attributes: tuple[AttributeType, ...]
    object_classes: tuple[ObjectClass, ...]
    content_rules: tuple[ObjectClass, ...] = ()

    def attribute(self, name: str) -> AttributeType | None:
        """Return the attribute type *name*, or None when it is not known.

        *name* is a name, alias or OID in any case; options (``;binary``) are ignored.
        """
        known = self._by_spelling
        if name not in known:
            known[name] = self._attributes.get(name.partition(";")[0].lower())
        return known[name]

    def object_class(self, name: str) -> ObjectClass | None:
        """Return the object class *name* (a name or OID in any case), or None when it is not known."""
        return self._object_classes.get(name.lower())

    def normalise_value(self, name: str, value: bytes) -> bytes:
        """Return *value* in the normal form of attribute *name*'s equality rule.

        Two values of one attribute are equal exactly when their normal forms are. Octets as they are when the
        attribute is not known or has no rule.
        """
        return self.normalisers[name](value)

    def normalise_dn_value(self, attribute_type: str, value: str) -> str:
        """Return *value*, as it stands in a DN, in the normal form of its attribute's rule (a ``NormaliseValue``)."""
        normal = self.normalisers[attribute_type](value.encode("utf-8", "surrogateescape"))
        return normal.decode("utf-8", "surrogateescape")

    def normalise_dn(self, dn: DN) -> NormalDN:
        """Return the form in which equal DNs are equal: each value by its attribute's rule, aliases as one type."""
        return dn.cache_normal_form(self, self._compute_normal_dn)

    def _compute_normal_dn(self, dn: DN) -> NormalDN:
        known = self._normal_rdns
        return tuple([known.get(rdn) or self._compute_normal_rdn(rdn) for rdn in dn.rdns])

    def _compute_normal_rdn(self, rdn: RDN) -> tuple[tuple[str, str], ...]:
        """Return the normal form of *rdn*, kept for the next time: entries share what is above them."""
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
        """Attribute description as spelt → its type, found once: a plan asks for each attribute many times."""
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
        """Attribute description as spelt → what brings its values into their normal form."""
        return Normalisers(self)


class Normalisers(dict[str, Normaliser]):
    """Attribute description as spelt → its normaliser, found once: reading a tree asks for each value."""

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
            return lru_cache(maxsize=4096)(partial(normalise_distinguished_name, normal_dn=self.schema.normalise_dn))
        return get_normaliser(attribute.equality_rule)

    def _normalise_class_name(self, value: bytes) -> bytes:
        """A class is the same by name or by OID (RFC 4512 §2.4)."""
        known = self.schema.object_class(value.decode("utf-8", "replace"))
        return known.name.lower().encode() if known else normalise_object_identifier(value)


class RDNNormaliser(dict[RDN, tuple[tuple[str, str], ...]]):
    """RDN as spelt → its normal form in a schema, worked out once: entries share what is above them."""

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self._schema = schema

    def __missing__(self, rdn: RDN) -> tuple[tuple[str, str], ...]:
        (self[rdn],) = self._schema.normalise_dn(DN((rdn,)))
        return self[rdn]

    def normalise_dn(self, dn: DN) -> NormalDN:
        """Return what :meth:`Schema.normalise_dn` does."""
        return tuple([self[rdn] for rdn in dn.rdns])


@cache
def load_bundled_schema() -> Schema:
    """Return the schema that comes with dcmcfg; read once, it takes some milliseconds."""
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
