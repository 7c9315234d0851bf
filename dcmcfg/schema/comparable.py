"""Schema definitions in a form that can be compared: by OID, without descriptions and without the order of lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache

from dcmcfg.errors import MalformedInput
from dcmcfg.schema.directives import expand_definition
from dcmcfg.schema.subschema import SchemaDescription, parse_description

_ATTRIBUTE_WORDS = ("EQUALITY", "ORDERING", "SUBSTR", "SYNTAX", "USAGE")
_ATTRIBUTE_FLAGS = ("OBSOLETE", "SINGLE-VALUE", "COLLECTIVE", "NO-USER-MODIFICATION")
_AUXILIARY = "AUXILIARY"
_CLASS_KINDS = ("ABSTRACT", _AUXILIARY)
_NO_MACROS: Mapping[str, str] = {}


class DefinitionKind(Enum):
    """The kinds of definitions that a schema update changes."""

    ATTRIBUTE = "attribute"
    CLASS = "object class"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A definition of an attribute type or object class.

    ``text`` is the definition as the server or the file has it, without a position. ``names`` and all references are
    in lower case. ``superiors`` are supertypes or superior classes; ``attributes`` are those that a class requires
    (``required``) or allows. Definitions with the same OID and ``shape`` are the same, apart from descriptions.
    """

    kind: DefinitionKind
    text: bytes
    oid: str
    label: str
    names: tuple[str, ...]
    superiors: frozenset[str]
    attributes: frozenset[str]
    required: frozenset[str]
    shape: tuple[object, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The names and the OID, by which other definitions refer to this one."""
        return frozenset((self.oid, *self.names))

    @property
    def is_auxiliary(self) -> bool:
        """Whether this is an auxiliary object class."""
        return _AUXILIARY in self.shape

    def is_same(self, other: Definition) -> bool:
        """Return whether *other* defines the same object in the same way."""
        return self.oid == other.oid and self.shape == other.shape


def parse_definition(kind: DefinitionKind, text: bytes, macros: Mapping[str, str] = _NO_MACROS) -> Definition:
    """Return the definition *text*, whose OIDs may be *macros*; raises :class:`MalformedInput`."""
    found = _parse_numeric(kind, text)
    if found is None:
        expanded = expand_definition(text.decode("utf-8", "replace"), macros)
        found = _parse_numeric(kind, expanded.encode())
    if found is None:
        raise MalformedInput("the definition has no numeric OID", subject=repr(text[:60].decode("utf-8", "replace")))
    return replace(found, text=text)


# The same definitions are read again after each change of a schema.
@lru_cache(maxsize=8192)
def _parse_numeric(kind: DefinitionKind, text: bytes) -> Definition | None:
    """Return the definition *text*, or None if an OID in it is a macro; raises :class:`MalformedInput`."""
    parsed = parse_description(text)
    syntax = parsed.get_word("SYNTAX")
    if not parsed.oid[:1].isdigit() or (syntax and not syntax[:1].isdigit()):
        return None
    attributes = frozenset(_lower(parsed, "MUST") + _lower(parsed, "MAY"))
    superiors = frozenset(_lower(parsed, "SUP"))
    names = tuple(each.lower() for each in parsed.names)
    shape: tuple[object, ...]
    if kind is DefinitionKind.ATTRIBUTE:
        shape = (
            names,
            superiors,
            *(parsed.get_word(each).lower() for each in _ATTRIBUTE_WORDS),
            *(each in parsed.terms for each in _ATTRIBUTE_FLAGS),
        )
    else:
        class_kind = next((each for each in _CLASS_KINDS if each in parsed.terms), "STRUCTURAL")
        lists = (frozenset(_lower(parsed, "MUST")), frozenset(_lower(parsed, "MAY")))
        # A class without SUP is derived from top, except for top itself (RFC 4512 §4.1.1).
        shape = (names, superiors or frozenset(("top",)), class_kind, *lists, "OBSOLETE" in parsed.terms)
    return Definition(
        kind=kind,
        text=text,
        oid=parsed.oid,
        label=parsed.names[0],
        names=names,
        superiors=superiors,
        attributes=attributes,
        required=frozenset(_lower(parsed, "MUST")),
        shape=shape,
    )


def _lower(parsed: SchemaDescription, keyword: str) -> tuple[str, ...]:
    return tuple(each.lower() for each in parsed.get_words(keyword))
