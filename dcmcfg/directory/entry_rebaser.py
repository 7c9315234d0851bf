"""Move encoded entries (the octets that a server sends) to another base DN, without decoding all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.ber import OCTET_STRING, SEQUENCE, SET, encode_element
from dcmcfg.directory.search_result_entry import SEARCH_RESULT_ENTRY, split_attribute, split_entry
from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.model.rebasing import RebasingReport

#: The maximum number of cached attributes, and the maximum length of a cached attribute in octets.
_CACHE_SIZE = 1 << 14
_MAXIMUM_CACHED_LENGTH = 512


class EntryRebaser:
    """Moves entries to the new base of *report*, which records texts that keep the old base."""

    def __init__(self, report: RebasingReport) -> None:
        self._report = report
        self._rebasing = report.rebasing
        #: Octets of an attribute → octets of the rebased attribute, and its name if its text still has the old base.
        self._pieces: dict[bytes, tuple[bytes, str]] = {}

    def rebase(self, entries: Iterable[bytes]) -> Iterator[bytes]:
        """Yield *entries* (each the octets of a SearchResultEntry) at the new base.

        Raises :class:`~dcmcfg.directory.search_result_entry.InvalidLdapMessage`.
        """
        for octets in entries:
            name, pieces = split_entry(octets)
            dn = DN.parse(name.decode("utf-8", "surrogateescape"))
            if self._rebasing.is_base(dn):
                yield from self._rebase_base_entry(dn, pieces)
                continue
            rebased = [self._pieces.get(piece) or self._rebase_attribute(piece) for piece in pieces]
            for _, unchanged_name in rebased:
                if unchanged_name:
                    self._report.record_unchanged_text(dn, unchanged_name)
            yield _encode_entry(self._rebasing.rebase_dn(dn), b"".join([piece for piece, _ in rebased]))

    def _rebase_attribute(self, piece: bytes) -> tuple[bytes, str]:
        octets, values = split_attribute(piece)
        name = octets.decode("utf-8", "surrogateescape")
        rebased = self._rebasing.rebase_values(name, tuple(values))
        unchanged_name = name if any(self._rebasing.mentions_old_base(name, value) for value in values) else ""
        found = (_encode_attribute(name, rebased) if rebased != tuple(values) else piece), unchanged_name
        if len(piece) <= _MAXIMUM_CACHED_LENGTH:
            if len(self._pieces) >= _CACHE_SIZE:
                self._pieces.clear()
            self._pieces[piece] = found
        return found

    def _rebase_base_entry(self, dn: DN, pieces: Iterable[bytes]) -> Iterator[bytes]:
        attributes = (
            (name.decode("utf-8", "surrogateescape"), values) for name, values in map(split_attribute, pieces)
        )
        entry = Entry(dn, tuple(Attribute(name, tuple(values)) for name, values in attributes))
        for rebased in self._report.rebase_entries([entry]):
            encoded = (_encode_attribute(each.name, each.values) for each in rebased.attributes)
            yield _encode_entry(rebased.dn, b"".join(encoded))


def _encode_entry(dn: DN, attributes: bytes) -> bytes:
    """Return a SearchResultEntry (RFC 4511 §4.5.2)."""
    return encode_element(
        SEARCH_RESULT_ENTRY, encode_element(OCTET_STRING, str(dn).encode()) + encode_element(SEQUENCE, attributes)
    )


def _encode_attribute(name: str, values: Iterable[bytes]) -> bytes:
    """Return a PartialAttribute (RFC 4511 §4.1.7)."""
    encoded_values = encode_element(SET, b"".join(encode_element(OCTET_STRING, value) for value in values))
    return encode_element(
        SEQUENCE, encode_element(OCTET_STRING, name.encode("utf-8", "surrogateescape")) + encoded_values
    )
