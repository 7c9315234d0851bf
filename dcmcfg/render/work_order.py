"""Render a work order as a letter, CSV, Orthanc configuration, LDIF of PS3.15 Annex H, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.dn import DN
from dcmcfg.edits.network_entries import (
    build_ae_entry,
    build_connection_entry,
    build_device_entry,
    build_registration_entry,
)
from dcmcfg.entry import Entry
from dcmcfg.ldif.writer import VERSION_LINE, format_entry
from dcmcfg.model.devices import Configuration, find_devices_dn
from dcmcfg.model.registries import AE_TITLE_REGISTRY
from dcmcfg.onboarding.delimited import write_rows
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import print_line, wrap_text
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.route.path import AEAddress
from dcmcfg.route.work_order import AllowedService, PeerEntry, WorkOrder
from dcmcfg.schema_names import COMMON_NAME, DICOM_AE_TITLE, DICOM_DEVICE_NAME, DICOM_DEVICE_OBJECT_CLASS, OBJECT_CLASS

_COLUMNS = (
    Column("AE"),
    Column("Address"),
    Column("Services", WrapMode.AT_SPACES),
    Column("Receives"),
    Column("Reason", WrapMode.AT_SPACES),
)
#: Orthanc refuses an entry without a port. For an AE that only calls, this port is never used.
_UNUSED_PORT = 104
#: PS3.15 Annex H shows the use of TLS only by cipher suites, so an entry with TLS requires at least one.
_DEFAULT_SUITES = ("TLS_RSA_WITH_AES_128_CBC_SHA",)


def print_work_order(console: Console, order: WorkOrder) -> None:
    """Print *order* as a letter: a table of the AEs to configure, then notes."""
    address_text = f" at {order.address}" if order.address else ""
    _print(console, f"For the administrator of {order.external_ae_title}{address_text}: please configure these AEs.")
    print_table(console, _COLUMNS, [tuple(map(escape_unprintable, _build_row(peer))) for peer in order.peers])
    for note in order.notes:
        _print(console, f"- {note}")


def work_order_csv(order: WorkOrder) -> str:
    """Return the AEs as comma-separated text with the columns that ``import`` reads."""
    return write_rows(
        {
            "title": peer.ae_title,
            "host": peer.address.host if peer.address else peer.source_host,
            "port": str(peer.address.port) if peer.address else "",
            "tls": "yes" if peer.address and peer.address.tls else "no",
            "description": "; ".join((f"may request: {', '.join(peer.allowed_services) or 'nothing'}", *peer.reasons)),
        }
        for peer in order.peers
    )


def work_order_orthanc(order: WorkOrder) -> str:
    """Return the AEs as a file for Orthanc's configuration folder: ``DicomModalities`` with permissions."""
    names: dict[str, Any] = {}
    for peer in order.peers:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", peer.ae_title)
        while name in names:
            name += "_"
        names[name] = _build_orthanc_modality(peer)
    return json.dumps({"DicomModalities": names}, indent=2) + "\n"


def work_order_ldif(order: WorkOrder, configuration: Configuration) -> Iterator[str]:
    """Yield the AEs as content records with the classes of PS3.15 Annex H, one device for each AE.

    Their DNs are below the containers of *configuration*, whose names are configurable.
    """
    devices = find_devices_dn(configuration.tree)
    registry_entry = AE_TITLE_REGISTRY.find_container(configuration.tree)
    registry_dn = (
        registry_entry.dn
        if registry_entry is not None
        else configuration.root.child(COMMON_NAME, AE_TITLE_REGISTRY.name)
    )
    yield VERSION_LINE + "\n"
    for peer in order.peers:
        description = f"may request: {', '.join(peer.allowed_services) or 'nothing'}"
        for entry in _build_entries(peer, devices, registry_dn):
            standard_classes = [value for value in entry.values(OBJECT_CLASS) if not value.startswith(b"dcm")]
            comments = (description,) if entry.is_a(DICOM_DEVICE_OBJECT_CLASS) else ()
            yield format_entry(entry.with_values(OBJECT_CLASS, standard_classes), comments=comments)


def work_order_json(order: WorkOrder) -> dict[str, Any]:
    """Return *order* for ``--json``."""
    return {
        "external_ae_title": order.external_ae_title,
        "address": _address_json(order.address),
        "archive_ae_title": order.archive_ae_title,
        "aes": [
            {
                "ae_title": peer.ae_title,
                "address": _address_json(peer.address),
                "source_host": peer.source_host or None,
                "allowed_services": list(peer.allowed_services),
                "receives_studies": peer.receives_studies,
                "reasons": list(peer.reasons),
            }
            for peer in order.peers
        ],
        "notes": list(order.notes),
        "warnings": list(order.warnings),
    }


def _build_row(peer: PeerEntry) -> tuple[str, ...]:
    address_text = str(peer.address) if peer.address else "(unknown)" if peer.receives_studies else "(only calls)"
    return (
        peer.ae_title,
        address_text,
        ", ".join(peer.allowed_services),
        "yes" if peer.receives_studies else "",
        "; ".join(peer.reasons),
    )


def _build_orthanc_modality(peer: PeerEntry) -> dict[str, Any]:
    return {
        "AET": peer.ae_title,
        "Host": peer.address.host if peer.address else peer.source_host or "localhost",
        "Port": peer.address.port if peer.address else _UNUSED_PORT,
        "UseDicomTls": bool(peer.address and peer.address.tls),
        "AllowEcho": True,
        "AllowFind": AllowedService.FIND in peer.allowed_services,
        "AllowFindWorklist": False,
        "AllowGet": False,
        "AllowMove": AllowedService.MOVE in peer.allowed_services,
        "AllowStore": AllowedService.STORE in peer.allowed_services,
        "AllowStorageCommitment": AllowedService.COMMITMENT in peer.allowed_services,
    }


def _build_entries(peer: PeerEntry, devices: DN, registry: DN) -> Iterator[Entry]:
    device = devices.child(DICOM_DEVICE_NAME, peer.ae_title.lower())
    connection = device.child(COMMON_NAME, "dicom")
    host = peer.address.host if peer.address else peer.source_host or "localhost"
    suites = _DEFAULT_SUITES if peer.address and peer.address.tls else ()
    yield build_registration_entry(registry, peer.ae_title)
    yield build_device_entry(device)
    yield build_connection_entry(connection, host, peer.address.port if peer.address else None, suites)
    yield build_ae_entry(device.child(DICOM_AE_TITLE, peer.ae_title), [connection], acceptor=peer.receives_studies)


def _address_json(address: AEAddress | None) -> dict[str, Any] | None:
    return {"host": address.host, "port": address.port, "tls": address.tls} if address else None


def _print(console: Console, text: str) -> None:
    for line in wrap_text(Text(escape_unprintable(text)), console, 0):
        line.rstrip()
        print_line(console, line.plain)
