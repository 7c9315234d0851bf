"""Parse a server's own schema from the descriptions in its subschema entry (RFC 4512 §4.2).

Servers publish descriptions as text: ``( 2.5.4.3 NAME 'cn' … )`` (RFC 4512 §4.1).

This module does not use ldap3's schema classes: they mistake words in a DESC for keywords, do not undo escapes, and
reject all descriptions if one is malformed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.schema.definitions import AttributeType, ObjectClass, ObjectClassKind, Schema
from dcmcfg.schema.syntaxes import get_syntax_name

#: A quoted string ends at a quote that precedes a blank or a parenthesis: some servers do not escape apostrophes.
_TOKEN = re.compile(r"'(.*?)'(?=[\s()]|$)|([()$])|([^\s()$]+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(27|5c)", re.IGNORECASE)
_FLAGS = frozenset(
    ("OBSOLETE", "SINGLE-VALUE", "COLLECTIVE", "NO-USER-MODIFICATION", "ABSTRACT", "STRUCTURAL", "AUXILIARY")
)


class SchemaDescription(NamedTuple):
    """A parsed description; ``terms`` maps each keyword (in capitals) to its words, none for a flag."""

    text: bytes
    oid: str
    terms: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the description; the OID if there is no name."""
        return self.get_words("NAME") or (self.oid,)

    @property
    def superiors(self) -> tuple[str, ...]:
        """The types or classes that this definition is derived from."""
        return self.get_words("SUP")

    def get_words(self, keyword: str) -> tuple[str, ...]:
        """Return the words of *keyword*, none if it is missing."""
        return self.terms.get(keyword, ())

    def get_word(self, keyword: str) -> str:
        """Return the first word of *keyword*, empty if there is none."""
        return next(iter(self.get_words(keyword)), "")


