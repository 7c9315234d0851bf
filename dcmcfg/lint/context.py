"""The context of the rules: a tree with its devices, AEs and references."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.lint.listeners import ListeningConnection, find_archive_listeners
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.targets import format_target
from dcmcfg.model.tree import Tree
from dcmcfg.route.external_archives import find_external_archives
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    OBJECT_CLASS,
)
from dcmcfg.suggestions import suggest_names

_Found = TypeVar("_Found")
#: Comparing two names takes about 10 µs. After this number of comparisons there are no more suggestions, because the
#: time for a tree with many unknown names would be quadratic.
_MAXIMUM_COMPARISONS = 100_000


@dataclass(frozen=True)
class ConnectionReference:
    """A reference in ``entry`` to the ``connection``, None if ``value`` names no connection."""

    entry: Entry
    value: bytes
    connection: Entry | None


@dataclass(frozen=True)
class LintContext:
    """The tree that the rules check; certificates must be valid at ``now``, which has a time zone.

    Devices are found by their class, so the tree need not have the configuration's root. With ``scope``, rules that use
    :attr:`entries_to_check` check only these entries, but look up others in the whole tree.
    """

    tree: Tree
    now: datetime
    scope: tuple[Entry, ...] | None = None

    @cached_property
    def entries_to_check(self) -> tuple[Entry, ...]:
        """The entries to check, parents before children: those of ``scope``, or all."""
        return self.tree.sorted_entries() if self.scope is None else self.scope

    @cached_property
    def connection_references(self) -> tuple[ConnectionReference, ...]:
        """The references to connections in the checked entries."""
        return tuple(self._find_connection_references())

    def _find_connection_references(self) -> Iterator[ConnectionReference]:
        for entry in self.entries_with(DICOM_NETWORK_CONNECTION_REFERENCE):
            for value in entry.values(DICOM_NETWORK_CONNECTION_REFERENCE):
                text = value.decode("utf-8", "surrogateescape")
                yield ConnectionReference(
                    entry, value, self._connections_by_dn.get(text) or self._find_connection(text)
                )

    def _find_connection(self, text: str) -> Entry | None:
        try:
            found = self.tree.get(DN.parse(text))
        except MalformedInput:
            return None
        return found if found is not None and found.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS) else None

    @cached_property
    def _connections_by_dn(self) -> Mapping[str, Entry]:
        """The connections by their DN as spelt. Most references use this spelling and need no parsing."""
        return {str(entry.dn): entry for entry in self.tree.index.find_by_class(DICOM_NETWORK_CONNECTION_OBJECT_CLASS)}

    def entries_with(self, attribute: str) -> Sequence[Entry]:
        """Return those of :attr:`entries_to_check` that may have *attribute*, options ignored."""
        return self.tree.index.find_by_attribute(attribute) if self.scope is None else self.scope

    def compute_once(self, compute: Callable[[LintContext], _Found]) -> _Found:
        """Return ``compute(self)``, computed once. *compute* is the cache's key and must be a module's function."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        return cast("_Found", self._computed[compute])

    @cached_property
    def _computed(self) -> dict[Callable[[LintContext], Any], Any]:
        return {}

    @cached_property
    def listeners(self) -> Mapping[NormalDN, Sequence[ListeningConnection]]:
        """The connections with an open port of each installed archive among the checked entries, by its device."""
        if self.scope is not None:
            return find_archive_listeners(self.tree, self.scope)
        archives = self.tree.index.find_by_class(ARCHIVE_DEVICE_OBJECT_CLASS)
        entries = [each for archive in archives for each in (archive, *self.tree.children(archive.dn))]
        return find_archive_listeners(self.tree, entries)

    @cached_property
    def references(self) -> References:
        """The references in the tree."""
        return References(self.tree)

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """All devices, in the tree's order."""
        return tuple(Device(entry, self.tree) for entry in self.tree.index.find_by_class(DICOM_DEVICE_OBJECT_CLASS))

    @cached_property
    def archives(self) -> tuple[Device, ...]:
        """The devices that are archives."""
        return tuple(device for device in self.devices if device.is_archive)

    @cached_property
    def archives_to_check(self) -> tuple[Device, ...]:
        """The archives whose device is among the checked entries."""
        if self.scope is None:
            return self.archives
        devices = (Device(entry, self.tree) for entry in self.scope if entry.is_a(DICOM_DEVICE_OBJECT_CLASS))
        return tuple(device for device in devices if device.is_archive)

    @cached_property
    def aes_by_title(self) -> Mapping[str, tuple[NetworkAE, ...]]:
        """The AEs by title."""
        found: dict[str, list[NetworkAE]] = {}
        for ae in self.network_aes():
            found.setdefault(ae.title, []).append(ae)
        return {title: tuple(aes) for title, aes in found.items()}

    @cached_property
    def aes_by_other_title(self) -> Mapping[str, NetworkAE]:
        """The AEs by their other titles (dcmOtherAETitle); the first AE if several share one."""
        found: dict[str, NetworkAE] = {}
        for ae in self.network_aes():
            for title in ae.other_titles:
                found.setdefault(title, ae)
        return found

    def network_aes(self) -> Iterator[NetworkAE]:
        """Yield every AE of every device."""
        for device in self.devices:
            yield from device.network_aes

    def find_network_ae(self, ae_title: str) -> NetworkAE | None:
        """Return the AE that the archive finds by *ae_title*, the first of several, or None."""
        # The archive limits its search to one entry (LdapDicomConfiguration), so it uses the first one too.
        return next(iter(self.aes_by_title.get(ae_title, ())), None)

    def find_parts(self, device: Device, object_class: str) -> tuple[Entry, ...]:
        """Return the entries of *object_class* of *device*: its children, and those of its AEs and applications."""
        key = self.tree.key(device.entry.dn)
        if key not in self._parts:
            self._parts[key] = self._index_parts(device)
        return tuple(self._parts[key].get(object_class.lower(), ()))

    @cached_property
    def _parts(self) -> dict[NormalDN, Mapping[str, Sequence[Entry]]]:
        """Device → class → its parts; filled for a device at its first use."""
        return {}

    def _index_parts(self, device: Device) -> Mapping[str, Sequence[Entry]]:
        found: dict[str, list[Entry]] = {}
        children = self.tree.children(device.entry.dn)
        # The archive allows rules below its AEs and HL7 applications too (LdapArchiveConfiguration).
        grandchildren = [each for child in children for each in self.tree.children(child.dn)]
        for entry in (*children, *grandchildren):
            for object_class in entry.texts(OBJECT_CLASS):
                found.setdefault(object_class.lower(), []).append(entry)
        return found

    def is_in_archive(self, reference: Reference) -> bool:
        """Return whether an archive's device has *reference*, outside its UI configuration."""
        key = self.references.find_device_key(reference.dn)
        return key in self._archive_keys and not reference.is_ui_reference

    def find_external_archives(self, device: Device) -> tuple[str, ...]:
        """Return the AE titles from which *device* fetches purged studies, according to its storages and exporters."""
        return tuple(find_external_archives(device))

    @cached_property
    def _archive_keys(self) -> frozenset[object]:
        return frozenset(self.tree.key(device.entry.dn) for device in self.archives)

    def format_target(self, entry: Entry) -> str:
        """Return the name of *entry* in commands: DEVICE, DEVICE/AE or its DN."""
        return format_target(self.tree, entry)

    def suggest_names(self, kind: EntityKind, name: str) -> tuple[str, ...]:
        """Return up to three names of *kind* that are similar to *name*; none after very many comparisons."""
        return self._suggestions.suggest(kind, name)

    @cached_property
    def _suggestions(self) -> _Suggestions:
        return _Suggestions(self)

    def find_similar_titles(self, ae_title: str) -> frozenset[str]:
        """Return the titles that differ from *ae_title* only by case or blanks at the ends."""
        return frozenset(self._titles_by_folded_title.get(_fold_title(ae_title), ()))

    @cached_property
    def _titles_by_folded_title(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for title in self.aes_by_title:
            found.setdefault(_fold_title(title), []).append(title)
        return found


class _Suggestions:
    """Similar names; each name is compared with the others once for all rules."""

    def __init__(self, context: LintContext) -> None:
        self._context = context
        self._known: dict[EntityKind, Collection[str]] = {}
        self._found: dict[tuple[EntityKind, str], tuple[str, ...]] = {}
        self._comparison_count = 0

    def suggest(self, kind: EntityKind, name: str) -> tuple[str, ...]:
        if kind not in self._known:
            self._known[kind] = self._context.aes_by_title if kind is EntityKind.AE else self._list_names(kind)
        known, key = self._known[kind], (kind, name)
        if key not in self._found:
            if self._comparison_count > _MAXIMUM_COMPARISONS:
                return ()
            self._comparison_count += len(known)
            self._found[key] = suggest_names(name, known)
        return self._found[key]

    def _list_names(self, kind: EntityKind) -> Collection[str]:
        entries = self._context.tree.index.find_by_class(kind.value.object_class)
        return {name for entry in entries if (name := entry.text(kind.value.attribute)) is not None}


def _fold_title(ae_title: str) -> str:
    return ae_title.strip(" ").casefold()
