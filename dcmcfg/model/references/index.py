"""Index of all references in a tree, with the entries that they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.references.rewriting import find_names, may_contain_names
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import DICOM_DEVICE_OBJECT_CLASS

#: The kinds with an object class of their own.
_KINDS = tuple(kind for kind in EntityKind if kind is not EntityKind.ENTRY)


# Positional, because keyword arguments make reading a tree slower: see tests/test_signatures.py.
@dataclass(frozen=True)
class Reference:
    """A name in ``value`` of ``attribute`` on the entry ``dn``; ``name`` is a DN if ``kind`` is ENTRY."""

    dn: DN
    attribute: str
    value: bytes
    kind: EntityKind
    use: NameUse
    name: str

    @property
    def is_ui_reference(self) -> bool:
        """Whether the reference is part of the UI configuration, which may also refer to parts of other archives."""
        lower_name = self.attribute.lower()
        # The last attribute belongs to the archive's device, not to the UI configuration.
        return lower_name.startswith(("dcmui", "dicomui")) and lower_name != "dcmuiconfigurationdevicename"


@dataclass(frozen=True)
class References:
    """The references in a tree, with an index of the entries that they can refer to."""

    tree: Tree

    @cached_property
    def all(self) -> tuple[Reference, ...]:
        """All references, in the order of the tree's entries. Values of an entry's own RDN are not references."""
        # The index skips entries without any such attribute, for example transfer capabilities.
        entries = self.tree.index.find_by_attributes(lambda name: any(self._attribute_kinds[name]))
        return tuple(reference for entry in entries for reference in self._find_references_in(entry))

    @cached_property
    def by_attribute(self) -> Mapping[str, tuple[Reference, ...]]:
        """The references by attribute name, as the schema spells it."""
        found: dict[str, list[Reference]] = {}
        for reference in self.all:
            found.setdefault(reference.attribute, []).append(reference)
        return {name: tuple(references) for name, references in found.items()}

    def resolve(self, reference: Reference) -> Entry | None:
        """Return the entry that *reference* refers to, or None.

        LOCAL references are resolved below the device that contains them. If there are several entries, the first in
        the tree's order is returned, because the archive uses the first that the directory returns.
        """
        return next(iter(self._lookup(reference)), None)

    def find_candidates(self, reference: Reference) -> tuple[Entry, ...]:
        """Return the entries that *reference* can refer to; the first is the one that it resolves to.

        If the reference does not resolve, entries of that name anywhere in the tree are returned, provided that a
        registry keeps the names of this kind unique (the title belongs to another device then) or that the reference
        is part of the UI configuration.
        """
        anywhere = reference.kind.value.registered or reference.is_ui_reference
        return self._lookup(reference) or (self.find_entries(reference.kind, reference.name) if anywhere else ())

    def _lookup(self, reference: Reference) -> tuple[Entry, ...]:
        if reference.kind is EntityKind.ENTRY:
            try:
                entry = self.tree.get(DN.parse(reference.name))
            # A file that was not checked may contain values that are not DNs.
            except MalformedInput:
                return ()
            return () if entry is None else (entry,)
        candidates = self.find_entries(reference.kind, reference.name)
        if reference.use is NameUse.LOCAL:
            device = self.find_device_key(reference.dn)
            return tuple(entry for entry in candidates if self.find_device_key(entry.dn) == device)
        return candidates

    def find_entries(self, kind: EntityKind, name: str) -> tuple[Entry, ...]:
        """Return the entries of *kind* with the name *name* anywhere in the tree, in the tree's order."""
        return self._entries_by_name.get((kind, _build_key(kind, name)), ())

    def find_references(self, kind: EntityKind, name: str) -> tuple[Reference, ...]:
        """Return the references to *name* of *kind*. :meth:`resolve` returns the entry that they refer to."""
        return tuple(each for each in self.all if each.kind is kind and kind.are_same_name(each.name, name))

    def find_references_to(self, entry: Entry, kind: EntityKind, name: str) -> tuple[Reference, ...]:
        """Return the references to *entry*: by its *name* of *kind*, and by its DN."""
        by_dn = (each for each in self.all if each.kind is EntityKind.ENTRY and self.resolve(each) is entry)
        return (*(each for each in self.find_references(kind, name) if self.resolve(each) is entry), *by_dn)

    def find_device_key(self, dn: DN) -> NormalDN | None:
        """Return the normal form of the DN of the device at or above *dn*, or None."""
        key = self.tree.key(dn)
        starts = (len(key) - depth for depth in self._device_depths if depth <= len(key))
        return next((key[start:] for start in starts if key[start:] in self._devices), None)

    @cached_property
    def _devices(self) -> frozenset[NormalDN]:
        return frozenset(self.tree.key(entry.dn) for entry in self.tree.index.find_by_class(DICOM_DEVICE_OBJECT_CLASS))

    @cached_property
    def _device_depths(self) -> tuple[int, ...]:
        """The lengths of the devices' names, the longest first: as a rule one, so that one name is looked up."""
        return tuple(sorted({len(key) for key in self._devices}, reverse=True))

    @cached_property
    def _entries_by_name(self) -> Mapping[tuple[EntityKind, str], tuple[Entry, ...]]:
        found: dict[tuple[EntityKind, str], list[Entry]] = {}
        for kind in _KINDS:
            for entry in self.tree.index.find_by_class(kind.value.object_class):
                name = entry.text(kind.value.attribute)
                if name is not None:
                    found.setdefault((kind, _build_key(kind, name)), []).append(entry)
        return {key: tuple(entries) for key, entries in found.items()}

    def _find_references_in(self, entry: Entry) -> Iterator[Reference]:
        rdn_types = {kind.lower() for kind, _ in entry.dn.rdn.parts} if entry.dn.rdns else set()
        for attribute in entry.attributes:
            is_dn, may_have_names = self._attribute_kinds[attribute.name]
            if is_dn:
                for value in attribute.values:
                    yield Reference(
                        entry.dn,
                        attribute.name,
                        value,
                        EntityKind.ENTRY,
                        NameUse.REMOTE,
                        value.decode("utf-8", "replace"),
                    )
            elif may_have_names and attribute.name.partition(";")[0].lower() not in rdn_types:
                for value in attribute.values:
                    for name in find_names(attribute.name, value):
                        yield Reference(entry.dn, attribute.name, value, name.kind, name.use, name.text)

    @cached_property
    def _attribute_kinds(self) -> _AttributeKinds:
        return _AttributeKinds(self.tree)


class _AttributeKinds(dict[str, tuple[bool, bool]]):
    """Attribute as spelt → whether its values are DNs, and whether they may contain names."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._schema = tree.schema

    def __missing__(self, name: str) -> tuple[bool, bool]:
        definition = self._schema.attribute(name)
        self[name] = found = definition is not None and definition.syntax == "DN", may_contain_names(name)
        return found


def _build_key(kind: EntityKind, name: str) -> str:
    return name if kind.value.case_exact else name.casefold()
