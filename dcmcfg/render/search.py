"""Devices, AEs and places of a text as tables, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.model.devices import Connection, Device, NetworkAE
from dcmcfg.render.device import capabilities_json, connection_json, counted_capabilities
from dcmcfg.render.terminal.cells import SECRET, relative_dn
from dcmcfg.render.terminal.console import print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table
from dcmcfg.search.text_search import Hit
from dcmcfg.secret_values import is_secret

_AES = (
    Column("AE"),
    Column("device"),
    Column("host:port"),
    Column("TLS"),
    Column("installed"),
    Column("capabilities", Breaks.AT_BLANKS),
)
_DEVICES = (Column("device"), Column("host:port"), Column("installed"), Column("AEs", Breaks.AT_BLANKS))
_HITS = (
    Column("entry", Breaks.AT_COMMAS),
    Column("attribute"),
    Column("value", Breaks.AS_VALUE),
    Column("means"),
)
#: Of a longer value, what is around the text is shown.
_LONGEST = 200
_AROUND = 60


def print_aes(console: Console, aes: Sequence[NetworkAE]) -> None:
    """Print *aes* as a table, and how many they are."""
    if aes:
        print_table(console, _AES, [_ae_row(ae) for ae in aes])
    print_line(console, _counted(len(aes), "AE", "AEs"))


def print_devices(console: Console, devices: Sequence[Device]) -> None:
    """Print *devices* as a table, and how many they are."""
    if devices:
        print_table(console, _DEVICES, [_device_row(device) for device in devices])
    print_line(console, _counted(len(devices), "device", "devices"))


def print_hits(console: Console, hits: Sequence[Hit], text: str, base: DN) -> None:
    """Print *hits* of *text* as a table, names relative to *base*, and how many they are in how many entries."""
    if hits:
        print_table(console, _HITS, list(_hit_rows(hits, text, base)))
    values = _counted(sum(hit.value is not None for hit in hits), "value", "values")
    print_line(console, f"{values} in {_counted(len({hit.dn for hit in hits}), 'entry', 'entries')}")


def ae_json(ae: NetworkAE) -> dict[str, Any]:
    """Return *ae* for ``--json``; ``capabilities`` counts those listed, of the AE that it shares them from if any."""
    return {
        "title": ae.title,
        "device": ae.device.name,
        "dn": str(ae.entry.dn),
        "description": ae.entry.text("dicomDescription"),
        "installed": ae.installed,
        "connections": [connection_json(connection) for connection in ae.connections],
        "capabilities": capabilities_json(ae),
    }


def device_row_json(device: Device) -> dict[str, Any]:
    """Return *device* for ``--json``, AEs by title."""
    return {
        "device": device.name,
        "dn": str(device.entry.dn),
        "description": device.entry.text("dicomDescription"),
        "archive": device.is_archive,
        "installed": device.installed,
        "connections": [connection_json(connection) for connection in device.connections],
        "aes": [ae.title for ae in device.network_aes],
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """Return *hit* for ``--json``: null for what it has not; a secret's value is ``(secret)``."""
    return {
        "dn": str(hit.dn),
        "attribute": hit.attribute or None,
        "value": _text(hit) if hit.value is not None else None,
        "means": hit.means or None,
    }


def _ae_row(ae: NetworkAE) -> tuple[str, ...]:
    return (
        visible(ae.title),
        visible(ae.device.name),
        "\n".join(map(_address, ae.connections)) or "(no connection)",
        "\n".join("TLS" if connection.tls else "" for connection in ae.connections),
        "yes" if ae.installed else "no",
        counted_capabilities(ae),
    )


def _device_row(device: Device) -> tuple[str, ...]:
    archive = " (archive)" if device.is_archive else ""
    return (
        visible(device.name) + archive,
        "\n".join(f"{_address(each)}{' TLS' if each.tls else ''}" for each in device.connections) or "(no connection)",
        "yes" if device.installed else "no",
        visible(" ".join(ae.title for ae in device.network_aes)),
    )


def _address(connection: Connection) -> str:
    port = f":{connection.port}" if connection.port else " (does not listen)"
    return visible(connection.host) + port


def _hit_rows(hits: Sequence[Hit], text: str, base: DN) -> Iterator[tuple[str, ...]]:
    before = None
    for hit in hits:
        entry = "" if hit.dn is before else visible(relative_dn(hit.dn, base))
        value = "" if hit.value is None else visible(_excerpt(_text(hit), text))
        yield entry, visible(hit.attribute), value, visible(hit.means)
        before = hit.dn


def _text(hit: Hit) -> str:
    value = hit.value or b""
    return SECRET if is_secret(hit.attribute, value) else value.decode("utf-8", "backslashreplace")


def _excerpt(value: str, text: str) -> str:
    if len(value) <= _LONGEST:
        return value
    at = max(value.casefold().find(text.casefold()), 0)
    start, end = max(at - _AROUND, 0), at + len(text) + _AROUND
    return f"{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
