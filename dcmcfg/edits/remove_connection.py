"""The removal of a network connection."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.connection_users import ConnectionUsers, connection_name, told_users
from dcmcfg.devices import DICOM, Connection, Device
from dcmcfg.dn import DN, NormalDN
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.removal import removal
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput, Refused
from dcmcfg.references.referring import References
from dcmcfg.tree import Tree

_REFERENCE = "dicomNetworkConnectionReference"


def remove_connection(device: Device, connection: Connection, *, detach: bool = False) -> Edit:
    """Return the edit that removes *connection*; with *detach* it is taken from all who have another one first.

    A reference that leads nowhere makes the archive lose the whole device, with all its AEs: raises :class:`Refused`
    while something refers to it, and with *detach* while something has no other.
    """
    references = References(device.tree)
    users = ConnectionUsers(references).of(connection)
    name = f"the connection {connection_name(connection.dn)} of {device.name}"
    if users and not detach:
        raise Refused(
            f"{name} is used by {told_users(users)}; without it the archive would not load the device at all",
            next_step=f"--detach takes it from those who have another; {_another(device, users, connection)}",
        )
    detaching = [_detached(device, user, connection) for user in users]
    if stuck := [user for user, change in zip(users, detaching, strict=True) if change is None]:
        raise Refused(
            f"{name} is the only one of {told_users(stuck)}",
            next_step=_another(device, stuck, connection),
        )
    edit = removal(references, [connection.dn])
    # What referred to it does so no longer, so nothing is left to be told of.
    return Edit((*(change for change in detaching if change is not None), *edit.changes), referrers=())


def _another(device: Device, users: Sequence[Entry], connection: Connection) -> str:
    """Return how *users* get another connection, which needs a name of its own; only an AE is told to ``add``."""
    add = f"dcmcfg connection add {shlex.quote(f'{device.name}/NAME')} HOST:PORT"
    steps = [f"{add} --ae AET gives an AE another"] if any(map(_is_ae, users)) else []
    other = next((user for user in users if not _is_ae(user)), None)
    if other is not None:
        new = f"{_REFERENCE}={device.entry.dn.child('cn', 'NAME')}"
        protocol = "" if connection.protocol == DICOM else f" --protocol {connection.protocol}"
        gives = f"dcmcfg add-value {shlex.quote(str(other.dn))} {shlex.quote(new)}"
        steps.append(f"{add}{protocol} makes one, and {gives} gives it to {told_users([other])}")
    return "; ".join(steps)


def _is_ae(user: Entry) -> bool:
    return user.is_a("dicomNetworkAE")


def _detached(device: Device, user: Entry, connection: Connection) -> Modify | None:
    """Return the change that takes *connection* from *user*, None where it has no other or refers to it otherwise."""
    tree = device.tree
    by_value = {value: _key(tree, value) for value in user.values(_REFERENCE)}
    values = tuple(value for value, key in by_value.items() if key == tree.key(connection.dn))
    others = [key for key in by_value.values() if key is not None and key in tree.entries]
    if not values or len(others) == len(values):
        return None
    return Modify(user.dn, (Modification(Operation.DELETE, _REFERENCE, values),))


def _key(tree: Tree, value: bytes) -> NormalDN | None:
    try:
        return tree.key(DN.parse(value.decode("utf-8", "surrogateescape")))
    except MalformedInput:
        return None
