"""The removal of a device with everything in it."""

from __future__ import annotations

from dcmcfg.devices import Device
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.removal import removal
from dcmcfg.references.referring import References


def remove_device(device: Device) -> Edit:
    """Return the edit that removes *device* leaf first, with the registrations of names that nothing else carries."""
    return removal(References(device.tree), [device.entry.dn])
