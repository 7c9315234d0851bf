"""Render lists of devices and AEs, and the hits of a text search, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console

from dcmcfg.dn import DN
from dcmcfg.model.devices import Connection, Device, NetworkAE
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.connections import format_listening_address
from dcmcfg.render.device import capability_counts_json, connection_json, format_capability_counts
from dcmcfg.render.terminal.cells import SECRET_PLACEHOLDER, format_relative_dn
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.schema_names import DICOM_DESCRIPTION
from dcmcfg.search.text_search import TextHit
from dcmcfg.secret_values import is_secret

#: The address of an AE is more important than whether it can be called; ``ae show`` lists the capabilities.
_AES = (
    ListColumn(heading="AE"),
    ListColumn(heading="Device", min_width=16),
    ListColumn(heading="Address", min_width=30, keep_end=True),
    ListColumn(heading="TLS", drop_order=1),
    ListColumn(heading="Installed", drop_order=2),
    ListColumn(heading="Capabilities", drop_order=3, min_width=14),
)
_DEVICES = (
    ListColumn(heading="Device"),
    ListColumn(heading="Address", min_width=24, keep_end=True),
    ListColumn(heading="TLS", drop_order=1),
    ListColumn(heading="Installed", drop_order=2),
    ListColumn(heading="AEs", min_width=10),
)
#: "Refers to" is dropped first, because attribute and value usually show the target already.
_HITS = (
    ListColumn(heading="Entry", min_width=34, keep_end=True),
    ListColumn(heading="Attribute", min_width=16),
    ListColumn(heading="Value", min_width=20),
    ListColumn(heading="Refers to", drop_order=1),
)
#: Of a longer value, only the part around the text is shown.
_MAX_VALUE_LENGTH = 200
_CONTEXT_LENGTH = 60


def print_aes(console: Console, aes: Sequence[NetworkAE]) -> None:
    """Print *aes* as a table, and their number."""
    if aes:
        print_list(console, _AES, [_build_ae_row(ae) for ae in aes])
    print_line(console, format_count(len(aes), "AE"))


def print_devices(console: Console, devices: Sequence[Device]) -> None:
    """Print *devices* as a table, and their number."""
    if devices:
        print_list(console, _DEVICES, [_build_device_row(device) for device in devices])
    print_line(console, format_count(len(devices), "device"))


def print_hits(console: Console, hits: Sequence[TextHit], text: str, base: DN) -> None:
    """Print *hits* of *text* as a table with DNs relative to *base*, and the numbers of values and entries."""
    if hits:
        print_list(console, _HITS, list(_build_hit_rows(hits, text, base)))
    values = format_count(sum(hit.value is not None for hit in hits), "value")
    print_line(console, f"{values} in {format_count(len({hit.dn for hit in hits}), 'entry', 'entries')}")


def ae_json(ae: NetworkAE) -> dict[str, Any]:
    """Return *ae* for ``--json``; ``capabilities`` has their numbers, also for capabilities shared from another AE."""
    return {
        "ae_title": ae.title,
        "device": ae.device.name,
        "dn": str(ae.entry.dn),
        "description": ae.entry.text(DICOM_DESCRIPTION),
        "installed": ae.installed,
        "connections": [connection_json(connection) for connection in ae.connections],
        "capabilities": capability_counts_json(ae),
    }


def device_summary_json(device: Device) -> dict[str, Any]:
    """Return a summary of *device* for ``--json``, with the titles of its AEs."""
    return {
        "device": device.name,
        "dn": str(device.entry.dn),
        "description": device.entry.text(DICOM_DESCRIPTION),
        "is_archive": device.is_archive,
        "installed": device.installed,
        "connections": [connection_json(connection) for connection in device.connections],
        "ae_titles": [ae.title for ae in device.network_aes],
    }


def hit_json(hit: TextHit) -> dict[str, Any]:
    """Return *hit* for ``--json``: missing values are null. A secret has ``secret`` true and no value."""
    is_hidden = hit.value is not None and is_secret(hit.attribute, hit.value)
    return {
        "dn": str(hit.dn),
        "attribute": hit.attribute or None,
        "value": None if hit.value is None or is_hidden else _get_value_text(hit),
        "secret": is_hidden,
        "refers_to": hit.refers_to or None,
    }


def _build_ae_row(ae: NetworkAE) -> tuple[str, ...]:
    return (
        escape_unprintable(ae.title),
        escape_unprintable(ae.device.name),
        "\n".join(map(_format_address, ae.connections)) or "(no connection)",
        "\n".join("TLS" if connection.tls else "" for connection in ae.connections),
        "yes" if ae.installed else "no",
        format_capability_counts(ae),
    )


def _build_device_row(device: Device) -> tuple[str, ...]:
    archive = " (archive)" if device.is_archive else ""
    return (
        escape_unprintable(device.name) + archive,
        "\n".join(map(_format_address, device.connections)) or "(no connection)",
        "\n".join("TLS" if each.tls else "" for each in device.connections),
        "yes" if device.installed else "no",
        escape_unprintable(" ".join(ae.title for ae in device.network_aes)),
    )


def _format_address(connection: Connection) -> str:
    return escape_unprintable(format_listening_address(connection))


def _build_hit_rows(hits: Sequence[TextHit], text: str, base: DN) -> Iterator[tuple[str, ...]]:
    previous_dn = None
    for hit in hits:
        entry = "" if hit.dn is previous_dn else escape_unprintable(format_relative_dn(hit.dn, base))
        value = "" if hit.value is None else escape_unprintable(_extract_excerpt(_get_value_text(hit), text))
        yield entry, escape_unprintable(hit.attribute), value, escape_unprintable(hit.refers_to)
        previous_dn = hit.dn


def _get_value_text(hit: TextHit) -> str:
    value = hit.value or b""
    return SECRET_PLACEHOLDER if is_secret(hit.attribute, value) else value.decode("utf-8", "backslashreplace")


def _extract_excerpt(value: str, text: str) -> str:
    if len(value) <= _MAX_VALUE_LENGTH:
        return value
    # Case folding can change the length of a text, so the position may be slightly wrong for the excerpt.
    position = max(value.casefold().find(text.casefold()), 0)
    start, end = max(position - _CONTEXT_LENGTH, 0), position + len(text) + _CONTEXT_LENGTH
    return f"{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}"
