"""Definitions as a server publishes them in its subschema (RFC 4512 §4.1), read into ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from dcmcfg.errors import MalformedInput
from dcmcfg.schema.definitions import AttributeType, Kind, ObjectClass, Schema
from dcmcfg.schema.slapd import SYNTAX_NAMES

_WORD = re.compile(r"\s*('(?:[^'])*'|[()$]|[^\s()$']+)")
_FLAGS = frozenset(
    ("OBSOLETE", "SINGLE-VALUE", "COLLECTIVE", "NO-USER-MODIFICATION", "ABSTRACT", "STRUCTURAL", "AUXILIARY")
)


@dataclass(frozen=True)
class Description:
    """A definition as it was published: its OID, and what follows each keyword; ``text`` is all of it."""

    text: bytes
    oid: str
    fields: Mapping[str, tuple[str, ...]] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of what is defined, the first one first; its OID when it has none."""
        return self.fields.get("NAME", (self.oid,))

    @property
    def superiors(self) -> tuple[str, ...]:
        """What it is derived from."""
        return self.fields.get("SUP", ())


class Descriptions:
    """The definitions of one kind, by name and OID in any case."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._by_name: dict[str, Description] = {}
        for text in texts:
            found = parse_description(text)
            self._by_name |= {name.lower(): found for name in (found.oid, *found.names)}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def with_superiors(self, names: Iterable[str]) -> tuple[Description, ...]:
        """Return those called *names* that are known, with all above them, each once, in the order of their names."""
        found: dict[str, Description] = {}
        left = list(names)
        while left:
            known = self._by_name.get(left.pop().lower())
            if known is not None and known.oid not in found:
                found[known.oid] = known
                left += known.superiors
        return tuple(sorted(found.values(), key=lambda each: each.names[0].lower()))


def parse_description(text: bytes) -> Description:
    """Return the definition that *text* is (``( 2.5.4.3 NAME 'cn' … )``); raises :class:`MalformedInput`."""
    words = _words(text.decode("utf-8", "replace"))
    if next(words, "") != "(":
        raise _malformed(text)
    oid = next(words, "")
    fields: dict[str, tuple[str, ...]] = {}
    for word in words:
        if word == ")":
            break
        fields[word] = () if word in _FLAGS else tuple(_operand(words, text))
    else:
        raise _malformed(text)
    return Description(text, oid, fields)


def with_descriptions(schema: Schema, attributes: Iterable[bytes], classes: Iterable[bytes]) -> Schema:
    """Return *schema* with the published definitions *attributes* and *classes*, which win over its own."""
    defined: dict[str, AttributeType] = {}
    for described in _superiors_first(map(parse_description, attributes)):
        above = next((defined[name.lower()] for name in described.superiors if name.lower() in defined), None)
        own = _attribute_type(described, above)
        defined |= {name.lower(): own for name in (own.oid, own.name, *own.aliases)}
    known = Schema((*schema.attributes, *defined.values()), schema.object_classes)
    return replace(
        known, object_classes=(*schema.object_classes, *(_class(known, parse_description(c)) for c in classes))
    )


def _superiors_first(described: Iterable[Description]) -> list[Description]:
    """Put attribute types after those that they take their syntax and rules from."""
    left = list(described)
    by_name = {name.lower(): each for each in left for name in (each.oid, *each.names)}

    def depth(each: Description) -> int:
        count = 0
        while count < len(left) and each.superiors and each.superiors[0].lower() in by_name:
            each, count = by_name[each.superiors[0].lower()], count + 1
        return count

    return sorted(left, key=depth)


def _attribute_type(described: Description, above: AttributeType | None) -> AttributeType:
    def first(keyword: str) -> str | None:
        return next(iter(described.fields.get(keyword, ())), None)

    syntax = (first("SYNTAX") or "").partition("{")[0]
    name, *aliases = described.names
    return AttributeType(
        name,
        described.oid,
        SYNTAX_NAMES.get(syntax, syntax) if syntax else (above.syntax if above else ""),
        first("EQUALITY") or (above.equality if above else None),
        first("SUBSTR") or (above.substring if above else None),
        "SINGLE-VALUE" in described.fields,
        tuple(aliases),
    )


def _class(schema: Schema, described: Description) -> ObjectClass:
    """Return the class with its attributes by the names that *schema* calls them first."""

    def names(keyword: str) -> tuple[str, ...]:
        given = described.fields.get(keyword, ())
        return tuple(known.name if (known := schema.attribute(name)) else name for name in given)

    kinds = [kind for kind in ("abstract", "auxiliary") if kind.upper() in described.fields]
    kind = cast("Kind", kinds[0] if kinds else "structural")
    return ObjectClass(described.names[0], described.oid, kind, described.superiors, names("MUST"), names("MAY"))


def _words(text: str) -> Iterator[str]:
    return (match.group(1) for match in _WORD.finditer(text))


def _operand(words: Iterator[str], text: bytes) -> Iterator[str]:
    """Yield what follows a keyword: one word, or those in parentheses."""
    word = next(words, ")")
    if word == ")":
        raise _malformed(text)
    if word != "(":
        yield word.strip("'")
        return
    for inner in words:
        if inner == ")":
            return
        if inner != "$":
            yield inner.strip("'")
    raise _malformed(text)


def _malformed(text: bytes) -> MalformedInput:
    return MalformedInput("not a definition of RFC 4512", on=repr(text[:60].decode("utf-8", "replace")))
