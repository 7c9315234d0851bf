"""Recognise differences that the archive itself writes into the directory.

Observed on 5.35.1, unless noted: at a start with another release, the archive writes dicomSoftwareVersion (from its
source); when a storage is below its dcmStorageThreshold, it removes the storage from dcmObjectStorageID; and in the
same moment it writes dcmTCPReceiveBufferSize to a connection whose port it cannot bind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dcmcfg.changes import Modify
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.devices import find_enclosing_device
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import PlanStep
from dcmcfg.plan.tree_diff import TreeDiff
from dcmcfg.schema_names import (
    ARCHIVE_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_SOFTWARE_VERSION,
    OBJECT_STORAGE_ID,
    STORAGE_ID,
    STORAGE_OBJECT_CLASS,
    STORAGE_THRESHOLD,
)

_BUFFER_SIZE, _WRITTEN_BUFFER_SIZE = "dcmTCPReceiveBufferSize", ("65536",)


@dataclass(frozen=True)
class ArchiveWrite:
    """An attribute of the entry ``dn`` whose difference the archive may have written."""

    dn: DN
    attribute: str


def find_archive_writes(difference: TreeDiff, live_index: int) -> tuple[ArchiveWrite, ...]:
    """Return the differences that the archive may have written, in the order of the steps.

    *live_index* is 0 if the live tree is the first side of *difference*, and 1 if it is the second.
    """
    live_tree = difference.plan.before if live_index == 0 else difference.plan.after
    return tuple(
        ArchiveWrite(step.change.dn, name)
        for step in difference.plan.steps
        if isinstance(step.change, Modify)
        for name in dict.fromkeys(each.name for each in step.change.modifications)
        if _may_be_written(name, step, live_tree, live_index)
    )


def _may_be_written(name: str, step: PlanStep, live_tree: Tree, live_index: int) -> bool:
    live, other = (step.before, step.after) if live_index == 0 else (step.after, step.before)
    device = _find_archive_device(live_tree, step.change.dn)
    if live is None or other is None or device is None:
        return False
    match name.lower():
        case lower if lower == DICOM_SOFTWARE_VERSION.lower():
            return live.is_a(ARCHIVE_DEVICE_OBJECT_CLASS)
        case lower if lower == OBJECT_STORAGE_ID.lower():
            removed = set(other.texts(name)) - set(live.texts(name))
            return (
                bool(removed)
                and set(live.texts(name)) < set(other.texts(name))
                and all(_has_threshold(live_tree, device, each) for each in removed)
            )
        case lower if lower == _BUFFER_SIZE.lower():
            is_connection = live.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS)
            return is_connection and live.texts(name) == _WRITTEN_BUFFER_SIZE and not other.texts(name)
    return False


def _has_threshold(tree: Tree, device: Entry, storage_id: str) -> bool:
    storages = (each for each in tree.children(device.dn) if each.is_a(STORAGE_OBJECT_CLASS))
    return any(each.text(STORAGE_ID) == storage_id and STORAGE_THRESHOLD in each for each in storages)


def _find_archive_device(tree: Tree, dn: DN) -> Entry | None:
    key = find_enclosing_device(tree.key(dn))
    entry = tree.entries.get(key) if key is not None else None
    return entry if entry is not None and entry.is_a(ARCHIVE_DEVICE_OBJECT_CLASS) else None


def accept_archive_writes(other: Tree, live: Tree, writes: Sequence[ArchiveWrite]) -> Tree:
    """Return the tree *other* with the values of *live* for *writes*, so that they no longer differ."""
    entries = dict(other.entries)
    for write in writes:
        key = other.key(write.dn)
        entry, live_entry = entries.get(key), live.get(write.dn)
        if entry is not None and live_entry is not None:
            entries[key] = entry.with_values(write.attribute, live_entry.values(write.attribute))
    return replace(other, entries=entries)
