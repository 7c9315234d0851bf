"""Decode entries from the octets that a server sends.

Kept apart: directory.ldap imports directory.referrals, and both use it. In directory.ldap, it would cause a cycle.
"""

from __future__ import annotations

from dcmcfg.directory.search_result_entry import split_attribute, split_entry
from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry

#: The maximum number of cached attributes, and the maximum length of a cached attribute in octets.
_CACHE_SIZE = 1 << 14
_MAXIMUM_CACHED_LENGTH = 512


class EntryDecoder:
    """Decodes entries; repeated attributes with the same values are decoded once."""

    def __init__(self) -> None:
        self._known: dict[bytes, Attribute] = {}

    def decode_entry(self, octets: bytes) -> Entry:
        """Return the entry in *octets*, which start with the tag of SearchResultEntry.

        Raises :class:`~dcmcfg.directory.search_result_entry.InvalidLdapMessage`, and
        :class:`~dcmcfg.errors.MalformedInput` for an invalid name.
        """
        # A list comprehension is faster than a generator, and this runs for each entry of the tree.
        name, pieces = split_entry(octets)
        known = self._known
        attributes = tuple([known.get(piece) or self._decode_attribute(piece) for piece in pieces])
        return Entry(DN.parse(name.decode("utf-8", "surrogateescape")), attributes)

    def _decode_attribute(self, octets: bytes) -> Attribute:
        name, values = split_attribute(octets)
        attribute = Attribute(name.decode("utf-8", "surrogateescape"), tuple(values))
        if len(octets) <= _MAXIMUM_CACHED_LENGTH:
            # Attributes that entries share are frequent, so they are soon in the emptied cache again.
            if len(self._known) >= _CACHE_SIZE:
                self._known.clear()
            self._known[octets] = attribute
        return attribute
