"""Add, change and remove network connections of a device."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

from dcmcfg.changes import Add, Modification, Modify, Operation
from dcmcfg.dn import DN, NormalDN
from dcmcfg.edits.connection_settings import (
    ConnectionSettings,
    find_connection_entry,
    get_default_connection_name,
    matches_settings,
    warn_about_shared_address,
)
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.name_rules import require_valid_name
from dcmcfg.edits.network_entries import build_connection_entry
from dcmcfg.edits.removal import remove_subtrees
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput, Refused
from dcmcfg.model.connections import ConnectionUsers, format_users, get_connection_name
from dcmcfg.model.devices import DICOM, Connection, Device
from dcmcfg.model.references.index import References
from dcmcfg.model.tree import Tree
from dcmcfg.network_address import format_host_port
from dcmcfg.schema_names import (
    COMMON_NAME,
    DCM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
    DICOM_NETWORK_CONNECTION_REFERENCE,
    OBJECT_CLASS,
)


def add_connection(
    device: Device, name: str | None, settings: ConnectionSettings, *, ae_titles: Iterable[str] = ()
) -> Edit:
    """Return the edit that adds the connection *name* (None: the default name) to *device*, for its AEs *ae_titles*.

    An existing connection with these settings is unchanged. Raises :class:`Refused` for an existing one that differs,
    for a name that the archive cannot handle, and without a host; :class:`~dcmcfg.errors.NotFound` for an AE that the
    device does not have.
    """
    edit = _add_entry(device, name if name is not None else get_default_connection_name(settings), settings)
    ae_entries = [device.get_network_ae(title).entry for title in ae_titles]
    # The first change adds the connection, also if it exists already.
    reference = str(edit.changes[0].dn).encode()
    reference_changes = [
        Modify(entry.dn, (Modification(Operation.ADD, DICOM_NETWORK_CONNECTION_REFERENCE, (reference,)),))
        for entry in ae_entries
    ]
    return Edit((*edit.changes, *reference_changes), edit.warnings)


def _add_entry(device: Device, name: str, settings: ConnectionSettings) -> Edit:
    require_valid_name(name, "connection", "choose another name for the connection")
    if settings.host is None:
        raise Refused("a connection requires a host", next_step="specify HOST or HOST:PORT")
    entry = build_connection_entry(device.entry.dn.child(COMMON_NAME, name), settings.host, settings.port)
    for attribute, values in settings.to_attributes():
        entry = entry.with_values(attribute, tuple(value.encode() for value in values))
    existing = next(
        (each for each in device.connections if get_connection_name(each.dn).casefold() == name.casefold()), None
    )
    if existing is None:
        return Edit((Add(entry),), tuple(warn_about_shared_address(device, entry)))
    existing_entry = find_connection_entry(device, existing)
    if matches_settings(existing_entry, settings):
        # The plan reports the add of an equal entry as unchanged.
        return Edit((Add(existing_entry),))
    raise Refused(
        f"the device {device.name} already has a connection {get_connection_name(existing.dn)}, to "
        f"{format_host_port(existing.host, existing.port)}",
        next_step=f"to change this connection: dcmcfg connection set {device.name}/{get_connection_name(existing.dn)} "
        "HOST:PORT; "
        f"to add a connection with another name: dcmcfg connection add {device.name}/NAME HOST:PORT",
    )


def remove_connection(device: Device, connection: Connection, *, detach: bool = False) -> Edit:
    """Return the edit that removes *connection*; with *detach*, users with another connection lose it first.

    Raises :class:`Refused` while an entry refers to the connection, or, with *detach*, while it is the only connection
    of an entry: because of a dangling reference, the archive would not load the whole device with all its AEs.
    """
    references = References(device.tree)
    users = ConnectionUsers(references).find_users(connection)
    name = f"the connection {get_connection_name(connection.dn)} of {device.name}"
    if users and not detach:
        raise Refused(
            f"{name} is used by {format_users(users)}; without the connection, the archive would not load the device",
            next_step="to also remove the reference to the connection from each of these entries: --detach (only if "
            f"the entry has another connection); {_suggest_replacement(device, users, connection)}",
        )
    detaching = [_detach(device, user, connection) for user in users]
    if stuck := [user for user, change in zip(users, detaching, strict=True) if change is None]:
        raise Refused(
            f"{name} is the only connection of {format_users(stuck)}",
            next_step=_suggest_replacement(device, stuck, connection),
        )
    edit = remove_subtrees(references, [connection.dn])
    # The references were removed before, so there are no referrers left to report.
    return Edit((*(change for change in detaching if change is not None), *edit.changes), referrers=())


def _suggest_replacement(device: Device, users: Sequence[Entry], connection: Connection) -> str:
    """Return the commands that give *users* another connection; ``connection add --ae`` is enough for AEs only."""
    add = f"dcmcfg connection add {shlex.quote(f'{device.name}/NAME')} HOST:PORT"
    steps = [f"to give an AE another connection: {add} --ae AET"] if any(map(_is_ae, users)) else []
    other = next((user for user in users if not _is_ae(user)), None)
    if other is not None:
        value = f"{DICOM_NETWORK_CONNECTION_REFERENCE}+={device.entry.dn.child(COMMON_NAME, 'NAME')}"
        protocol = "" if connection.protocol == DICOM else f" --protocol {connection.protocol}"
        command = f"dcmcfg set {shlex.quote(str(other.dn))} {shlex.quote(value)}"
        steps.append(
            f"to add another connection: {add}{protocol}; to assign that connection to {format_users([other])}: "
            f"{command}"
        )
    return "; ".join(steps)


def _is_ae(user: Entry) -> bool:
    return user.is_a(DICOM_NETWORK_AE_OBJECT_CLASS)


def _detach(device: Device, user: Entry, connection: Connection) -> Modify | None:
    """Return the change that removes *connection* from *user*; None without another one, or for another reference."""
    tree = device.tree
    by_value = {value: _build_key(tree, value) for value in user.values(DICOM_NETWORK_CONNECTION_REFERENCE)}
    values = tuple(value for value, key in by_value.items() if key == tree.key(connection.dn))
    others = [key for key in by_value.values() if key is not None and key in tree.entries]
    # The entry must keep a reference to another existing connection: AEs and HL7 applications require one.
    if not values or len(others) == len(values):
        return None
    return Modify(user.dn, (Modification(Operation.DELETE, DICOM_NETWORK_CONNECTION_REFERENCE, values),))


def _build_key(tree: Tree, value: bytes) -> NormalDN | None:
    try:
        return tree.key(DN.parse(value.decode("utf-8", "surrogateescape")))
    except MalformedInput:
        return None


def set_connection(device: Device, connection: Connection, settings: ConnectionSettings) -> Edit:
    """Return the edit that applies *settings* to *connection* of *device*; the warnings list other affected users."""
    entry = find_connection_entry(device, connection)
    modifications = [
        Modification(Operation.REPLACE, name, tuple(value.encode() for value in values))
        for name, values in settings.to_attributes()
    ]
    # Attributes of dcm4chee are only allowed with dcm4chee's object class.
    needs_class = any(each.name.startswith("dcm") and each.values for each in modifications)
    if needs_class and not entry.is_a(DCM_NETWORK_CONNECTION_OBJECT_CLASS):
        modifications.insert(
            0, Modification(Operation.ADD, OBJECT_CLASS, (DCM_NETWORK_CONNECTION_OBJECT_CLASS.encode(),))
        )
    warnings: list[str] = []
    if not matches_settings(entry, settings):
        users = ConnectionUsers(References(device.tree)).find_users(connection)
        warnings += (
            [f"the change affects all entries that use the connection: {format_users(users)}."]
            if len(users) > 1
            else []
        )
        after = entry
        for each in modifications:
            after = after.with_values(each.name, each.values) if each.operation is Operation.REPLACE else after
        warnings += warn_about_shared_address(device, after)
    return Edit((Modify(entry.dn, tuple(modifications)),), tuple(warnings))
