"""Entries made of the octets in which a server sends them.

Kept apart: directory.ldap imports directory.referrals, and both use it: a cycle in directory.ldap.
"""

from __future__ import annotations

from dcmcfg.directory.search_result_entry import split_attribute, split_entry
from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry

#: Attributes are remembered up to this many, and while their octets are no more than so long.
_CACHE_SIZE = 1 << 14
_MAXIMUM_CACHED_LENGTH = 512


class EntryDecoder:
    """Makes entries of octets; attributes that occur again, with the same values, are decoded once."""

    def __init__(self) -> None:
        self._known: dict[bytes, Attribute] = {}

    def decode_entry(self, octets: bytes) -> Entry:
        """Return the entry in *octets*, which begin with the tag of SearchResultEntry.

        Raises :class:`~dcmcfg.directory.search_result_entry.InvalidLdapMessage`, and
        :class:`~dcmcfg.errors.MalformedInput` for its name.
        """
        name, pieces = split_entry(octets)
        known = self._known
        attributes = tuple([known.get(piece) or self._decode_attribute(piece) for piece in pieces])
        return Entry(DN.parse(name.decode("utf-8", "surrogateescape")), attributes)

    def _decode_attribute(self, octets: bytes) -> Attribute:
        name, values = split_attribute(octets)
        attribute = Attribute(name.decode("utf-8", "surrogateescape"), tuple(values))
        if len(octets) <= _MAXIMUM_CACHED_LENGTH:
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[octets] = attribute
        return attribute