class SchemaDescriptions:
    """The definitions of one kind that a server publishes, by name and OID in any case; malformed ones are ignored."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._all = tuple(_parse_valid(texts))
        self._by_name = {name.lower(): each for each in self._all for name in (each.oid, *each.names)}

    def __iter__(self) -> Iterator[SchemaDescription]:
        return iter(self._all)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def get(self, name: str) -> SchemaDescription | None:
        """Return the definition with the name or OID *name*, or None if there is none."""
        return self._by_name.get(name.lower())

    def with_superiors(self, names: Iterable[str]) -> tuple[SchemaDescription, ...]:
        """Return the known definitions of *names* with all their superiors, each once, ordered by name."""
        found: dict[str, SchemaDescription] = {}
        pending = list(names)
        while pending:
            known = self.get(pending.pop())
            if known is not None and known.oid not in found:
                found[known.oid] = known
                pending += known.superiors
        return tuple(sorted(found.values(), key=lambda each: each.names[0].lower()))


def parse_description(text: bytes) -> SchemaDescription:
    """Parse the description *text*; raises :class:`MalformedInput` if it is not a description.

    The parser is tolerant: words may be quoted or not, lists may have parentheses or not, keywords may have any case.
    It ignores unknown keywords, stray words and everything after the closing parenthesis.
    """
    tokens: list[tuple[str, str, str]] = _TOKEN.findall(text.decode("utf-8", "replace"))
    if len(tokens) < 3 or tokens[0][1] != "(" or tokens[1][1]:
        raise _build_error(text)
    terms: dict[str, tuple[str, ...]] = {}
    position = 2
    while position < len(tokens) and tokens[position][1] != ")":
        keyword = tokens[position][2].upper()
        position += 1
        if keyword in _FLAGS:
            terms[keyword] = ()
        elif keyword:
            words, position = _parse_words(tokens, position)
            terms.setdefault(keyword, words)
    # Without its closing parenthesis, a description was cut off.
    if position >= len(tokens):
        raise _build_error(text)
    return SchemaDescription(text, tokens[1][2] or tokens[1][0], terms)


def _parse_valid(texts: Iterable[bytes]) -> Iterator[SchemaDescription]:
    for text in texts:
        with suppress(MalformedInput):
            yield parse_description(text)


def _build_error(text: bytes) -> MalformedInput:
    return MalformedInput("not a schema definition (RFC 4512)", subject=repr(text[:60].decode("utf-8", "replace")))


def _parse_words(tokens: list[tuple[str, str, str]], position: int) -> tuple[tuple[str, ...], int]:
    """Return the word at *position*, or the words of the list that begins there, and the next position."""
    if position < len(tokens) and tokens[position][1] != "(":
        quoted, punctuation, word = tokens[position]
        return ((), position) if punctuation else ((word or _unescape(quoted),), position + 1)
    found = []
    position += 1
    while position < len(tokens) and tokens[position][1] != ")":
        quoted, punctuation, word = tokens[position]
        if not punctuation:
            found.append(word or _unescape(quoted))
        position += 1
    return tuple(found), position + 1


def _unescape(quoted: str) -> str:
    r"""Return a quoted string with its escapes undone (``\\27``, ``\\5c``)."""
    return _ESCAPED.sub(lambda match: "'" if match[1] == "27" else "\\", quoted) if "\\" in quoted else quoted


#: The attributes of a subschema entry to read.
SUBSCHEMA_ATTRIBUTES = ("attributeTypes", "objectClasses", "matchingRules", "dITContentRules")
_STRUCTURAL: ObjectClassKind = "structural"
_KINDS: Mapping[str, ObjectClassKind] = {"ABSTRACT": "abstract", "AUXILIARY": "auxiliary"}


def parse_subschema(subschema: Entry, known: Schema) -> Schema:
    """Return the schema that the entry *subschema* describes; malformed descriptions are ignored.

    An attribute type without syntax or rules inherits those of its supertype (RFC 4512 §2.5.1). A definition whose OID
    is in *known* gets the name from *known*, and the server's names become aliases, because dcmcfg's tables use the
    known names.
    """
    # A description may name a matching rule by its OID, but the table of equality rules uses names.
    rules = {rule.oid: rule.names[0] for rule in SchemaDescriptions(subschema.values("matchingRules"))}
    descriptions = SchemaDescriptions(subschema.values("attributeTypes"))
    attributes = tuple(_build_attribute_type(each, descriptions, rules, known) for each in descriptions)
    # Classes may name attributes by OID or alias. *known* helps if the server does not publish their definitions.
    names = {
        name.lower(): each.name
        for each in (*known.attributes, *attributes)
        for name in (each.oid, each.name, *each.aliases)
    }
    classes = (
        _build_object_class(each, names, known) for each in SchemaDescriptions(subschema.values("objectClasses"))
    )
    content_rules = (
        _build_content_rule(each, names) for each in SchemaDescriptions(subschema.values("dITContentRules"))
    )
    return Schema(attributes, tuple(classes), tuple(content_rules))


def merge_descriptions(schema: Schema, attributes: Iterable[bytes], classes: Iterable[bytes]) -> Schema:
    """Return *schema* with the published definitions *attributes* and *classes*, which take precedence."""
    published = {"attributeTypes": tuple(attributes), "objectClasses": tuple(classes)}
    return merge_schemas(parse_subschema(Entry.from_values(DN(), published), schema), schema)


def merge_schemas(server: Schema, known: Schema) -> Schema:
    """Return *server* with the additional definitions of *known*; *server* takes precedence for equal OIDs or names."""

    def is_missing(each: AttributeType | ObjectClass, find: Callable[[str], object]) -> bool:
        return not any(find(name) for name in (each.oid, each.name, *each.aliases))

    return Schema(
        (*server.attributes, *(each for each in known.attributes if is_missing(each, server.attribute))),
        (*server.object_classes, *(each for each in known.object_classes if is_missing(each, server.object_class))),
        server.content_rules,
    )


def _build_attribute_type(
    each: SchemaDescription, descriptions: SchemaDescriptions, rules: Mapping[str, str], known: Schema
) -> AttributeType:
    supertypes = tuple(_iterate_supertypes(each, descriptions))

    def get_inherited_word(keyword: str) -> str:
        return next((word for word in (supertype.get_word(keyword) for supertype in supertypes) if word), "")

    def get_rule(keyword: str) -> str | None:
        found = get_inherited_word(keyword)
        return rules.get(found, found) or None

    known_type = known.attribute(each.oid)
    name, aliases = _choose_names(each, known_type.name if known_type else "")
    return AttributeType(
        name,
        each.oid,
        # A syntax may have a length bound in braces: ``1.3.6.1.4.1.1466.115.121.1.15{64}`` (RFC 4512 §4.1.2).
        get_syntax_name(get_inherited_word("SYNTAX").partition("{")[0]),
        get_rule("EQUALITY"),
        get_rule("SUBSTR"),
        "SINGLE-VALUE" in each.terms,
        aliases,
        each.get_word("DESC"),
        # userApplications is the default. All other usages are operational (RFC 4512 §4.1.2).
        each.get_word("USAGE") not in ("", "userApplications"),
    )


def _iterate_supertypes(each: SchemaDescription, descriptions: SchemaDescriptions) -> Iterator[SchemaDescription]:
    """Yield *each* and its supertypes upwards, up to a missing or repeated supertype."""
    seen: set[str] = set()
    supertype: SchemaDescription | None = each
    while supertype is not None and supertype.oid not in seen:
        seen.add(supertype.oid)
        yield supertype
        supertype = descriptions.get(supertype.get_word("SUP"))


def _build_object_class(each: SchemaDescription, names: Mapping[str, str], known: Schema) -> ObjectClass:
    known_class = known.object_class(each.oid)
    name, aliases = _choose_names(each, known_class.name if known_class else "")
    # Structural is the default kind (RFC 4512 §4.1.1).
    kind = next((kind for flag, kind in _KINDS.items() if flag in each.terms), _STRUCTURAL)
    return ObjectClass(
        name,
        each.oid,
        kind,
        each.get_words("SUP"),
        _canonicalise(each.get_words("MUST"), names),
        _canonicalise(each.get_words("MAY"), names),
        aliases,
        each.get_word("DESC"),
    )


def _build_content_rule(each: SchemaDescription, names: Mapping[str, str]) -> ObjectClass:
    """Return the attributes that *each* requires and allows. Only the server checks the auxiliary classes."""
    must, may = _canonicalise(each.get_words("MUST"), names), _canonicalise(each.get_words("MAY"), names)
    return ObjectClass(each.names[0], each.oid, "auxiliary", (), must, may)


def _canonicalise(words: Iterable[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(names.get(word.lower(), word) for word in words)


def _choose_names(each: SchemaDescription, known_name: str) -> tuple[str, tuple[str, ...]]:
    """Return the primary name and the aliases; the OID is the name of a description without a name."""
    first, *others = (known_name, *each.names) if known_name else each.names
    return first, tuple(other for other in dict.fromkeys(others) if other.lower() not in (first.lower(), each.oid))
