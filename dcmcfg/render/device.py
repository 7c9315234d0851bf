"""Render a device with its AEs as tables and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.model.devices import Connection, Device, NetworkAE
from dcmcfg.model.retrieve_settings import EffectiveSetting, list_retrieve_settings
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.connections import format_listening_address
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.schema_names import DICOM_DESCRIPTION, DICOM_TRANSFER_ROLE
from dcmcfg.secret_values import is_secret

_ADDRESSES = (
    Column("AE"),
    Column("Address"),
    Column("Capabilities", WrapMode.AT_SPACES),
    Column("Description", WrapMode.AT_SPACES),
)
SETTING_COLUMNS = (Column("AE"), Column("Setting"), Column("Value", WrapMode.AUTO), Column("Set on"))
_UNSET = "(not set: objects go directly to the requester)"


def print_device(console: Console, device: Device, aes: Sequence[NetworkAE]) -> None:
    """Print *device* and *aes* (titles, addresses, capabilities), and the retrieve settings of an archive."""
    archive = " (archive)" if device.is_archive else ""
    print_line(console, f"{escape_unprintable(device.name)}{archive}{_installed_suffix(installed=device.installed)}")
    print_line(console, escape_unprintable(str(device.entry.dn)))
    print_table(console, _ADDRESSES, list(_build_address_rows(aes)), blank_above=True)
    if device.is_archive:
        print_line(console, "Retrieve settings:")
        print_table(console, SETTING_COLUMNS, list(build_setting_rows(aes)), blank_above=True)


def device_json(device: Device, aes: Sequence[NetworkAE]) -> dict[str, Any]:
    """Return *device* for ``--json``: ``device``, ``dn``, ``is_archive``, ``installed``, ``aes`` sorted by title."""
    return {
        "device": device.name,
        "dn": str(device.entry.dn),
        "is_archive": device.is_archive,
        "installed": device.installed,
        "aes": [_ae_json(ae) for ae in aes],
    }


def _ae_json(ae: NetworkAE) -> dict[str, Any]:
    return {
        "ae_title": ae.title,
        "installed": ae.installed,
        "other_ae_titles": list(ae.other_titles),
        "capabilities": capability_counts_json(ae),
        "connections": [connection_json(connection) for connection in ae.connections],
        "settings": retrieve_settings_json(ae),
    }


def retrieve_settings_json(ae: NetworkAE) -> dict[str, Any]:
    """Return the effective retrieve settings of *ae* for ``--json``, by attribute; empty unless an archive's AE."""
    return {
        setting.name: {"values": list(setting.values), "level": setting.level or None}
        for setting in (list_retrieve_settings(ae) if ae.device.is_archive else ())
    }


def connection_json(connection: Connection) -> dict[str, Any]:
    """Return *connection* for ``--json``."""
    return {
        "host": connection.host,
        "port": connection.port,
        "tls": connection.tls,
        "protocol": connection.protocol,
        "installed": connection.installed,
    }


def _count_roles(ae: NetworkAE) -> Counter[str]:
    return Counter(entry.text(DICOM_TRANSFER_ROLE) or "" for entry in ae.capability_source.capabilities)


def format_capability_counts(ae: NetworkAE) -> str:
    """Return the number of capabilities of *ae* by role.

    Without capabilities it is ``any`` (the archive sends everything to such an AE), or ``none`` for an AE of an
    archive, which then accepts nothing.
    """
    roles = _count_roles(ae)
    no_capabilities = "none" if ae.device.is_archive else "any"
    role_counts = ", ".join(f"{roles[role]} {role}" for role in ("SCP", "SCU") if roles[role]) or no_capabilities
    source_ae = ae.capability_source
    return role_counts if source_ae is ae else f"{role_counts}, shared from {escape_unprintable(source_ae.title)}"


def capability_counts_json(ae: NetworkAE) -> dict[str, Any]:
    """Return the numbers of capabilities of *ae* for ``--json``; ``shared_from`` is the AE that owns shared ones."""
    roles = _count_roles(ae)
    source_ae = ae.capability_source
    return {
        "scp_count": roles["SCP"],
        "scu_count": roles["SCU"],
        "shared_from": source_ae.title if source_ae is not ae else None,
    }


def _build_address_rows(aes: Iterable[NetworkAE]) -> Iterator[tuple[str, ...]]:
    for ae in aes:
        addresses = "\n".join(_format_address(connection) for connection in ae.connections) or "(no connection)"
        description = _format_value(DICOM_DESCRIPTION, ae.entry.text(DICOM_DESCRIPTION) or "")
        other_titles = (
            () if ae.device.is_archive else ae.other_titles
        )  # those of the archive are shown with its settings
        titles = [
            escape_unprintable(ae.title) + _installed_suffix(installed=ae.installed),
            *(f"also {escape_unprintable(title)}" for title in other_titles),
        ]
        yield "\n".join(titles), addresses, format_capability_counts(ae), description


def build_setting_rows(aes: Iterable[NetworkAE]) -> Iterator[tuple[str, ...]]:
    """Yield the effective retrieve settings of *aes* as rows for :data:`SETTING_COLUMNS`."""
    for ae in aes:
        for number, setting in enumerate(list_retrieve_settings(ae)):
            yield (
                escape_unprintable(ae.title) if number == 0 else "",
                setting.name,
                _format_setting_values(setting),
                setting.level,
            )


def _format_setting_values(setting: EffectiveSetting) -> str:
    return "\n".join(_format_value(setting.name, value) for value in setting.values) or _UNSET


def _format_value(name: str, value: str) -> str:
    return "(secret)" if is_secret(name, value.encode()) else escape_unprintable(value)


def _format_address(connection: Connection) -> str:
    address = escape_unprintable(format_listening_address(connection))
    tls = " TLS" if connection.tls else ""
    return f"{address}{tls}{_installed_suffix(installed=connection.installed)}"


def _installed_suffix(*, installed: bool) -> str:
    return "" if installed else " (not installed)"
