"""Render network connections as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console

from dcmcfg.model.connections import ConnectionUsers, format_user_names, get_connection_name
from dcmcfg.model.devices import DICOM, Connection, Device
from dcmcfg.model.targets import format_target
from dcmcfg.network_address import format_host_port
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.cells import format_cell_value
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.fields import format_yes_no, print_fields
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.schema_names import (
    COMMON_NAME,
    DCM_PROTOCOL,
    DICOM_HOSTNAME,
    DICOM_INSTALLED,
    DICOM_PORT,
    DICOM_TLS_CIPHER_SUITE,
    OBJECT_CLASS,
    TLS_PROTOCOL,
)

#: The protocol is empty for DICOM.
_COLUMNS = (
    ListColumn(heading="Connection", min_width=30, keep_end=True),
    ListColumn(heading="Address", min_width=24, keep_end=True),
    ListColumn(heading="TLS", drop_order=2),
    ListColumn(heading="Protocol", drop_order=3),
    ListColumn(heading="Used by", drop_order=1, min_width=26),
    ListColumn(heading="Cipher suites", drop_order=4, min_width=10),
)
#: The attributes that have their own label or key.
_SHOWN_ATTRIBUTES = frozenset(
    {
        OBJECT_CLASS,
        COMMON_NAME,
        DICOM_HOSTNAME,
        DICOM_PORT,
        DCM_PROTOCOL,
        DICOM_INSTALLED,
        DICOM_TLS_CIPHER_SUITE,
        TLS_PROTOCOL,
    }
)


def print_connections(console: Console, devices: Iterable[Device], users: ConnectionUsers) -> None:
    """Print the connections of *devices* as ``DEVICE/NAME``, with address and users, and their number."""
    rows = [row for device in devices for row in _build_rows(device, users)]
    if rows:
        print_list(console, _COLUMNS, rows)
    print_line(console, format_count(len(rows), "connection"))


def connections_json(devices: Iterable[Device], users: ConnectionUsers) -> dict[str, Any]:
    """Return the ``connections`` of *devices* for ``--json``; ``used_by`` contains the DNs of the users."""
    return {"connections": [_connection_json(device, each, users) for device in devices for each in device.connections]}


def _connection_json(device: Device, connection: Connection, users: ConnectionUsers) -> dict[str, Any]:
    return {
        "device": device.name,
        "name": get_connection_name(connection.dn),
        "dn": str(connection.dn),
        "host": connection.host,
        "port": connection.port,
        "protocol": connection.protocol,
        "cipher_suites": list(_list_cipher_suites(device, connection)),
        "installed": connection.installed,
        "used_by": [str(user.dn) for user in users.find_users(connection)],
    }


def print_connection(console: Console, device: Device, connection: Connection, users: ConnectionUsers) -> None:
    """Print *connection* of *device*: address, TLS, users, and all other attributes."""
    used_by = users.find_users(connection)
    print_line(console, f"{device.name}/{get_connection_name(connection.dn)}")
    print_fields(
        console,
        (
            ("DN", (str(connection.dn),)),
            ("Address", (format_listening_address(connection),)),
            ("Protocol", (connection.protocol,)),
            ("Installed", (format_yes_no(value=connection.installed),)),
            ("TLS", (", ".join(sorted(connection.tls_versions)) if connection.tls else "no",)),
            ("Cipher suites", _list_cipher_suites(device, connection)),
            ("Used by", tuple(format_target(device.tree, user) for user in used_by) or ("none",)),
            ("Other attributes", tuple(f"{name}={value}" for name, value in _iterate_other_values(device, connection))),
        ),
    )


def connection_details_json(device: Device, connection: Connection, users: ConnectionUsers) -> dict[str, Any]:
    """Return *connection* of *device* for ``--json``: the keys of ``connection list``, and all other attributes.

    ``tls_versions`` is empty without TLS. ``other_attributes`` maps the attributes without an own key to their values.
    """
    other_attributes: dict[str, list[str]] = {}
    for name, value in _iterate_other_values(device, connection):
        other_attributes.setdefault(name, []).append(value)
    return {
        **_connection_json(device, connection, users),
        "tls_versions": sorted(connection.tls_versions) if connection.tls else [],
        "other_attributes": other_attributes,
    }


def _iterate_other_values(device: Device, connection: Connection) -> Iterator[tuple[str, str]]:
    entry = device.tree.get(connection.dn)
    for attribute in sorted(entry.attributes, key=lambda each: each.name) if entry is not None else ():
        if attribute.name not in _SHOWN_ATTRIBUTES:
            yield from ((attribute.name, format_cell_value(attribute.name, value)) for value in attribute.values)


def format_listening_address(connection: Connection) -> str:
    """Return ``host:port``, or the host and ``(does not listen)`` without a port; not escaped."""
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
                    "TLS" if each.tls else "",
                    "" if each.protocol == DICOM else each.protocol,
                    format_user_names(users.find_users(each)) or "none",
                    " ".join(_list_cipher_suites(device, each)),
                ),
            )
        )


def _list_cipher_suites(device: Device, connection: Connection) -> tuple[str, ...]:
    entry = device.tree.get(connection.dn)
    return entry.texts(DICOM_TLS_CIPHER_SUITE) if entry is not None else ()
