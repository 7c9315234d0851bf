"""Another name for a device."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.devices import Configuration, Device
from dcmcfg.edits.rename.new_name import require_well_formed
from dcmcfg.edits.rename.renaming import Renaming, nothing, renaming
from dcmcfg.edits.rename.rewriting import NewName
from dcmcfg.errors import Refused
from dcmcfg.references.kinds import Kind
from dcmcfg.references.referring import References


def rename_device(references: References, old: str, new: str) -> Renaming:
    """Return the rename of the device *old*, whose case does not matter, to *new*, whose case does.

    Raises :class:`~dcmcfg.errors.NotFound` for an unknown device, :class:`~dcmcfg.errors.MalformedInput` for a name
    that cannot be, :class:`Refused` when another device has it.
    """
    configuration = Configuration(references.tree)
    device = configuration.device(old)
    if new == device.name:
        return nothing(Kind.DEVICE, new)
    require_well_formed(references.tree, Kind.DEVICE, new)
    for each in configuration.devices:
        if Kind.DEVICE.same(each.name, new) and each.entry.dn != device.entry.dn:
            raise Refused(f"the name {new} is taken by another device", on=str(each.entry.dn))
    name = NewName(Kind.DEVICE, device.name, new, device.entry)
    return renaming(references, (name,), tuple(_warnings(device, new)))


def _warnings(device: Device, new: str) -> Iterator[str]:
    if "/" in new:
        yield f"dcmcfg takes DEVICE/AE for an AE of a device, so commands will take {new} for that."
    if device.is_archive and not Kind.DEVICE.same(device.name, new):
        yield (
            f"an archive that runs as {device.name} goes on with what it has loaded, and cannot reload. Stop it first "
            "if you can: what it writes into its device meanwhile is lost."
        )
        yield (
            f"tasks that wait in the archive's database belong to the device {device.name}: let the queues run empty "
            f"first, or reschedule them for {new}."
        )
