"""Move a configuration to another base DN, and report values that still contain the old base DN."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.dn import DN, find_rdn_offsets, is_at_or_below
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.tree import add_naming_values, canonicalise_name
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import find_allowed_attributes, is_required

#: Syntaxes with DNs → the text that may follow the DN in a value (RFC 4517 §3.3.9 and §3.3.21).
_DN_SUFFIXES = {"DN": re.compile(r"\Z"), "NameAndOptionalUID": re.compile(r"(?:#'[01]*'B)?\Z")}
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")
_BLANKS = re.compile(rb" *([,=]) *")


@dataclass(frozen=True)
class Rebasing:
    """The move of entries and DN values at or below ``old_base`` to ``new_base``; everything else stays unchanged.

    ``schema`` determines the attributes with DN values. The part of a DN before the base keeps its spelling.
    """

    schema: Schema
    old_base: DN
    new_base: DN

    def is_affected(self, dn: DN) -> bool:
        """Return whether *dn* is at or below the old base."""
        return is_at_or_below(self.schema.normalise_dn(dn), self._normal_old_base)

    def rebase_dn(self, dn: DN) -> DN:
        """Return *dn* moved to the new base."""
        return dn.rebased(self.old_base, self.new_base) if self.is_affected(dn) else dn

    def has_dn_values(self, attribute: str) -> bool:
        """Return whether the values of *attribute* (a description with options) are DNs."""
        return self._syntax(attribute) in _DN_SUFFIXES

    def rebase_value(self, attribute: str, value: bytes) -> bytes:
        """Return *value* of *attribute* with the new base if it is a DN at or below the old base."""
        suffix = _DN_SUFFIXES.get(self._syntax(attribute))
        if suffix is None:
            return value
        text = value.decode("utf-8", "surrogateescape")
        match = suffix.search(text)
        end = match.start() if match else len(text)
        return f"{self._rebase_text(text[:end])}{text[end:]}".encode("utf-8", "surrogateescape")

    def rebase_values(self, attribute: str, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Return *values*, each converted by :meth:`rebase_value`."""
        return (
            tuple([self.rebase_value(attribute, value) for value in values])
            if self.has_dn_values(attribute)
            else values
        )

    def rebase_entry(self, entry: Entry) -> Entry:
        """Return *entry* moved to the new base, with its DN values; the base entry gets the new naming values.

        A naming value of the old base stays if the entry's classes require the attribute and it has no other value.
        """
        attributes = tuple(
            Attribute(each.name, self.rebase_values(each.name, each.values)) for each in entry.attributes
        )
        rebased = Entry(self.rebase_dn(entry.dn), attributes)
        return self._rename_base(rebased) if self.is_base(entry.dn) else rebased

    def is_base(self, dn: DN) -> bool:
        """Return whether *dn* is the old base itself."""
        return self.schema.normalise_dn(dn) == self._normal_old_base

    def can_take_new_name(self, entry: Entry) -> bool:
        """Return whether *entry*, the old base entry, can have the RDN of the new base.

        Its object classes must allow the attributes of that RDN.
        """
        allowed = find_allowed_attributes(self.schema, entry)
        return allowed is None or all(
            canonicalise_name(self.schema, kind).lower() in allowed for kind, _ in self.new_base.rdn.parts
        )

    def mentions_old_base(self, attribute: str, value: bytes) -> bool:
        """Return whether *value* contains the old base in its text but is not a DN that rebasing changes.

        Blanks between the parts of a DN and the percent-encoding of a URL are ignored.
        """
        # Most values contain neither character. This test avoids normalising them; ``%`` may encode ``=``.
        if b"=" not in value and b"%" not in value:
            return False
        return self._old_text in _normalise_text(value) and self.rebase_value(attribute, value) == value

    @cached_property
    def _normal_old_base(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        return self.schema.normalise_dn(self.old_base)

    @cached_property
    def _old_text(self) -> bytes:
        return _normalise_text(str(self.old_base).encode())

    def _syntax(self, attribute: str) -> str:
        definition = self.schema.attribute(attribute)
        return definition.syntax if definition is not None else ""

    def _rebase_text(self, text: str) -> str:
        """Return the DN *text* moved to the new base; other text unchanged."""
        try:
            if not self.is_affected(DN.parse(text)):
                return text
            starts = find_rdn_offsets(text)
        except MalformedInput:
            return text
        # The text before the base is copied, so that it keeps its spelling.
        return text[: starts[len(starts) - len(self.old_base.rdns)]] + str(self.new_base)

    def _rename_base(self, entry: Entry) -> Entry:
        entry = add_naming_values(self.schema, entry)
        for name, value in self._find_old_naming_values():
            remaining = tuple(each for each in entry.values(name) if self.schema.normalise_value(name, each) != value)
            # A server rejects an entry without a required attribute, so its last value stays.
            if remaining or not is_required(self.schema, entry, name):
                entry = entry.with_values(name, remaining)
        return entry

    def _find_old_naming_values(self) -> Iterator[tuple[str, bytes]]:
        """Yield attribute and normal value of each part of the old base's RDN that is not in the new base's RDN."""
        new = set(self._normalise_naming_values(self.new_base))
        yield from (each for each in self._normalise_naming_values(self.old_base) if each not in new)

    def _normalise_naming_values(self, dn: DN) -> Iterator[tuple[str, bytes]]:
        for kind, value in dn.rdn.parts:
            name = canonicalise_name(self.schema, kind)
            yield name, self.schema.normalise_value(name, value.encode("utf-8", "surrogateescape"))


def _normalise_text(text: bytes) -> bytes:
    decoded = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), text)
    return _BLANKS.sub(rb"\1", decoded).lower()


