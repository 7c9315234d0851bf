"""The removal of a network AE, with the connections and the device that nothing else needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from dcmcfg.connection_users import ConnectionUsers, connection_name, told_users
from dcmcfg.devices import Connection, NetworkAE
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.removal import removal
from dcmcfg.references.referring import References


def remove_network_ae(ae: NetworkAE, *, keep_connection: bool) -> Edit:
    """Return the edit that removes *ae* with its capabilities and its registration.

    A connection that only it uses goes too, unless *keep_connection*; one that anything else uses stays. The device
    goes with its last AE when nothing is left in it but connections that nobody uses, as ``dcmldap`` has it; the
    archive's own device always stays.
    """
    device, tree = ae.device, ae.device.tree
    references = References(tree)
    users = ConnectionUsers(references)
    idle = () if keep_connection else tuple(each for each in device.connections if not users.of(each, but=ae))
    going = {tree.key(ae.entry.dn), *(tree.key(each.dn) for each in idle)}
    left = [child for child in tree.children(device.entry.dn) if tree.key(child.dn) not in going]
    if not left and not device.is_archive:
        edit = removal(references, [device.entry.dn])
        last = f"{ae.title} is the last AE of the device {device.name}, and nothing else is in it: the device goes too."
        return replace(edit, warnings=(last, *edit.warnings))
    own = [each for each in idle if each in ae.connections]
    edit = removal(references, [ae.entry.dn, *(each.dn for each in own)])
    return replace(edit, warnings=(*_staying(ae, users, own, keep=keep_connection), *edit.warnings))


def _staying(ae: NetworkAE, users: ConnectionUsers, going: Collection[Connection], *, keep: bool) -> Iterator[str]:
    for connection in ae.connections:
        others = users.of(connection, but=ae)
        if connection not in going and others:
            yield f"the connection {connection_name(connection.dn)} stays, for {told_users(others)}."
    if len(ae.device.network_aes) == 1 and not keep:
        yield f"the device {ae.device.name} stays without an AE, since there is more in it."
