"""Another address, or another setting, of a network connection."""

from __future__ import annotations

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.connection_users import ConnectionUsers, told_users
from dcmcfg.devices import Connection, Device
from dcmcfg.edits.connection_settings import ConnectionSettings, clash, entry_of, is_so
from dcmcfg.edits.edit import Edit
from dcmcfg.references.referring import References

_EXTENDED = "dcmNetworkConnection"
_OWN_HOST = (
    "an archive whose own host name changes may answer the reload with 'Address already in use' and go on with the old "
    "settings; then restart it."
)


def set_connection(device: Device, connection: Connection, wanted: ConnectionSettings) -> Edit:
    """Return the edit that makes *connection* of *device* as it is *wanted*; the warnings say who moves with it."""
    entry = entry_of(device, connection)
    modifications = [
        Modification(Operation.REPLACE, name, tuple(value.encode() for value in values))
        for name, values in wanted.attributes()
    ]
    needs_class = any(each.name.startswith("dcm") and each.values for each in modifications)
    if needs_class and not entry.is_a(_EXTENDED):
        modifications.insert(0, Modification(Operation.ADD, "objectClass", (_EXTENDED.encode(),)))
    warnings: list[str] = []
    if not is_so(entry, wanted):
        users = ConnectionUsers(References(device.tree)).of(connection)
        warnings += [f"it changes for all who use it: {told_users(users)}."] if len(users) > 1 else []
        if device.is_archive and wanted.host not in (None, connection.host):
            warnings.append(_OWN_HOST)
        after = entry
        for each in modifications:
            after = after.with_values(each.name, each.values) if each.operation is Operation.REPLACE else after
        warnings += clash(device, after)
    return Edit((Modify(entry.dn, tuple(modifications)),), tuple(warnings))
