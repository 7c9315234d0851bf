"""The archives whose own device gets another name, by which they look it up when they start."""

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
    """An archive's device that was called ``old_name`` and is called ``new_name``."""

    old_name: str
    new_name: str


def find_renamed_archives(changes: Iterable[Change], after: Tree) -> tuple[RenamedArchive, ...]:
    """Return the archives that *changes*, which lead to the tree *after*, give another name.

    Another spelling alone is none: the directory finds the device by both.
    """
    found: dict[str, str] = {}
    for change in changes:
        if not isinstance(change, Rename):
            continue
        old, new = (_get_device_name(rdn.parts) for rdn in (change.dn.rdn, change.new_rdn))
        if old is not None and new is not None:
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
