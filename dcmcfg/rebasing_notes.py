"""What stays behind when a configuration is taken to another base DN, to be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.rebasing import Rebasing

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
