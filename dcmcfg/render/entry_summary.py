"""Name and summarize entries in one line, for example an AE with its title, addresses and capabilities.

The summary depends on the object class; it never lists all attributes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.model.capabilities import get_sop_class_name
from dcmcfg.model.connections import get_connection_name
from dcmcfg.model.devices import DICOM, Connection, Device, NetworkAE
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree
from dcmcfg.printable import format_count
from dcmcfg.render.connections import format_listening_address
from dcmcfg.render.device import format_capability_counts
from dcmcfg.render.terminal.cells import format_cell_value, format_relative_dn
from dcmcfg.schema_names import (
    COMMON_NAME,
    DICOM_AE_TITLE,
    DICOM_ASSOCIATION_ACCEPTOR,
    DICOM_DESCRIPTION,
    DICOM_DEVICE_NAME,
    DICOM_NETWORK_CONNECTION_OBJECT_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
    DICOM_TRANSFER_SYNTAX,
    DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS,
)

_NAMED_KINDS = tuple(kind.value for kind in EntityKind if kind is not EntityKind.ENTRY)


def is_capability(entry: Entry) -> bool:
    """Return whether *entry* is a transfer capability."""
    return entry.is_a(DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS)


def find_entry_label(entry: Entry) -> str:
    """Return the noun for the object class of *entry* (``device``, ``connection``), empty for other classes."""
    if is_capability(entry):
        return "capability"
    if entry.is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS):
        return "connection"
    if entry.is_a(DICOM_UNIQUE_AE_TITLE_OBJECT_CLASS):
        return "registered AE title"
    return next((kind.label for kind in _NAMED_KINDS if entry.is_a(kind.object_class)), "")


def name_entry(entry: Entry, tree: Tree, base: DN) -> str:
    """Return the name of *entry* of *tree*, for example ``AE viewer/VIEWER``, or its DN relative to *base*."""
    label = find_entry_label(entry)
    match label:
        case "":
            return format_relative_dn(entry.dn, base)
        case "connection":
            name = get_connection_name(entry.dn)
        case "capability":
            ae = tree.get(entry.dn.parent)
            role = entry.text(DICOM_TRANSFER_ROLE) or ""
            ae_name = name_entry(ae, tree, base) if ae is not None else format_relative_dn(entry.dn.parent, base)
            return f"{label} {get_sop_class_name(entry)} {role} of {ae_name}"
        case "registered AE title":
            return f"{label} {entry.text(DICOM_AE_TITLE)}"
        case _:
            kind = next(each for each in _NAMED_KINDS if each.label == label)
            name = _find_rdn_value(entry.dn, kind.attribute) or entry.text(kind.attribute) or ""
            name = name or entry.text(COMMON_NAME) or str(entry.dn.rdn)
    device = "" if entry.is_a(EntityKind.DEVICE.value.object_class) else _find_device_name(entry.dn)
    return f"{label} {device}/{name}" if device else f"{label} {name}"


def describe_entry(entry: Entry, tree: Tree) -> str:
    """Return a summary of *entry* of *tree* without its name, not escaped; empty if there is nothing to add.

    For an entry of another class, this is the number of attributes.
    """
    match find_entry_label(entry):
        case "registered AE title":
            parts: list[str] = []
        case "capability":
            parts = [format_count(len(entry.values(DICOM_TRANSFER_SYNTAX)), "transfer syntax", "transfer syntaxes")]
        case "connection":
            parts = list(_describe_connection(entry, tree))
        case "AE":
            parts = list(_describe_ae(entry, tree))
        case "device":
            device = Device(entry, tree)
            parts = [*(["archive"] if device.is_archive else []), *([] if device.installed else ["not installed"])]
        case _:
            parts = [format_count(len(entry.attributes), "attribute")]
    if description := next(iter(entry.values(DICOM_DESCRIPTION)), b""):
        parts.append(f'"{format_cell_value(DICOM_DESCRIPTION, description)}"')
    return "; ".join(parts)


def _find_rdn_value(dn: DN, attribute: str) -> str:
    """Return the value of *attribute* in the RDN of *dn*; empty if it is not part of the RDN.

    The entry itself can have several values.
    """
    parts = dn.rdn.parts if dn.rdns else ()
    return next((value for kind, value in parts if kind.lower() == attribute.lower()), "")


def _find_device_name(dn: DN) -> str:
    """Return the name of the device at or above *dn*, or an empty text outside all devices."""
    names = (value for rdn in dn.rdns for kind, value in rdn.parts if kind.lower() == DICOM_DEVICE_NAME.lower())
    return next(names, "")


def _describe_connection(entry: Entry, tree: Tree) -> Iterator[str]:
    device = _find_device(entry, tree)
    for each in device.connections if device is not None else ():
        if tree.key(each.dn) == tree.key(entry.dn):
            yield _format_connection(each)


def _describe_ae(entry: Entry, tree: Tree) -> Iterator[str]:
    ae = _find_ae(entry, tree)
    if ae is None:
        return
    yield ", ".join(map(_format_connection, ae.connections)) or "no connection"
    yield f"capabilities: {format_capability_counts(ae)}"
    listens = any(each.port and each.protocol == DICOM for each in ae.connections)
    if listens and ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) == "FALSE":
        yield "does not accept associations"
    if not ae.installed:
        yield "not installed"


def _format_connection(connection: Connection) -> str:
    return (
        format_listening_address(connection)
        + (" TLS" if connection.tls else "")
        + ("" if connection.protocol == DICOM else f" {connection.protocol}")
        + ("" if connection.installed else " (not installed)")
    )


def _find_device(entry: Entry, tree: Tree) -> Device | None:
    device = tree.get(entry.dn.parent)
    return Device(device, tree) if device is not None else None


def _find_ae(entry: Entry, tree: Tree) -> NetworkAE | None:
    device = _find_device(entry, tree)
    title = entry.text(DICOM_AE_TITLE)
    return next((ae for ae in device.network_aes if ae.title == title), None) if device is not None else None
