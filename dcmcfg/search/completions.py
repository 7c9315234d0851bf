"""What an unfinished name of an entry, an attribute or a value may become."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dn import DN
from dcmcfg.edits.auxiliary_classes import lacking
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.connections import connection_name
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import Kind, Use
from dcmcfg.model.references.rewriting import names as referred
from dcmcfg.network_address import at
from dcmcfg.schema.archive_values import constants
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.web_form import OPEN_LISTS, form_fields
from dcmcfg.secret_values import is_secret

_AE_PREFIX = "AE:"


def targets(configuration: Configuration, begun: str) -> Iterator[tuple[str, str]]:
    """Yield each target that *begun* may become, with what it is; the case of device names does not count.

    These are devices, and their AEs as ``DEVICE/AE``; what begins with ``AE:`` becomes ``AE:TITLE``.
    """
    folded = begun.lower()
    yield from devices(configuration, begun)
    for device in _devices(configuration):
        for ae in device.network_aes:
            if ae.qualified_title.lower().startswith(folded):
                yield ae.qualified_title, ae.entry.text("dicomDescription") or "AE"
    if folded.startswith(_AE_PREFIX.lower()):
        prefix, title = begun[: len(_AE_PREFIX)], begun[len(_AE_PREFIX) :]
        yield from ((prefix + found, device) for found, device in titles(configuration, title))


def devices(configuration: Configuration, begun: str) -> Iterator[tuple[str, str]]:
    """Yield each device that *begun* may become, with what it is; case does not count."""
    for device in _devices(configuration):
        if device.name.lower().startswith(begun.lower()):
            yield device.name, "archive" if device.is_archive else "device"


def titles(configuration: Configuration, begun: str) -> Iterator[tuple[str, str]]:
    """Yield each AE title that *begun* may become, with its device."""
    for device in _devices(configuration):
        for ae in device.network_aes:
            if ae.title.startswith(begun):
                yield ae.title, device.name


def network_aes(configuration: Configuration, begun: str) -> Iterator[tuple[str, str]]:
    """Yield each AE title that *begun* may become, or ``DEVICE/AE`` once the device is there, with what it is."""
    for device in _devices(configuration):
        for ae in device.network_aes:
            what = ae.entry.text("dicomDescription") or f"AE of {device.name}"
            if ae.title.startswith(begun):
                yield ae.title, what
            elif begun and ae.qualified_title.lower().startswith(begun.lower()):
                yield ae.qualified_title, what


def connections(configuration: Configuration, begun: str) -> Iterator[tuple[str, str]]:
    """Yield each connection that *begun* may become, as ``DEVICE/NAME``, with where it leads."""
    for device in _devices(configuration):
        for each in device.connections:
            name = f"{device.name}/{connection_name(each.dn)}"
            if name.lower().startswith(begun.lower()):
                yield name, at(each.host, each.port)


def names(
    configuration: Configuration, kind: Kind, begun: str, *, below: DN | None = None
) -> Iterator[tuple[str, str]]:
    """Yield each name of *kind* that *begun* may become, with what it is; case does not count.

    They are those of all devices, or of what is at and *below* an entry.
    """
    tree = configuration.tree
    for entry in tree.ordered() if below is None else tree.below(below):
        name = entry.text(kind.value.attribute)
        if name is not None and entry.is_a(kind.value.object_class) and name.lower().startswith(begun.lower()):
            yield name, entry.text("dicomDescription") or kind.value.word


def _devices(configuration: Configuration) -> tuple[Device, ...]:
    try:
        return configuration.devices
    except NotFound:
        return ()


def attributes(
    schema: Schema, begun: str, entry: Entry | None = None, *, held: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield each attribute that *begun* may become, in any case, with its name in the archive's web form.

    With an *entry*, those that it has (*held*), or those that may be set on it.
    """
    for known in sorted(schema.attributes, key=lambda each: each.name.lower()):
        if known.name.lower().startswith(begun.lower()) and (entry is None or _fits(schema, entry, known, held=held)):
            yield known.name, label(known.name)


def _fits(schema: Schema, entry: Entry, known: AttributeType, *, held: bool) -> bool:
    if held:
        return any(each.name.partition(";")[0].lower() == known.name.lower() for each in entry.attributes)
    try:
        lacking(schema, entry, known)
    except Refused:
        return False
    return True


def label(attribute: str) -> str:
    """Return what the archive's web form calls *attribute*; empty when it is not there."""
    return next((field.label for field in form_fields(attribute).values() if field.label), "")


def values(schema: Schema, name: str, begun: str, entry: Entry | None = None) -> Iterator[str]:
    """Yield each value that *begun* may become: those that *entry* has, but for secrets, or those that are known."""
    known = schema.attribute(name)
    if known is None:
        return
    if entry is not None:
        found = [value.decode("utf-8", "replace") for value in entry.values(known.name) if not is_secret(name, value)]
    else:
        found = list(_known_values(known))
    yield from (value for value in found if value.startswith(begun))


def referable(configuration: Configuration, name: str, begun: str, entry: Entry | None = None) -> Iterator[str]:
    """Yield each value of the attribute *name* that *begun* may become by naming a thing that is there.

    The name may stand behind something, as in ``dicom:STORESCP``. Where the archive looks for it on one device, it is a
    name of that of *entry*. An attribute that names the entry itself refers to nothing.
    """
    tree = configuration.tree
    if entry is not None and name.lower() in (kind.lower() for kind, _ in entry.dn.rdn.parts):
        return
    # Whatever the shape is, the name that is being written ends where the value does.
    value = f"{begun}X"
    wanted = next((each for each in referred(name, value.encode("utf-8", "replace")) if each.end == len(value)), None)
    if wanted is None:
        return
    below = None
    if wanted.use is Use.LOCAL and entry is not None:
        device = References(tree).device_of(entry.dn)
        below = tree.entries[device].dn if device is not None else None
    for found, _ in names(configuration, wanted.kind, begun[wanted.start :], below=below):
        yield begun[: wanted.start] + wanted.spelled(found)


def _known_values(known: AttributeType) -> Iterator[str]:
    if known.syntax == "Boolean":
        yield from ("TRUE", "FALSE")
    elif constants(known.name):
        yield from constants(known.name)
    elif known.name not in OPEN_LISTS:
        yield from dict.fromkeys(value for field in form_fields(known.name).values() for value in field.values)
