"""A new device without anything in it."""

from __future__ import annotations

from dcmcfg.changes import Add
from dcmcfg.devices import Configuration
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_entries import device_entry
from dcmcfg.edits.new_names import require_name
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused


def create_device(configuration: Configuration, name: str, *, description: str | None, types: tuple[str, ...]) -> Edit:
    """Return the edit that adds the device *name*, of primary device *types* (modalities such as CT).

    Raises :class:`Refused` when there is one that differs in what is wanted, and for a name that the archive cannot
    handle.
    """
    require_name(name, "device", "give it another name")
    root = configuration.root
    container = next((e for e in configuration.tree.children(root) if e.is_a("dicomDevicesRoot")), None)
    made = container or Entry.of(root.child("cn", "Devices"), {"objectClass": "dicomDevicesRoot", "cn": "Devices"})
    held = next((each for each in configuration.devices if each.name.casefold() == name.casefold()), None)
    if held is None:
        new = device_entry(made.dn.child("dicomDeviceName", name), description, types)
        return Edit((*(() if container else (Add(made),)), Add(new)))
    same_text = description in (None, held.entry.text("dicomDescription"))
    if not same_text or not set(types) <= set(held.entry.texts("dicomPrimaryDeviceType")):
        raise Refused(f"there is a device {held.name}, and it differs", next_step=f"dcmcfg set {held.name} changes it")
    return Edit((Add(held.entry),))
