"""Another name for a device or a part of one: a queue, an exporter, a storage, a view, a web application."""

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

#: Queues that the archive's own program names (QUEUE_NAME of its services), whatever is configured.
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
#: What of the archive keeps the old name where nobody can change it by LDAP; the option that takes that.
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
    """Return the rename of *old* of *kind* on *device* to *new*; with *only_references*, of what still refers to *old*.

    Raises :class:`NotFound` for what is not there, :class:`~dcmcfg.errors.MalformedInput` for a name that cannot be,
    :class:`Refused` for one that is taken and, unless *force* is said, for a storage (the archive's database has its
    ID with each object) or a queue that the archive's program names.
    """
    holder = Configuration(references.tree).get_device(device)
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
    if step := suggest_references_only(references, new_name):
        raise NotFound(f"the device {holder.name} has no {word} {old}", next_step=step)
    if carriers:
        other_device = references.find_device_key(carriers[0].dn)
        name = references.tree.entries[other_device].text(DICOM_DEVICE_NAME) if other_device else None
        raise NotFound(f"the device {holder.name} has no {word} {old}", next_step=f"{name} has: --device {name}")
    parts = (e for e in references.tree.subtree(holder.entry.dn) if e.is_a(kind.value.object_class))
    names = format_known_names(old, (each.text(kind.value.attribute) or "" for each in parts))
    raise NotFound(f"the device {holder.name} has no {word} {old}", next_step=f"there are: {names}")


def _require_free(references: References, holder: Device, kind: EntityKind, *, entry: Entry, new: str) -> None:
    if kind.value.registered:
        require_free(references, kind, new)
    dn = entry.dn.parent.child(kind.value.attribute, new)
    key = references.tree.key(holder.entry.dn)
    taken = [each for each in references.find_entries(kind, new) if references.find_device_key(each.dn) == key]
    if taken or dn in references.tree:
        raise Refused(
            f"the name {new} is taken by another {kind.value.label}", subject=str(taken[0].dn if taken else dn)
        )


def _require_unrecorded(kind: EntityKind, old: str) -> None:
    if kind is EntityKind.STORAGE:
        raise Refused(
            f"the archive's database has {old} with each object that is stored there, and no LDAP change reaches it: "
            "with another ID nothing of it would be found",
            next_step="add a second storage and have dcmObjectStorageID name it, so that this one stays for what it "
            f"holds; {FORCE_OPTIONS[kind]} if it holds nothing, or the database is changed too",
        )
    if kind is EntityKind.QUEUE and old in _BUILT_IN:
        raise Refused(
            f"the archive's own program puts its tasks into a queue called {old}",
            next_step=f"{FORCE_OPTIONS[kind]}, if it is meant",
        )


def _find_warnings(kind: EntityKind, old: str, new: str) -> Iterator[str]:
    match kind:
        case EntityKind.STORAGE:
            yield (
                f"objects that the archive's database has on {old} are not found until the database says {new}: change "
                "both while the archive is stopped."
            )
        case EntityKind.QUEUE:
            yield f"tasks that wait in {old} are not taken up any more, as the database has its name: let it run empty."
        case EntityKind.EXPORTER:
            yield (
                f"export tasks that wait in the archive's database name {old} and fail: let its queue run empty first, "
                f"or reschedule them for {new}."
            )
        case EntityKind.WEB_APP:
            yield f"scripts and other systems that name the web application {old} have to name {new}."
        case _:
            return


def rename_device(references: References, old: str, new: str) -> Renaming:
    """Return the rename of the device *old*, whose case does not matter, to *new*, whose case does.

    Raises :class:`~dcmcfg.errors.NotFound` for an unknown device, :class:`~dcmcfg.errors.MalformedInput` for a name
    that cannot be, :class:`Refused` when another device has it.
    """
    configuration = Configuration(references.tree)
    device = configuration.get_device(old)
    if new == device.name:
        return make_empty_renaming(EntityKind.DEVICE, new)
    require_well_formed(references.tree, EntityKind.DEVICE, new)
    for each in configuration.devices:
        if EntityKind.DEVICE.are_same_name(each.name, new) and each.entry.dn != device.entry.dn:
            raise Refused(f"the name {new} is taken by another device", subject=str(each.entry.dn))
    name = NameChange(EntityKind.DEVICE, device.name, new, device.entry)
    return make_renaming(references, (name,), tuple(_find_device_warnings(device, new)))


def _find_device_warnings(device: Device, new: str) -> Iterator[str]:
    if "/" in new:
        yield f"dcmcfg takes DEVICE/AE for an AE of a device, so commands will take {new} for that."
    if device.is_archive and not EntityKind.DEVICE.are_same_name(device.name, new):
        yield (
            f"an archive that runs as {device.name} goes on with what it has loaded, and cannot reload. Stop it first "
            "if you can: what it writes into its device meanwhile is lost."
        )
        yield (
            f"tasks that wait in the archive's database belong to the device {device.name}: let the queues run empty "
            f"first, or reschedule them for {new}."
        )
