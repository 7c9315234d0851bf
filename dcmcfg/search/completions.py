"""Completions of incomplete names of entries, attributes and values."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.edits.auxiliary_classes import find_missing_classes
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.connections import get_connection_name
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.network_address import format_host_port
from dcmcfg.schema.archive_values import list_constants
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.web_form import EXTENSIBLE_ATTRIBUTES, get_form_fields
from dcmcfg.schema_names import DICOM_DESCRIPTION
from dcmcfg.secret_values import is_secret

_AE_PREFIX = "AE:"


def complete_targets(configuration: Configuration, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield (target, description) of each completion of *incomplete*; the case of device names is ignored.

    Targets are devices, and AEs as ``DEVICE/AE``. A text that starts with ``AE:`` is completed to ``AE:TITLE``.
    """
    folded = incomplete.lower()
    yield from complete_devices(configuration, incomplete)
    for device in _list_devices(configuration):
        for ae in device.network_aes:
            if ae.qualified_title.lower().startswith(folded):
                yield ae.qualified_title, ae.entry.text(DICOM_DESCRIPTION) or "AE"
    if folded.startswith(_AE_PREFIX.lower()):
        prefix, title = incomplete[: len(_AE_PREFIX)], incomplete[len(_AE_PREFIX) :]
        yield from ((prefix + found, device) for found, device in complete_ae_titles(configuration, title))


def complete_devices(configuration: Configuration, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield (device, kind) of each completion of *incomplete*; case is ignored."""
    for device in _list_devices(configuration):
        if device.name.lower().startswith(incomplete.lower()):
            yield device.name, "archive" if device.is_archive else "device"


def complete_ae_titles(configuration: Configuration, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield (AE title, device) of each completion of *incomplete*."""
    for device in _list_devices(configuration):
        for ae in device.network_aes:
            # AE titles are case-sensitive (PS3.5 §6.2).
            if ae.title.startswith(incomplete):
                yield ae.title, device.name


def complete_network_aes(configuration: Configuration, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield (AE title, description) of each completion of *incomplete*, or ``DEVICE/AE`` if a device name matches."""
    for device in _list_devices(configuration):
        for ae in device.network_aes:
            description = ae.entry.text(DICOM_DESCRIPTION) or f"AE of {device.name}"
            if ae.title.startswith(incomplete):
                yield ae.title, description
            # Without a text, each AE is offered once, by its title.
            elif incomplete and ae.qualified_title.lower().startswith(incomplete.lower()):
                yield ae.qualified_title, description


def complete_connections(configuration: Configuration, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield (``DEVICE/NAME``, address) of each connection that completes *incomplete*; case is ignored."""
    for device in _list_devices(configuration):
        for each in device.connections:
            name = f"{device.name}/{get_connection_name(each.dn)}"
            if name.lower().startswith(incomplete.lower()):
                yield name, format_host_port(each.host, each.port)


def complete_names(
    configuration: Configuration, kind: EntityKind, incomplete: str, *, base_dn: DN | None = None
) -> Iterator[tuple[str, str]]:
    """Yield (name, description) of each name of *kind* that completes *incomplete*; case is ignored.

    The names are those of all devices, or of the entries at and below *base_dn*.
    """
    tree = configuration.tree
    for entry in tree.sorted_entries() if base_dn is None else tree.subtree(base_dn):
        name = entry.text(kind.value.attribute)
        if name is not None and entry.is_a(kind.value.object_class) and name.lower().startswith(incomplete.lower()):
            yield name, entry.text(DICOM_DESCRIPTION) or kind.value.label


def _list_devices(configuration: Configuration) -> tuple[Device, ...]:
    try:
        return configuration.devices
    except NotFound:  # without a configuration, there is nothing to complete
        return ()


def complete_attributes(
    schema: Schema, incomplete: str, entry: Entry | None = None, *, only_present: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield (attribute, label in the archive's web form) of each completion of *incomplete*; case is ignored.

    With *entry*, only attributes that can be set on it, or, with *only_present*, that it has.
    """
    for known in sorted(schema.attributes, key=lambda each: each.name.lower()):
        if known.name.lower().startswith(incomplete.lower()) and (
            entry is None or _is_settable(schema, entry, known, only_present=only_present)
        ):
            yield known.name, get_form_label(known.name)


def _is_settable(schema: Schema, entry: Entry, known: AttributeType, *, only_present: bool) -> bool:
    if only_present:
        return any(each.name.partition(";")[0].lower() == known.name.lower() for each in entry.attributes)
    try:
        find_missing_classes(schema, entry, known)
    except Refused:
        return False
    return True


def get_form_label(attribute: str) -> str:
    """Return the label of *attribute* in the archive's web form; empty if the form does not contain it."""
    return next((field.label for field in get_form_fields(attribute).values() if field.label), "")


def complete_values(schema: Schema, name: str, incomplete: str, entry: Entry | None = None) -> Iterator[str]:
    """Yield each value that completes *incomplete*.

    With *entry*, these are its values, except secrets; otherwise, the known values of the attribute *name*.
    """
    known = schema.attribute(name)
    if known is None:
        return
    if entry is not None:
        # The shell shows completions on the terminal.
        found = [value.decode("utf-8", "replace") for value in entry.values(known.name) if not is_secret(name, value)]
    else:
        found = list(_iterate_known_values(known))
    yield from (value for value in found if value.startswith(incomplete))


def complete_references(
    configuration: Configuration, name: str, incomplete: str, entry: Entry | None = None
) -> Iterator[str]:
    """Yield each value of the attribute *name* that completes *incomplete* with the name of an existing object.

    The name may follow a prefix, as in ``dicom:STORESCP``. If the archive looks for the name on one device only, names
    of the device of *entry* are used. An attribute in the RDN of the entry is not a reference.
    """
    tree = configuration.tree
    if entry is not None and name.lower() in (kind.lower() for kind, _ in entry.dn.rdn.parts):
        return
    # In any form of value, the incomplete name ends at the end of the value.
    value = f"{incomplete}X"
    name_in_value = next(
        (each for each in find_names(name, value.encode("utf-8", "replace")) if each.end == len(value)), None
    )
    if name_in_value is None:
        return
    device_dn = None
    if name_in_value.use is NameUse.LOCAL and entry is not None:
        device = References(tree).find_device_key(entry.dn)
        device_dn = tree.entries[device].dn if device is not None else None
    for completed, _ in complete_names(
        configuration, name_in_value.kind, incomplete[name_in_value.start :], base_dn=device_dn
    ):
        yield incomplete[: name_in_value.start] + name_in_value.format_replacement(completed)


def _iterate_known_values(known: AttributeType) -> Iterator[str]:
    if known.syntax == "Boolean":
        yield from ("TRUE", "FALSE")
    elif list_constants(known.name):
        yield from list_constants(known.name)
    elif known.name not in EXTENSIBLE_ATTRIBUTES:
        yield from dict.fromkeys(value for field in get_form_fields(known.name).values() for value in field.values)
