"""A configuration as it is below another base DN.

What stays behind when a configuration is taken to another base DN, to be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.dn import DN, is_at_or_below, rdn_starts
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.tree import canonical_name, with_naming_values
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import allowed_attributes, requires

#: The syntaxes of names, with what may follow the DN in a value (RFC 4517 §3.3.9 and §3.3.21).
_AFTER_DN = {"DN": re.compile(r"\Z"), "NameAndOptionalUID": re.compile(r"(?:#'[01]*'B)?\Z")}
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_BLANKS = re.compile(rb" *([,=]) *")


@dataclass(frozen=True)
class Rebasing:
    """What is at and below the DN *old*, as it is at and below *new*; everything else stays as it is.

    Which values are DNs is what *schema* says of their attributes. What stands before the base in a name keeps its
    spelling.
    """

    schema: Schema
    old: DN
    new: DN

    def takes(self, dn: DN) -> bool:
        """Tell whether *dn* is at or below the old base."""
        return is_at_or_below(self.schema.normal_dn(dn), self._base)

    def dn(self, dn: DN) -> DN:
        """Return *dn* at the new base."""
        return dn.rebased(self.old, self.new) if self.takes(dn) else dn

    def holds_names(self, attribute: str) -> bool:
        """Tell whether the values of *attribute*, a description with its options, are DNs."""
        return self._syntax(attribute) in _AFTER_DN

    def value(self, attribute: str, value: bytes) -> bytes:
        """Return *value* of *attribute* with the new base, where it is a DN at or below the old one."""
        after = _AFTER_DN.get(self._syntax(attribute))
        if after is None:
            return value
        text = value.decode("utf-8", "surrogateescape")
        found = after.search(text)
        end = found.start() if found else len(text)
        return f"{self._taken(text[:end])}{text[end:]}".encode("utf-8", "surrogateescape")

    def values(self, attribute: str, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return each of *values* as :meth:`value` does."""
        return tuple([self.value(attribute, value) for value in values]) if self.holds_names(attribute) else values

    def entry(self, entry: Entry) -> Entry:
        """Return *entry* at the new base, with its names; the entry of the base itself by the new naming values.

        A naming value of the old base stays where the entry's classes need one and there is no other.
        """
        attributes = tuple(Attribute(each.name, self.values(each.name, each.values)) for each in entry.attributes)
        taken = Entry(self.dn(entry.dn), attributes)
        return self._named_anew(taken) if self.is_base(entry.dn) else taken

    def is_base(self, dn: DN) -> bool:
        """Tell whether *dn* is the old base itself."""
        return self.schema.normal_dn(dn) == self._base

    def fits_base(self, entry: Entry) -> bool:
        """Tell whether *entry*, that of the old base, may be named as the new base is.

        Its classes have to allow the attributes in that name.
        """
        allowed = allowed_attributes(self.schema, entry)
        return allowed is None or all(
            canonical_name(self.schema, kind).lower() in allowed for kind, _ in self.new.rdn.parts
        )

    def still_says(self, attribute: str, value: bytes) -> bool:
        """Tell whether *value*, in which nothing is taken to the new base, has the old one in its text.

        Blanks between the parts of a name do not count there, nor the percent-encoding of a URL.
        """
        if b"=" not in value and b"%" not in value:
            return False
        return self._old_text in _closed_up(value) and self.value(attribute, value) == value

    @cached_property
    def _base(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        return self.schema.normal_dn(self.old)

    @cached_property
    def _old_text(self) -> bytes:
        return _closed_up(str(self.old).encode())

    def _syntax(self, attribute: str) -> str:
        definition = self.schema.attribute(attribute)
        return definition.syntax if definition is not None else ""

    def _taken(self, text: str) -> str:
        """Return the DN *text* at the new base; what is no DN stays."""
        try:
            if not self.takes(DN.parse(text)):
                return text
            starts = rdn_starts(text)
        except MalformedInput:
            return text
        return text[: starts[len(starts) - len(self.old.rdns)]] + str(self.new)

    def _named_anew(self, entry: Entry) -> Entry:
        entry = with_naming_values(self.schema, entry)
        for name, value in self._old_names():
            kept = tuple(each for each in entry.values(name) if self.schema.normal_value(name, each) != value)
            if kept or not requires(self.schema, entry, name):
                entry = entry.with_values(name, kept)
        return entry

    def _old_names(self) -> Iterator[tuple[str, bytes]]:
        """Yield attribute and normal value of each part of the old base's name that is not in the new one's."""
        new = set(self._names(self.new))
        yield from (each for each in self._names(self.old) if each not in new)

    def _names(self, dn: DN) -> Iterator[tuple[str, bytes]]:
        for kind, value in dn.rdn.parts:
            name = canonical_name(self.schema, kind)
            yield name, self.schema.normal_value(name, value.encode("utf-8", "surrogateescape"))


def _closed_up(text: bytes) -> bytes:
    decoded = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), text)
    return _BLANKS.sub(rb"\1", decoded).lower()


_TOLD = 10


class RebasingNotes:
    """Collected while entries are taken to the new base of *rebasing*."""

    def __init__(self, rebasing: Rebasing) -> None:
        self.rebasing = rebasing
        self._texts: list[tuple[DN, str]] = []
        self._left_out: Entry | None = None

    def look_at(self, dn: DN, attribute: str, values: Iterable[bytes]) -> None:
        """Note *attribute* of the entry *dn* if one of *values* still has the old base in its text."""
        if any(self.rebasing.still_says(attribute, value) for value in values):
            self.text_left(dn, attribute)

    def text_left(self, dn: DN, attribute: str) -> None:
        """Note that *attribute* of the entry *dn* still has the old base in its text."""
        self._texts.append((dn, attribute))

    def base_left_out(self, entry: Entry) -> None:
        """Note that the old base's *entry* cannot be named as the new base is."""
        self._left_out = entry

    def entries(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield *entries* at the new base, but for that of the base itself if it cannot have the new name."""
        for entry in entries:
            if self.rebasing.is_base(entry.dn) and not self.rebasing.fits_base(entry):
                self.base_left_out(entry)
                continue
            for attribute in entry.attributes:
                self.look_at(entry.dn, attribute.name, attribute.values)
            yield self.rebasing.entry(entry)

    def lines(self) -> Iterator[str]:
        """Yield a sentence for each thing noted; of many the first ones."""
        old, new = self.rebasing.old, self.rebasing.new
        if self._left_out is not None:
            naming = ", ".join(kind for kind, _ in new.rdn.parts)
            yield f"{old} is left out, as its classes do not allow {naming}: {new} must be there before the rest."
        for dn, attribute in self._texts[:_TOLD]:
            yield f"{attribute} of {dn} still says {old}: it is text, not a name in the directory."
        if len(self._texts) > _TOLD:
            yield f"{len(self._texts) - _TOLD} more values still say {old}."
