"""Rename a device or a part of a device: a queue, an exporter, a storage, a view, a web application."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.edits.rename.renaming import (
    Renaming,
    make_empty_renaming,
    make_renaming,
    rename_references_only,
    require_free,
    require_well_formed,
    suggest_references_only,
)
from dcmcfg.edits.rename.rewriting import NameChange
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.schema_names import DICOM_DEVICE_NAME
from dcmcfg.suggestions import format_known_names

#: Queues that the archive's program code uses in any configuration (QUEUE_NAME of its services).
_BUILT_IN = (
    "DiffTasks",
    "HL7Send",
    "IANSCU",
    "MPPSSCU",
    "RSClient",
    "Rejection",
    "StgCmtSCP",
    "StgCmtSCU",
    "StgVerTasks",
)
#: Kinds whose old name remains in the archive's database or program code → the option that accepts this.
FORCE_OPTIONS = {EntityKind.STORAGE: "--force-stored-objects", EntityKind.QUEUE: "--force-built-in-queue"}


def rename_part(
    references: References,
    device: str,
    kind: EntityKind,
    *,
    old: str,
    new: str,
    force: bool = False,
    only_references: bool = False,
) -> Renaming:
    """Return the rename of *old* of *kind* on *device* to *new*.

    With *only_references*, only the remaining references to *old* are changed. Raises :class:`NotFound` for an unknown
    name, :class:`~dcmcfg.errors.MalformedInput` for an invalid new name, and :class:`Refused` for one that is already
    used. Unless *force*, raises :class:`Refused` for a storage (the archive's database has its ID with each object) and
    for a queue that the archive's program code uses.
    """
    holder = Configuration(references.tree).get_device(device)
    # Registered names are unique in the whole tree, so references of other devices mean the same entry.
    device_key = () if kind.value.registered else references.tree.key(holder.entry.dn)
    if only_references:
        return rename_references_only(references, NameChange(kind, old, new, device_key=device_key))
    entry = _find_part(references, holder, kind, old=old, new=new)
    if new == old:
        return make_empty_renaming(kind, old)
    require_well_formed(references.tree, kind, new)
    _require_free(references, holder, kind, entry=entry, new=new)
    if not force:
        _require_unrecorded(kind, old)
    return make_renaming(references, (NameChange(kind, old, new, entry),), tuple(_find_warnings(kind, old, new)))


def _find_part(references: References, holder: Device, kind: EntityKind, *, old: str, new: str) -> Entry:
    word, key = kind.value.label, references.tree.key(holder.entry.dn)
    carriers = references.find_entries(kind, old)
    for entry in carriers:
        if references.find_device_key(entry.dn) == key:
            return entry
    new_name = NameChange(kind, old, new, device_key=() if kind.value.registered else key)
    # Another tool may have renamed the entry already, without the references to it.
    if step := suggest_references_only(references, new_name):
        raise NotFound(f"the device {holder.name} has no {word} {old}", next_step=step)
    if carriers:
        other_device = references.find_device_key(carriers[0].dn)
        name = references.tree.entries[other_device].text(DICOM_DEVICE_NAME) if other_device else None
        raise NotFound(
            f"the device {holder.name} has no {word} {old}",
            next_step=f"to rename the {word} of {name}: --device {name}",
        )
    parts = (e for e in references.tree.subtree(holder.entry.dn) if e.is_a(kind.value.object_class))
    names = format_known_names(old, (each.text(kind.value.attribute) or "" for each in parts))
    raise NotFound(f"the device {holder.name} has no {word} {old}", next_step=f"known names: {names}")


def _require_free(references: References, holder: Device, kind: EntityKind, *, entry: Entry, new: str) -> None:
    if kind.value.registered:
        require_free(references, kind, new)
    dn = entry.dn.parent.child(kind.value.attribute, new)
    key = references.tree.key(holder.entry.dn)
    taken = [each for each in references.find_entries(kind, new) if references.find_device_key(each.dn) == key]
    if taken or dn in references.tree:
        raise Refused(
            f"the name {new} is already used by another {kind.value.label}", subject=str(taken[0].dn if taken else dn)
        )


def _require_unrecorded(kind: EntityKind, old: str) -> None:
    if kind is EntityKind.STORAGE:
        raise Refused(
            f"the archive's database contains the ID {old} for each stored object, and LDAP changes do not affect "
            "the database. With another ID, the archive would not find these objects",
            next_step="add a second storage, set dcmObjectStorageID to the ID of the second storage, and keep "
            f"{old} for the existing objects. If {old} is empty, or if you also change the database, you can rename "
            f"{old}: {FORCE_OPTIONS[kind]}",
        )
    if kind is EntityKind.QUEUE and old in _BUILT_IN:
        raise Refused(
            f"the archive's program code uses a queue with the name {old}",
            next_step=f"to rename the queue anyway: {FORCE_OPTIONS[kind]}",
        )


def _find_warnings(kind: EntityKind, old: str, new: str) -> Iterator[str]:
    match kind:
        case EntityKind.STORAGE:
            yield (
                f"the archive's database contains the ID {old} for stored objects. The archive does not find these "
                f"objects until the database contains {new}. Stop the archive, then change LDAP and the database."
            )
        case EntityKind.QUEUE:
            yield (
                f"waiting tasks are recorded under {old} in the archive's database. After the rename, the archive does "
                "not process these tasks. First wait until the queue is empty."
            )
        case EntityKind.EXPORTER:
            yield (
                f"waiting export tasks in the archive's database refer to {old} and will fail. First wait until "
                f"the queue is empty, or reschedule the tasks for {new}."
            )
        case EntityKind.WEB_APP:
            yield f"replace {old} by {new} in scripts and other systems that use this web application."
        case _:
            return


def rename_device(references: References, old: str, new: str) -> Renaming:
    """Return the rename of the device *old* (case is ignored) to *new* (case is significant).

    Raises :class:`~dcmcfg.errors.NotFound` for an unknown device, :class:`~dcmcfg.errors.MalformedInput` for an invalid
    name, and :class:`Refused` if another device has the name.
    """
    configuration = Configuration(references.tree)
    device = configuration.get_device(old)
    if new == device.name:
        return make_empty_renaming(EntityKind.DEVICE, new)
    require_well_formed(references.tree, EntityKind.DEVICE, new)
    for each in configuration.devices:
        if EntityKind.DEVICE.are_same_name(each.name, new) and each.entry.dn != device.entry.dn:
            raise Refused(f"the name {new} is already used by another device", subject=str(each.entry.dn))
    name = NameChange(EntityKind.DEVICE, device.name, new, device.entry)
    return make_renaming(references, (name,), tuple(_find_device_warnings(device, new)))


def _find_device_warnings(device: Device, new: str) -> Iterator[str]:
    if "/" in new:
        yield (
            f"the device name {new} contains a slash, so dcmcfg commands will misread the name as DEVICE/AE (an AE of "
            "a device)."
        )
    if device.is_archive and not EntityKind.DEVICE.are_same_name(device.name, new):
        yield (
            f"a running archive with the device name {device.name} keeps the loaded settings and cannot reload. If "
            "possible, stop the archive before the rename. Otherwise, changes that the archive writes to its device "
            "during the rename are lost."
        )
        yield (
            f"waiting tasks in the archive's database belong to the device {device.name}. First wait until the "
            f"queues are empty, or reschedule the tasks for {new}."
        )
