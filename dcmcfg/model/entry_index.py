"""Entries by object class and by attribute, found without a scan of the whole tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dcmcfg.entry import Entry
from dcmcfg.schema_names import OBJECT_CLASS

#: The spelt attribute names of an entry, and the values of its objectClass. A tree of any size has few different ones.
_Shape = tuple[tuple[str, ...], tuple[bytes, ...]]


class EntryIndex:
    """The entries of a tree, grouped by shape in one pass; each answer keeps the order of the entries."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._positions: dict[_Shape, list[int]] = {}
        class_positions: dict[tuple[str, ...], int | None] = {}
        for position, entry in enumerate(entries):
            attributes = entry.attributes
            names = tuple([attribute[0] for attribute in attributes])
            if names not in class_positions:
                class_positions[names] = _find_class_position(names)
            # Entries with the same names have objectClass in the same place, so each combination is searched once.
            at = class_positions[names]
            shape = (names, attributes[at].values if at is not None else ())
            if shape in self._positions:
                self._positions[shape].append(position)
            else:
                self._positions[shape] = [position]
        self._by_class: dict[str, tuple[Entry, ...]] = {}
        self._by_attribute: dict[str, tuple[Entry, ...]] = {}

    def find_by_class(self, object_class: str) -> tuple[Entry, ...]:
        """Return the entries of *object_class*, whose case is not significant."""
        name = object_class.lower()
        if name not in self._by_class:
            self._by_class[name] = self._select(
                shape
                for shape in self._positions
                if any(each.decode("utf-8", "replace").lower() == name for each in shape[1])
            )
        return self._by_class[name]

    def find_by_attribute(self, attribute: str) -> tuple[Entry, ...]:
        """Return the entries that have *attribute*, with options or without; its case is not significant."""
        name = attribute.lower()
        if name not in self._by_attribute:
            self._by_attribute[name] = self.find_by_attributes(lambda each: each.partition(";")[0].lower() == name)
        return self._by_attribute[name]

    def find_by_attributes(self, is_wanted: Callable[[str], bool]) -> tuple[Entry, ...]:
        """Return the entries with an attribute whose name, as spelt and with options, *is_wanted* accepts."""
        return self._select(shape for shape in self._positions if any(map(is_wanted, shape[0])))

    def _select(self, shapes: Iterable[_Shape]) -> tuple[Entry, ...]:
        # The answer keeps the tree's order, although the shapes mix it.
        positions = sorted(position for shape in shapes for position in self._positions[shape])
        return tuple([self._entries[position] for position in positions])


def _find_class_position(names: Sequence[str]) -> int | None:
    """Return where objectClass stands among *names*, the last place if there are several (as ``Entry.values``)."""
    wanted = OBJECT_CLASS.lower()
    return next((index for index in range(len(names) - 1, -1, -1) if names[index].lower() == wanted), None)
