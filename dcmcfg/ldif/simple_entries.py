"""Fast parser for entries in the simplest form of LDIF.

This form is a ``dn:`` line and ``name: value`` lines, folded or not, which covers nearly everything that tools write.
All other records, and all records with errors, are left to the grammar, which also reports the errors.
"""

from __future__ import annotations

import re
from operator import itemgetter

from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.ldif.fields import KEYWORDS, is_attribute_description

_BEGINNING = b"dn: "
# The first octet is no blank, colon or "<", so the value needs no decoding. Possessive quantifiers of sets avoid
# backtracking (not of groups: Python before 3.11.5 matches these wrongly, CPython issue 106052).
_VALUE = rb"[!-9;=-\xff][ -\xff]*+"
# A match has consecutive lines of one attribute; any other line results in a pair of empty matches.
_RUNS = re.compile(rb"([^:\n]++): (%b(?:\n\1: %b)*)(?:\n|\Z)|.+" % (_VALUE, _VALUE))
_Run = tuple[bytes, bytes]
_get_name = itemgetter(0)
_CACHE_SIZE = 1 << 12
_MAXIMUM_CACHED_LENGTH = 1 << 10


class SimpleEntryReader:
    """Parses the simple entries of one source.

    Many AEs have the same capabilities, so equal parts share one object. This saves time now, and memory as long as the
    entries exist.
    """

    def __init__(self) -> None:
        self._bodies: dict[bytes, tuple[Attribute, ...]] = {}
        self._attributes = _AttributeCache()
        self._names = _NameValidityCache()
        self._has_folded_lines = False

    def parse_entry(self, text: bytes) -> Entry | None:
        """Return the entry in *text*, a block without its last line ending, or None if it is not simple."""
        if not text.startswith(_BEGINNING):
            return None
        if self._has_folded_lines and b"\n " in text:
            text = text.replace(b"\n ", b"")
        head, _, body = text.partition(b"\n")
        attributes = self._bodies.get(body) or self._parse_body(body)
        if attributes is None:
            if self._has_folded_lines or b"\n " not in text:
                return None
            self._has_folded_lines = True  # most likely the following entries are folded too
            return self.parse_entry(text)
        try:
            name = head[4:].decode()
            return Entry(DN.parse(name), attributes) if name.isprintable() else None
        except (UnicodeDecodeError, MalformedInput):
            return None

    def _parse_body(self, body: bytes) -> tuple[Attribute, ...] | None:
        runs = _RUNS.findall(body)
        if not self._names[tuple(map(_get_name, runs))]:
            return None
        known = self._attributes
        if len(known) > _CACHE_SIZE or len(self._bodies) > _CACHE_SIZE:
            known.clear()
            self._bodies.clear()
        attributes = tuple(map(known.__getitem__, runs))
        # Together with _CACHE_SIZE, this bounds the memory of the cache.
        if len(body) <= _MAXIMUM_CACHED_LENGTH:
            self._bodies[body] = attributes
        return attributes


# A dictionary with __missing__ finds known values without a call of a Python function.
class _AttributeCache(dict[_Run, Attribute]):
    """Lines of an attribute → the attribute."""

    def __missing__(self, run: _Run) -> Attribute:
        octets, values = run
        split_values = tuple(values.split(b"\n%b: " % octets)) if b"\n" in values else (values,)
        attribute = Attribute(octets.decode(), split_values)
        if len(values) <= _MAXIMUM_CACHED_LENGTH:
            self[run] = attribute
        return attribute


class _NameValidityCache(dict[tuple[bytes, ...], bool]):
    """Names in order → whether an entry can have them: all names valid and unique."""

    def __missing__(self, octets: tuple[bytes, ...]) -> bool:
        names = tuple(name.decode("utf-8", "replace") for name in octets)
        folded = {name.lower() for name in names}
        has_valid_names = 0 < len(folded) == len(names) and folded.isdisjoint(KEYWORDS)
        if len(self) > _CACHE_SIZE:
            self.clear()
        self[octets] = is_valid = has_valid_names and all(map(is_attribute_description, names))
        return is_valid
