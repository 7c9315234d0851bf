"""Registries that keep names unique across devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS, OBJECT_CLASS, UNIQUE_WEB_APP_NAME_OBJECT_CLASS

#: The AE title that the archive never registers (LdapDicomConfiguration).
WILDCARD = "*"


class Registry(NamedTuple):
    """A registry: class and usual name of its container, class of its entries, and the kind of the names."""

    container_class: str
    name: str
    entry_class: str
    kind: EntityKind

    def find_container(self, tree: Tree) -> Entry | None:
        """Return the container's entry in *tree*, or None if no name has been registered yet."""
        return next(iter(tree.index.find_by_class(self.container_class)), None)

    def build_entry(self, container: DN, name: str) -> Entry:
        """Return the entry that registers *name* below *container*."""
        attribute = self.kind.value.attribute
        return Entry.from_values(container.child(attribute, name), {OBJECT_CLASS: self.entry_class, attribute: name})

    def find_entries(self, tree: Tree) -> Iterator[Entry]:
        """Yield the registrations in *tree*."""
        return iter(tree.index.find_by_class(self.entry_class))

    def index_names(self, entries: Iterable[Entry]) -> dict[str, Entry]:
        """Return the names of *entries* of the registry's kind, each with its first entry."""
        found: dict[str, Entry] = {}
        for entry in entries:
            name = entry.text(self.kind.value.attribute)
            if name is not None and entry.is_a(self.kind.value.object_class):
                found.setdefault(name, entry)
        return found


REGISTRIES = (
    Registry(
        "dicomUniqueAETitlesRegistryRoot",
        "Unique AE Titles Registry",
        DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
        EntityKind.AE,
    ),
    Registry(
        "hl7UniqueApplicationNamesRegistryRoot",
        "Unique HL7 Application Names Registry",
        "hl7UniqueApplicationName",
        EntityKind.HL7_APPLICATION,
    ),
    Registry(
        "dcmUniqueWebAppNamesRegistryRoot",
        "Unique Web Application Names Registry",
        UNIQUE_WEB_APP_NAME_OBJECT_CLASS,
        EntityKind.WEB_APP,
    ),
)
AE_TITLE_REGISTRY = REGISTRIES[0]
#: The registry of each kind whose names are unique in the whole tree.
REGISTRY_BY_KIND = {registry.kind: registry for registry in REGISTRIES}


def find_registrations(tree: Tree, kind: EntityKind, name: str) -> tuple[DN, ...]:
    """Return the DNs of the entries that register *name* of *kind*: usually one, none without a registry."""
    registry = REGISTRY_BY_KIND.get(kind)
    entries = registry.find_entries(tree) if registry is not None else ()
    return tuple(entry.dn for entry in entries if entry.text(kind.value.attribute) == name)
