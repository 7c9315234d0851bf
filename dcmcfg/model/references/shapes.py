"""Shapes of values that contain names: single names, pairs, URIs, paths, conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.model.references.kinds import EntityKind, NameUse

_SPECIAL = r"\.[]{}()*+?^$|"
#: A backslash before a letter or digit has a meaning (``\d``). Before any other character it makes it literal.
_LITERAL = re.compile(r"(?:[^\\.\[\]{}()*+?^$|]|\\[^A-Za-z0-9])+")
_ARCHIVE_PATH = re.compile(r"/[^/]+/aets/([^/]+)(?=/|$)")


# Positional, because keyword arguments make reading a tree slower: see tests/test_signatures.py.
@dataclass(frozen=True)
class NameInValue:
    """A name in a value, at the characters from ``start`` to ``end``.

    ``text`` is the name without escaping; it differs from the characters only in a regular expression (``is_pattern``).
    """

    kind: EntityKind
    use: NameUse
    start: int
    end: int
    text: str
    is_pattern: bool = False

    def format_replacement(self, name: str) -> str:
        """Return the text that replaces this name by *name*, escaped in a pattern."""
        if not self.is_pattern:
            return name
        return "".join("\\" + character if character in _SPECIAL else character for character in name)


Shape = Callable[[str], Iterator[NameInValue]]


def make_bare_name_shape(kind: EntityKind, use: NameUse) -> Shape:
    """Return the shape of values that consist of a name only."""

    def shape(value: str) -> Iterator[NameInValue]:
        yield from _yield_name(kind, use, value, start=0, end=len(value))

    return shape


def make_leading_name_shape(separator: str, kind: EntityKind, use: NameUse) -> Shape:
    """Return the shape ``NAME<separator>…``.

    A value without *separator* holds no name (``dcmMultipleStoreAssociations: 2``).
    """

    def shape(value: str) -> Iterator[NameInValue]:
        end = value.find(separator)
        if end > 0:
            yield from _yield_name(kind, use, value, start=0, end=end)

    return shape


def make_name_pair_shape(separator: str, kind: EntityKind, first: NameUse, second: NameUse) -> Shape:
    """Return the shape ``NAME<separator>NAME``."""

    def shape(value: str) -> Iterator[NameInValue]:
        end = value.find(separator)
        if end > 0:
            yield from _yield_name(kind, first, value, start=0, end=end)
            yield from _yield_name(kind, second, value, start=end + len(separator), end=len(value))

    return shape


def make_bracketed_name_shape(kind: EntityKind, use: NameUse) -> Shape:
    """Return the shape ``[NAME]…`` (dcmMasqueradeCallingAETitle uses it to limit a title to one called AE)."""

    def shape(value: str) -> Iterator[NameInValue]:
        end = value.find("]")
        if value.startswith("[") and end > 1:
            yield from _yield_name(kind, use, value, start=1, end=end)

    return shape


def make_uri_shape(schemes: Mapping[str, tuple[EntityKind, NameUse]]) -> Shape:
    """Return the shape ``scheme:NAME``, with an optional colon at the end (``storage:fs2:``).

    Values with other schemes and URLs contain no name.
    """

    def shape(value: str) -> Iterator[NameInValue]:
        scheme, colon, rest = value.partition(":")
        if colon and scheme in schemes and "/" not in rest:
            start = len(scheme) + 1
            kind, use = schemes[scheme]
            yield from _yield_name(kind, use, value, start=start, end=start + len(rest.removesuffix(":")))

    return shape


def make_archive_path_shape(use: NameUse) -> Shape:
    """Return the shape ``/dcm4chee-arc/aets/AET/rs`` of the archive's web services."""

    def shape(value: str) -> Iterator[NameInValue]:
        if found := _ARCHIVE_PATH.match(value):
            yield from _yield_name(EntityKind.AE, use, value, start=found.start(1), end=found.end(1))

    return shape


def make_keyed_shape(shapes: Mapping[str, Shape]) -> Shape:
    """Return the shape ``key=…`` or ``key!=…``; *shapes* has the shape of the rest by key."""

    def shape(value: str) -> Iterator[NameInValue]:
        key, equals, rest = value.partition("=")
        rest_shape = shapes.get(key.removesuffix("!"))
        if equals and rest_shape is not None:
            for name in rest_shape(rest):
                offset = len(key) + 1
                yield NameInValue(
                    name.kind, name.use, name.start + offset, name.end + offset, name.text, name.is_pattern
                )

    return shape


def make_condition_shape(kind: EntityKind, use: NameUse) -> Shape:
    """Return the shape of a condition's right side: a regular expression for the whole value (Conditions).

    Names are the alternatives that match a single text. ``CT.*`` and nested groups contain no names.
    """

    def shape(value: str) -> Iterator[NameInValue]:
        start, end = 0, len(value)
        if value.startswith("(") and value.endswith(")"):
            # A group around the whole pattern changes nothing; ``(?:`` is three characters long.
            start, end = (3 if value.startswith("(?:") else 1), end - 1
        # Escaped brackets are literal, so they are removed before the test.
        if any(character in "()[]" for character in re.sub(r"\\.", "", value[start:end])):
            return
        for match in re.finditer(r"(?:\\.|[^|\\])+", value[start:end]):
            text = match.group()
            if _LITERAL.fullmatch(text):
                unescaped = re.sub(r"\\(.)", r"\1", text)
                yield NameInValue(kind, use, start + match.start(), start + match.end(), unescaped, is_pattern=True)

    return shape


def _yield_name(kind: EntityKind, use: NameUse, value: str, *, start: int, end: int) -> Iterator[NameInValue]:
    """Yield the name, unless it is empty or contains a system property (``${env.AE}``)."""
    text = value[start:end]
    if text and "${" not in text:
        yield NameInValue(kind, use, start, end, text)