_MAXIMUM_SHOWN = 10


class RebasingReport:
    """Warnings, collected while entries move to the new base of ``rebasing``."""

    def __init__(self, rebasing: Rebasing) -> None:
        self.rebasing = rebasing
        self._texts: list[tuple[DN, str]] = []
        self._omitted_base: Entry | None = None

    def check_attribute(self, dn: DN, attribute: str, values: Iterable[bytes]) -> None:
        """Record *attribute* of the entry *dn* if one of *values* still contains the old base as text."""
        if any(self.rebasing.mentions_old_base(attribute, value) for value in values):
            self.record_unchanged_text(dn, attribute)

    def record_unchanged_text(self, dn: DN, attribute: str) -> None:
        """Record that *attribute* of the entry *dn* still contains the old base as text."""
        self._texts.append((dn, attribute))

    def record_omitted_base(self, entry: Entry) -> None:
        """Record that the old base's *entry* cannot have the new base's RDN."""
        self._omitted_base = entry

    def rebase_entries(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield *entries* moved to the new base, except the base entry if it cannot have the new RDN."""
        for entry in entries:
            if self.rebasing.is_base(entry.dn) and not self.rebasing.can_take_new_name(entry):
                self.record_omitted_base(entry)
                continue
            for attribute in entry.attributes:
                self.check_attribute(entry.dn, attribute.name, attribute.values)
            yield self.rebasing.rebase_entry(entry)

    def format_warnings(self) -> Iterator[str]:
        """Yield a sentence for each recorded warning, up to a maximum."""
        old, new = self.rebasing.old_base, self.rebasing.new_base
        if self._omitted_base is not None:
            naming = ", ".join(kind for kind, _ in new.rdn.parts)
            yield (
                f"The entry {old} is omitted: its object classes do not allow the attribute {naming} of the new base. "
                f"Create the entry {new} before you add the other entries."
            )
        for dn, attribute in self._texts[:_MAXIMUM_SHOWN]:
            yield f"{attribute} of {dn} still contains {old}: dcmcfg changes only DNs, and this value is text."
        if len(self._texts) > _MAXIMUM_SHOWN:
            yield f"{len(self._texts) - _MAXIMUM_SHOWN} more values still contain {old}."
