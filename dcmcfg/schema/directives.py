"""Parse schema files in the form of OpenLDAP's slapd.conf (``dicom.schema``): slapd.conf(5), RFC 4512 §4.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.errors import MalformedInput
from dcmcfg.schema_names import OBJECT_CLASS

#: The directives of slapd.conf(5) that define something, in lower case; slapd accepts both spellings.
_ATTRIBUTES = frozenset(("attributetype", "attributetypes"))
_CLASSES = frozenset((OBJECT_CLASS.lower(), f"{OBJECT_CLASS.lower()}es"))
_MACROS = frozenset(("objectidentifier", "objectidentifiers"))
_NUMERIC_OID = re.compile(r"\d+(?:\.\d+)*")
_WORD = re.compile(r"'[^']*'|[()$]|[^\s()$']+")


@dataclass(frozen=True)
class SchemaDirectives:
    """The definitions of a schema file, in its order; each is one line without macros: ``( 1.2.3 NAME 'x' … )``."""

    attribute_types: tuple[bytes, ...]
    object_classes: tuple[bytes, ...]


def parse_directives(content: bytes, name: str) -> SchemaDirectives:
    """Return the definitions in *content*, the schema file *name*.

    OID macros (``objectidentifier dcm 1.2.40``, used as ``dcm:3``) are expanded. Raises :class:`MalformedInput` for
    text that is not UTF-8, and for an unknown macro.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("the schema file is not UTF-8 text", subject=name) from error
    macros: dict[str, str] = {}
    attribute_types, object_classes = [], []
    for number, line in _iterate_lines(text):
        directive, _, rest = line.partition(" ")
        try:
            match directive.lower():
                case word if word in _MACROS:
                    macro, _, value = rest.partition(" ")
                    macros[macro.lower()] = expand_oid(value.strip(), macros)
                case word if word in _ATTRIBUTES:
                    attribute_types.append(expand_definition(rest, macros).encode())
                case word if word in _CLASSES:
                    object_classes.append(expand_definition(rest, macros).encode())
        except MalformedInput as error:
            raise MalformedInput(error.message, subject=f"{name}:{number}") from error
    return SchemaDirectives(tuple(attribute_types), tuple(object_classes))


def _iterate_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each directive with its 1-based line; blanks are single, and lines that begin with a blank are joined."""
    start, parts = 0, [""]
    # A form feed or a Unicode line separator does not end a line of slapd.conf.
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line[:1].isspace():
            parts.append(line)
            continue
        yield from _join(start, parts)
        start, parts = number, [line]
    yield from _join(start, parts)


def _join(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    line = " ".join(" ".join(parts).split())
    # The lines that continue a comment belong to it.
    if line and not parts[0].startswith("#"):
        yield number, line


def expand_definition(text: str, macros: Mapping[str, str]) -> str:
    """Return the definition *text* with numeric OIDs, and numeric OIDs of syntaxes; raises :class:`MalformedInput`."""
    previous, position, index = "", 0, 0
    parts: list[str] = []
    for match in _WORD.finditer(text):
        if index == 1 or previous == "SYNTAX":
            word = match[0].strip("'")
            oid, brace, length = word.partition("{")
            parts += text[position : match.start()], expand_oid(oid, macros) + brace + length
            position = match.end()
        previous, index = match[0].upper(), index + 1
    return "".join((*parts, text[position:]))


def expand_oid(text: str, macros: Mapping[str, str]) -> str:
    """Return *text*, an OID or ``MACRO`` or ``MACRO:SUFFIX``, as a numeric OID; raises :class:`MalformedInput`."""
    if _NUMERIC_OID.fullmatch(text):
        return text
    macro, colon, suffix = text.partition(":")
    prefix = macros.get(macro.lower())
    if prefix is None or (colon and not _NUMERIC_OID.fullmatch(suffix)):
        raise MalformedInput(f"the OID {text[:80]!r} is neither numeric nor a defined macro")
    return f"{prefix}.{suffix}" if colon else prefix
