"""Network connections as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console

from dcmcfg.model.connections import ConnectionUsers, format_users, get_connection_name
from dcmcfg.model.devices import DICOM, Connection, Device
from dcmcfg.network_address import format_host_port
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.schema_names import DICOM_TLS_CIPHER_SUITE

#: The protocol is empty for DICOM; of the cipher suites, the first tells TLS from plain.
_COLUMNS = (
    ListColumn(heading="Connection", min_width=30, keep_end=True),
    ListColumn(heading="Address", min_width=24, keep_end=True),
    ListColumn(heading="Protocol", drop_order=3),
    ListColumn(heading="TLS cipher suites", drop_order=1, min_width=10),
    ListColumn(heading="Used by", drop_order=2, min_width=12),
)


def print_connections(console: Console, devices: Iterable[Device], users: ConnectionUsers) -> None:
    """Print the connections of *devices* as ``DEVICE/NAME``, with address and who uses each."""
    rows = [row for device in devices for row in _build_rows(device, users)]
    if rows:
        print_list(console, _COLUMNS, rows)
    else:
        print_line(console, "no connections")


def connections_json(devices: Iterable[Device], users: ConnectionUsers) -> dict[str, Any]:
    """Return the ``connections`` of *devices* for ``--json``; ``used_by`` holds the DNs of the users."""
    return {
        "connections": [
            {
                "device": device.name,
                "name": get_connection_name(each.dn),
                "dn": str(each.dn),
                "host": each.host,
                "port": each.port,
                "protocol": each.protocol,
                "cipher_suites": list(_list_cipher_suites(device, each)),
                "installed": each.installed,
                "used_by": [str(user.dn) for user in users.find_users(each)],
            }
            for device in devices
            for each in device.connections
        ]
    }


def format_listening_address(connection: Connection) -> str:
    """Return ``host:port``, or the host and that nothing listens there; not escaped."""
    listens = "" if connection.port else " (does not listen)"
    return f"{format_host_port(connection.host, connection.port)}{listens}"


def _build_rows(device: Device, users: ConnectionUsers) -> Iterator[tuple[str, ...]]:
    for each in device.connections:
        installed_note = "" if each.installed else " (not installed)"
        yield tuple(
            map(
                escape_unprintable,
                (
                    f"{device.name}/{get_connection_name(each.dn)}",
                    f"{format_listening_address(each)}{installed_note}",
                    "" if each.protocol == DICOM else each.protocol,
                    " ".join(_list_cipher_suites(device, each)),
                    format_users(users.find_users(each)) or "nobody",
                ),
            )
        )


def _list_cipher_suites(device: Device, connection: Connection) -> tuple[str, ...]:
    entry = device.tree.get(connection.dn)
    return entry.texts(DICOM_TLS_CIPHER_SUITE) if entry is not None else ()
