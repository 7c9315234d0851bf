"""The shapes in which a value holds names: alone, in pairs, in URIs, in paths, in conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.model.references.kinds import Kind, Use

_SPECIAL = r"\.[]{}()*+?^$|"
_LITERAL = re.compile(r"(?:[^\\.\[\]{}()*+?^$|]|\\[^A-Za-z0-9])+")
_ARCHIVE_PATH = re.compile(r"/[^/]+/aets/([^/]+)(?=/|$)")


@dataclass(frozen=True)
class Name:
    """A name in a value: its characters from ``start`` to ``end``.

    ``text`` is what they mean; it differs from them where they stand in a regular expression (``pattern``) and one
    is escaped.
    """

    kind: Kind
    use: Use
    start: int
    end: int
    text: str
    pattern: bool = False

    def spelled(self, name: str) -> str:
        """Return *name* as it has to be written in the place of this one."""
        if not self.pattern:
            return name
        return "".join("\\" + character if character in _SPECIAL else character for character in name)


Shape = Callable[[str], Iterator[Name]]


def plain(kind: Kind, use: Use) -> Shape:
    """Return the shape in which the value is the name."""

    def shape(value: str) -> Iterator[Name]:
        yield from _name(kind, use, value, 0, len(value))

    return shape


def before(mark: str, kind: Kind, use: Use) -> Shape:
    """Return the shape ``NAME<mark>…``; a value without *mark* holds no name (``dcmMultipleStoreAssociations: 2``)."""

    def shape(value: str) -> Iterator[Name]:
        at = value.find(mark)
        if at > 0:
            yield from _name(kind, use, value, 0, at)

    return shape


def pair(mark: str, kind: Kind, first: Use, second: Use) -> Shape:
    """Return the shape ``NAME<mark>NAME``."""

    def shape(value: str) -> Iterator[Name]:
        at = value.find(mark)
        if at > 0:
            yield from _name(kind, first, value, 0, at)
            yield from _name(kind, second, value, at + len(mark), len(value))

    return shape


def in_brackets(kind: Kind, use: Use) -> Shape:
    """Return the shape ``[NAME]…`` (dcmMasqueradeCallingAETitle limits a title to one called AE by it)."""

    def shape(value: str) -> Iterator[Name]:
        end = value.find("]")
        if value.startswith("[") and end > 1:
            yield from _name(kind, use, value, 1, end)

    return shape


def uri(schemes: Mapping[str, tuple[Kind, Use]]) -> Shape:
    """Return the shape ``scheme:NAME``; other schemes and URLs hold no name (``storage:fs2:`` may end in a colon)."""

    def shape(value: str) -> Iterator[Name]:
        scheme, colon, rest = value.partition(":")
        if colon and scheme in schemes and "/" not in rest:
            start = len(scheme) + 1
            yield from _name(*schemes[scheme], value, start, start + len(rest.removesuffix(":")))

    return shape


def archive_path(use: Use) -> Shape:
    """Return the shape ``/dcm4chee-arc/aets/AET/rs`` of the archive's web services."""

    def shape(value: str) -> Iterator[Name]:
        if found := _ARCHIVE_PATH.match(value):
            yield from _name(Kind.AE, use, value, *found.span(1))

    return shape


def keyed(shapes: Mapping[str, Shape]) -> Shape:
    """Return the shape ``key=…`` or ``key!=…``, what follows being of the shape that *shapes* gives for its key."""

    def shape(value: str) -> Iterator[Name]:
        key, equals, rest = value.partition("=")
        of_rest = shapes.get(key.removesuffix("!"))
        if equals and of_rest is not None:
            for name in of_rest(rest):
                at = len(key) + 1
                yield Name(name.kind, name.use, name.start + at, name.end + at, name.text, name.pattern)

    return shape


def condition(kind: Kind, use: Use) -> Shape:
    """Return the shape of a condition's right side: a regular expression for the whole value (Conditions).

    Names are those of its alternatives that stand for one text; ``CT.*`` and what is nested hold none.
    """

    def shape(value: str) -> Iterator[Name]:
        start, end = 0, len(value)
        if value.startswith("(") and value.endswith(")"):
            start, end = (3 if value.startswith("(?:") else 1), end - 1
        if any(character in "()[]" for character in re.sub(r"\\.", "", value[start:end])):
            return
        for found in re.finditer(r"(?:\\.|[^|\\])+", value[start:end]):
            text = found.group()
            if _LITERAL.fullmatch(text):
                meant = re.sub(r"\\(.)", r"\1", text)
                yield Name(kind, use, start + found.start(), start + found.end(), meant, pattern=True)

    return shape


def _name(kind: Kind, use: Use, value: str, start: int, end: int) -> Iterator[Name]:
    """Yield the name; none where it is empty or a system property stands for it (``${env.AE}``)."""
    text = value[start:end]
    if text and "${" not in text:
        yield Name(kind, use, start, end, text)
