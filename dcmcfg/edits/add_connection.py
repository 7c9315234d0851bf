"""A new network connection of a device."""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.changes import Add, Modification, Modify, Operation
from dcmcfg.connection_users import connection_name
from dcmcfg.devices import Device
from dcmcfg.edits.connection_settings import ConnectionSettings, clash, entry_of, is_so, usual_name
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.network_entries import connection_entry
from dcmcfg.edits.new_names import require_name
from dcmcfg.errors import Refused
from dcmcfg.network_address import at

_REFERENCE = "dicomNetworkConnectionReference"


def add_connection(device: Device, name: str | None, wanted: ConnectionSettings, *, titles: Iterable[str] = ()) -> Edit:
    """Return the edit that adds the connection *name* (None: the usual one) to *device*, for its AEs *titles* to use.

    One that is there and is as it is wanted counts as done. Raises :class:`Refused` for one that differs, for a name
    that the archive cannot handle, and where no host is said; :class:`NotFound` for an AE that the device has not.
    """
    edit = _added(device, name if name is not None else usual_name(wanted), wanted)
    used_by = [device.network_ae(title).entry for title in titles]
    reference = str(edit.changes[0].dn).encode()
    more = [Modify(entry.dn, (Modification(Operation.ADD, _REFERENCE, (reference,)),)) for entry in used_by]
    return Edit((*edit.changes, *more), edit.warnings)


def _added(device: Device, name: str, wanted: ConnectionSettings) -> Edit:
    require_name(name, "connection", "give it another name")
    if wanted.host is None:
        raise Refused("a connection has a host", next_step="say HOST or HOST:PORT")
    entry = connection_entry(device.entry.dn.child("cn", name), wanted.host, wanted.port)
    for attribute, values in wanted.attributes():
        entry = entry.with_values(attribute, tuple(value.encode() for value in values))
    held = next((each for each in device.connections if connection_name(each.dn).casefold() == name.casefold()), None)
    if held is None:
        return Edit((Add(entry),), tuple(clash(device, entry)))
    there = entry_of(device, held)
    if is_so(there, wanted):
        return Edit((Add(there),))
    raise Refused(
        f"the device {device.name} has a connection {connection_name(held.dn)} already, to {at(held.host, held.port)}",
        next_step=f"dcmcfg connection set {device.name}/{connection_name(held.dn)} HOST:PORT changes it; "
        f"dcmcfg connection add {device.name}/NAME HOST:PORT adds one of another name",
    )
