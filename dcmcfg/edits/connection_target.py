"""A connection as users write it: ``DEVICE/NAME``, or ``DEVICE`` or ``DEVICE/AE`` with one only."""

from __future__ import annotations

from dcmcfg.connection_users import connection_name
from dcmcfg.devices import Configuration, Connection, Device
from dcmcfg.errors import Ambiguous, NotFound
from dcmcfg.suggestions import listed


def find_connection(configuration: Configuration, text: str) -> tuple[Device, Connection]:
    """Return the connection that *text* names: ``DEVICE/NAME``, or ``DEVICE`` or ``DEVICE/AE`` with one only.

    Raises :class:`NotFound`, and :class:`Ambiguous` for a device or AE that has several.
    """
    device, name = split_connection(configuration, text)
    if name is None:
        return device, _only(device, device.connections, f"the device {device.name}")
    for each in device.connections:
        if connection_name(each.dn).casefold() == name.casefold():
            return device, each
    for ae in device.network_aes:
        if ae.title == name:
            return device, _only(device, ae.connections, f"the AE {ae.qualified_title}")
    there = listed(name, (connection_name(each.dn) for each in device.connections))
    raise NotFound(f"the device {device.name} has no connection {name}", next_step=f"its connections are: {there}")


def _only(device: Device, connections: tuple[Connection, ...], whose: str) -> Connection:
    if len(connections) == 1:
        return connections[0]
    if not connections:
        raise NotFound(
            f"{whose} has no connection", next_step=f"dcmcfg connection add {device.name} HOST:PORT makes one"
        )
    which = ", ".join(f"{device.name}/{connection_name(each.dn)}" for each in connections)
    raise Ambiguous(f"{whose} has several connections", next_step=f"say which of {which}")


def split_connection(configuration: Configuration, text: str) -> tuple[Device, str | None]:
    """Return the device in ``DEVICE/NAME`` and the name, None for a device alone; raises :class:`NotFound`."""
    for device in configuration.devices:
        if device.name.casefold() == text.casefold():
            return device, None
    for device in configuration.devices:
        length = len(device.name)
        if text[length : length + 1] == "/" and text[:length].casefold() == device.name.casefold():
            return device, text[length + 1 :]
    return configuration.device(text.partition("/")[0]), None
