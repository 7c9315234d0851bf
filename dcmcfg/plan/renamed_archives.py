"""Find archives whose own device is renamed: an archive looks up its device by name when it starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.changes import Change, Rename
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import ARCHIVE_DEVICE_OBJECT_CLASS

#: The system property by which an archive finds its device (ArchiveDeviceProducer).
DEVICE_NAME_PROPERTY = "dcm4chee-arc.DeviceName"
_NAME = EntityKind.DEVICE.value.attribute.lower()


@dataclass(frozen=True)
class RenamedArchive:
    """A device of an archive that is renamed from ``old_name`` to ``new_name``."""

    old_name: str
    new_name: str


def find_renamed_archives(changes: Iterable[Change], after: Tree) -> tuple[RenamedArchive, ...]:
    """Return the archives that *changes* rename; *after* is the tree after *changes*.

    A change of case is not a rename, because the directory finds the device with both spellings.
    """
    found: dict[str, str] = {}
    for change in changes:
        if not isinstance(change, Rename):
            continue
        old, new = (_get_device_name(rdn.parts) for rdn in (change.dn.rdn, change.new_rdn))
        if old is not None and new is not None:
            # Several renames of one device count as one, from its first name to its last.
            found[new] = found.pop(old, old)
    if not found:
        return ()
    archives = {entry.text(_NAME) for entry in after.entries.values() if entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)}
    return tuple(
        RenamedArchive(old, new)
        for new, old in found.items()
        if new in archives and not EntityKind.DEVICE.are_same_name(old, new)
    )


def _get_device_name(parts: Iterable[tuple[str, str]]) -> str | None:
    return next((value for kind, value in parts if kind.lower() == _NAME), None)
