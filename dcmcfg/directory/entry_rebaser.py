"""Entries in the octets in which a server sends them, as they are below another base DN."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.ber import OCTET_STRING, SEQUENCE, SET, element
from dcmcfg.directory.search_result_entry import SEARCH_RESULT_ENTRY, split_attribute, split_entry
from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.model.rebasing import RebasingNotes

_MOST_REMEMBERED = 1 << 14
_LONGEST_REMEMBERED = 512


class RebasedEntries:
    """Makes of entries those at the new base, and tells *notes* what stays behind."""

    def __init__(self, notes: RebasingNotes) -> None:
        self._notes = notes
        self._rebasing = notes.rebasing
        #: By the octets of an attribute, those of what became of it, and its name if the old base is left in it.
        self._pieces: dict[bytes, tuple[bytes, str]] = {}

    def of(self, found: Iterable[bytes]) -> Iterator[bytes]:
        """Yield each of *found*, the octets of a SearchResultEntry, at the new base.

        Raises :class:`~dcmcfg.directory.search_result_entry.NotLDAP`.
        """
        for octets in found:
            name, pieces = split_entry(octets)
            dn = DN.parse(name.decode("utf-8", "surrogateescape"))
            if self._rebasing.is_base(dn):
                yield from self._base(dn, pieces)
                continue
            taken = [self._pieces.get(piece) or self._piece(piece) for piece in pieces]
            for _, left in taken:
                if left:
                    self._notes.text_left(dn, left)
            yield _entry_octets(self._rebasing.dn(dn), b"".join([piece for piece, _ in taken]))

    def _piece(self, piece: bytes) -> tuple[bytes, str]:
        octets, values = split_attribute(piece)
        name = octets.decode("utf-8", "surrogateescape")
        taken = self._rebasing.values(name, tuple(values))
        left = name if any(self._rebasing.still_says(name, value) for value in values) else ""
        found = (_attribute_octets(name, taken) if taken != tuple(values) else piece), left
        if len(piece) <= _LONGEST_REMEMBERED:
            if len(self._pieces) >= _MOST_REMEMBERED:
                self._pieces.clear()
            self._pieces[piece] = found
        return found

    def _base(self, dn: DN, pieces: Iterable[bytes]) -> Iterator[bytes]:
        attributes = (
            (name.decode("utf-8", "surrogateescape"), values) for name, values in map(split_attribute, pieces)
        )
        entry = Entry(dn, tuple(Attribute(name, tuple(values)) for name, values in attributes))
        for taken in self._notes.entries([entry]):
            held = (_attribute_octets(each.name, each.values) for each in taken.attributes)
            yield _entry_octets(taken.dn, b"".join(held))


def _entry_octets(dn: DN, attributes: bytes) -> bytes:
    """Return a SearchResultEntry (RFC 4511 §4.5.2)."""
    return element(SEARCH_RESULT_ENTRY, element(OCTET_STRING, str(dn).encode()) + element(SEQUENCE, attributes))


def _attribute_octets(name: str, values: Iterable[bytes]) -> bytes:
    """Return a PartialAttribute (RFC 4511 §4.1.7)."""
    held = element(SET, b"".join(element(OCTET_STRING, value) for value in values))
    return element(SEQUENCE, element(OCTET_STRING, name.encode("utf-8", "surrogateescape")) + held)
