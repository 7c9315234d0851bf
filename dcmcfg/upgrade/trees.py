"""Trees of an upgrade: entries by normal DN, to which official changes are applied value by value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from dcmcfg.changes import Add, Change, Delete, Modify, Operation, Rename
from dcmcfg.dn import DN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.schema.definitions import Schema

#: The normal forms of values.
NormalValues = frozenset[bytes]


class UpgradeTree:
    """Entries by normal DN; a copy shares the entries, which never change."""

    def __init__(self, schema: Schema, entries: Mapping[NormalDN, Entry] | None = None) -> None:
        self.schema = schema
        self.entries: dict[NormalDN, Entry] = dict(entries or {})

    @staticmethod
    def from_entries(schema: Schema, entries: Iterable[Entry]) -> UpgradeTree:
        """Return the tree of *entries*."""
        tree = UpgradeTree(schema)
        for entry in entries:
            tree.put(entry)
        return tree

    def copy(self) -> UpgradeTree:
        """Return a tree with the same entries."""
        return UpgradeTree(self.schema, self.entries)

    def key(self, dn: DN) -> NormalDN:
        """Return the normal form of *dn*."""
        return self.schema.normalise_dn(dn)

    def get(self, dn: DN) -> Entry | None:
        """Return the entry at *dn*, or None."""
        return self.entries.get(self.key(dn))

    def put(self, entry: Entry) -> None:
        """Add or replace *entry*."""
        self.entries[self.key(entry.dn)] = entry

    def list_below(self, key: NormalDN) -> list[NormalDN]:
        """Return the keys of the entries at and below *key*."""
        return [each for each in self.entries if is_at_or_below(each, key)]

    def normalise(self, name: str, values: Iterable[bytes]) -> NormalValues:
        """Return the normal forms of *values* of the attribute *name*."""
        return frozenset(self.schema.normalise_value(name, each) for each in values)

    def apply(self, change: Change) -> bool:
        """Apply *change* value by value; return False if its entry is missing, so that nothing is applied.

        What is there already is not added, and what is missing is not removed.
        """
        key = self.key(change.dn)
        match change:
            case Add(entry):
                current = self.entries.get(key)
                self.entries[key] = entry if current is None else self._complete(current, entry)
                return True
            case Delete():
                return self.entries.pop(key, None) is not None
            case Modify(_, modifications):
                current = self.entries.get(key)
                if current is None:
                    return False
                for each in modifications:
                    current = self._modify(current, each.operation, each.name, each.values)
                self.entries[key] = current
                return True
            case Rename():
                return self._rename(key, change)

    def _complete(self, current: Entry, added: Entry) -> Entry:
        for attribute in added.attributes:
            current = self._modify(current, Operation.ADD, attribute.name, attribute.values)
        return current

    def _modify(self, entry: Entry, operation: Operation, name: str, values: tuple[bytes, ...]) -> Entry:
        old = entry.values(name)
        match operation:
            case Operation.REPLACE:
                return entry.with_values(name, values)
            case Operation.ADD:
                definition = self.schema.attribute(name)
                if definition is not None and definition.single_valued:
                    return entry.with_values(name, values[:1] or old)
                known = self.normalise(name, old)
                new = [each for each in values if self.schema.normalise_value(name, each) not in known]
                return entry.with_values(name, (*old, *new))
            case Operation.DELETE:
                gone = self.normalise(name, values)
                kept = [each for each in old if values and self.schema.normalise_value(name, each) not in gone]
                return entry.with_values(name, kept)
            case Operation.INCREMENT:
                return entry

    def _rename(self, key: NormalDN, change: Rename) -> bool:
        if key not in self.entries:
            return False
        old, new = self.entries[key].dn, change.new_dn
        for each in self.list_below(key):
            entry = self.entries.pop(each)
            renamed = entry.with_dn(entry.dn.rebased(old, new))
            if each == key:
                for kind, value in change.new_rdn.parts:
                    renamed = renamed.with_values(kind, [value.encode("utf-8", "surrogateescape")])
            self.put(renamed)
        return True

    def map(self, transform: Callable[[Entry], Entry]) -> UpgradeTree:
        """Return the tree of the transformed entries."""
        return UpgradeTree.from_entries(self.schema, map(transform, self.entries.values()))

    def iterate_parents_first(self) -> Iterator[tuple[NormalDN, Entry]]:
        """Yield keys and entries, parents before children."""
        yield from sorted(self.entries.items(), key=lambda item: len(item[0]))
