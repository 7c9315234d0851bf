"""Create a device, copy it with new names, and remove it with all its entries."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.changes import Add
from dcmcfg.dn import DN, RDN
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.name_rules import check_new_ae_title, require_valid_name
from dcmcfg.edits.network_entries import build_device_entry
from dcmcfg.edits.removal import remove_subtrees
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput, NotFound, Refused
from dcmcfg.model.connections import get_connection_name
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names, rewrite_dn, rewrite_name
from dcmcfg.model.registries import REGISTRIES, WILDCARD
from dcmcfg.network_address import format_host_port
from dcmcfg.schema_names import (
    COMMON_NAME,
    DICOM_DESCRIPTION,
    DICOM_DEVICE_NAME,
    DICOM_DEVICES_ROOT_OBJECT_CLASS,
    DICOM_PRIMARY_DEVICE_TYPE,
    OBJECT_CLASS,
)
from dcmcfg.suggestions import format_known_names

#: Kind of entry → the option that specifies a new name.
NAME_OPTIONS = {EntityKind.AE: "--ae", EntityKind.HL7_APPLICATION: "--hl7-application", EntityKind.WEB_APP: "--web-app"}
_MAX_SHOWN = 10


@dataclass(frozen=True)
class CloneNames:
    """The names in a copy: of the device, and by kind, old name → new name; ``suffix`` is appended to all others."""

    device: str
    new_names: Mapping[EntityKind, Mapping[str, str]] = field(default_factory=dict)
    suffix: str = ""


def clone_device(configuration: Configuration, device: Device, clone_names: CloneNames) -> Edit:
    """Return the edit that copies *device* with all its entries; references inside the device are rewritten.

    Names that must be unique get new names, which are registered. Raises :class:`Refused` with the list of names that
    require a new name, and for a name that is already used; :class:`NotFound` for an old name that the device does not
    have; :class:`~dcmcfg.errors.MalformedInput` for an invalid title.
    """
    require_valid_name(clone_names.device, "device", "give the copy another name")
    if any(each.name.casefold() == clone_names.device.casefold() for each in configuration.devices):
        raise Refused(f"a device {clone_names.device} already exists", next_step="give the copy another name")
    originals = device.tree.subtree(device.entry.dn)
    new_names = _assign_new_names(configuration, device, originals, clone_names)
    warnings = [
        warning
        for old, title in new_names[EntityKind.AE].items()
        for warning in check_new_ae_title(_parse_new_title(old, title))
    ]
    new_names[EntityKind.DEVICE] = {device.name: clone_names.device}
    new_dn = DN((RDN.of(DICOM_DEVICE_NAME, clone_names.device), *device.entry.dn.parent.rdns))
    copies = [_copy_entry(entry, device, new_dn, new_names) for entry in originals]
    registrations = list(_build_registrations(configuration, copies))
    return Edit(
        # dcmldap writes the registrations first too.
        tuple(map(Add, (*registrations, *copies))),
        (*warnings, *_warn_about_shared_addresses(device, clone_names.device)),
    )


def _parse_new_title(old: str, new: str) -> str:
    try:
        return parse_ae_title(new)
    except MalformedInput as problem:
        next_step = f"choose another name with {NAME_OPTIONS[EntityKind.AE]} '{old}=NEW'"
        raise MalformedInput(problem.message, subject=problem.subject, next_step=next_step) from problem


def _assign_new_names(
    configuration: Configuration, device: Device, originals: tuple[Entry, ...], clone_names: CloneNames
) -> dict[EntityKind, dict[str, str]]:
    found: dict[EntityKind, dict[str, str]] = {}
    nameless: list[tuple[EntityKind, str]] = []
    for registry in REGISTRIES:
        kind = registry.kind
        given = clone_names.new_names.get(kind, {})
        # The AE * stands for any title, so it keeps its name in the copy.
        own = [name for name in registry.index_names(originals) if name != WILDCARD]
        for unknown in given.keys() - set(own):
            message = f"the device {device.name} has no {kind.value.label} {unknown}"
            raise NotFound(message, next_step=f"existing names: {format_known_names(unknown, own)}")
        found[kind] = {name: given.get(name, name + clone_names.suffix) for name in own}
        nameless += ((kind, name) for name, new in found[kind].items() if new == name)
        _require_free(configuration, kind, found[kind])
    if nameless:
        raise _build_missing_names_error(nameless)
    return found


def _build_missing_names_error(nameless: Sequence[tuple[EntityKind, str]]) -> Refused:
    """Return the error for the entries *nameless*, which require new names, with the options for them."""
    more = f" and {len(nameless) - _MAX_SHOWN} more" if len(nameless) > _MAX_SHOWN else ""
    shown = nameless[:_MAX_SHOWN]
    labels = ", ".join(f"{kind.value.label} {name}" for kind, name in shown)
    options = " ".join(f"{NAME_OPTIONS[kind]} {shlex.quote(f'{name}=NEW')}" for kind, name in shown)
    return Refused(
        f"the copy cannot use these names, because the names must be unique: {labels}{more}",
        next_step=f"specify a suffix for all names with --suffix TEXT, or specify each name: {options}{more}",
    )


def _require_free(configuration: Configuration, kind: EntityKind, new: Mapping[str, str]) -> None:
    # Registrations have the same attribute, so registered names are taken too.
    taken = {
        entry.text(kind.value.attribute)
        for entry in configuration.tree.entries.values()
        if kind.value.attribute in entry
    }
    renamed = {old: name for old, name in new.items() if old != name}
    seen: set[str] = set()
    for old, name in renamed.items():
        if name in taken or name in seen:
            raise Refused(
                f"the {kind.value.label} name {name} is already used",
                next_step=f"choose another name with {NAME_OPTIONS[kind]} '{old}=NEW'",
            )
        seen.add(name)


def _copy_entry(entry: Entry, device: Device, new_dn: DN, new_names: Mapping[EntityKind, Mapping[str, str]]) -> Entry:
    old_dn = device.entry.dn
    depth = len(entry.dn.rdns) - len(old_dn.rdns)
    own = tuple(_rename_rdn(rdn, new_names) for rdn in entry.dn.rdns[:depth])
    attributes = tuple(
        Attribute(
            each.name,
            tuple(
                _rewrite_value(device, each.name, value, new_dn=new_dn, new_names=new_names) for value in each.values
            ),
        )
        for each in entry.attributes
    )
    return Entry(DN((*own, *new_dn.rdns)), attributes)


def _rename_rdn(rdn: RDN, new_names: Mapping[EntityKind, Mapping[str, str]]) -> RDN:
    by_attribute = {kind.value.attribute.lower(): names for kind, names in new_names.items()}
    return RDN(tuple((name, by_attribute.get(name.lower(), {}).get(value, value)) for name, value in rdn.parts))


def _rewrite_value(
    device: Device, name: str, value: bytes, *, new_dn: DN, new_names: Mapping[EntityKind, Mapping[str, str]]
) -> bytes:
    definition = device.tree.schema.attribute(name)
    if definition is not None and definition.syntax == "DN":
        return _rewrite_reference(device, value, new_dn, new_names)
    for kind in {each.kind for each in find_names(name, value)}:
        for old, new in new_names.get(kind, {}).items():
            value = rewrite_name(name, value, kind, old=old, new=new)
    return value


def _rewrite_reference(
    device: Device, value: bytes, new_dn: DN, new_names: Mapping[EntityKind, Mapping[str, str]]
) -> bytes:
    """Return the DN *value* for the copy; only references into the device change."""
    old_dn = device.entry.dn
    rewritten = rewrite_dn(value, old_dn, new_dn, device.tree.key)
    if rewritten == value:
        return value
    dn = DN.parse(rewritten.decode("utf-8", "surrogateescape"))
    relative_rdns = dn.rdns[: len(dn.rdns) - len(new_dn.rdns)]
    renamed = tuple(_rename_rdn(rdn, new_names) for rdn in relative_rdns)
    return (
        rewritten if renamed == relative_rdns else str(DN((*renamed, *new_dn.rdns))).encode("utf-8", "surrogateescape")
    )


def _build_registrations(configuration: Configuration, copies: list[Entry]) -> Iterator[Entry]:
    for registry in REGISTRIES:
        # The archive does not register ``*`` either (LdapDicomConfiguration).
        names = [name for name in registry.index_names(copies) if name != WILDCARD]
        container = registry.find_container(configuration.tree)
        if container is None and names:
            dn = configuration.root.child(COMMON_NAME, registry.name)
            container = Entry.from_values(dn, {OBJECT_CLASS: registry.container_class, COMMON_NAME: registry.name})
            yield container
        for name in names:
            if container is not None:
                yield registry.build_entry(container.dn, name)


def _warn_about_shared_addresses(device: Device, new_name: str) -> Iterator[str]:
    listening = [
        f"{get_connection_name(each.dn)} {format_host_port(each.host, each.port)}"
        for each in device.connections
        if each.port
    ]
    if listening:
        yield (
            f"the copy has the same addresses as {device.name} ({', '.join(listening)}). "
            f"To change an address: dcmcfg connection set {new_name}/NAME HOST:PORT"
        )


def create_device(configuration: Configuration, name: str, *, description: str | None, types: tuple[str, ...]) -> Edit:
    """Return the edit that adds the device *name* with the primary device *types* (modalities such as CT).

    Raises :class:`Refused` if a device with that name exists and differs, and for a name that the archive cannot
    handle.
    """
    require_valid_name(name, "device", "choose another name for the device")
    root = configuration.root
    # The archive also creates a missing container when it writes the first entry.
    container = next((e for e in configuration.tree.children(root) if e.is_a(DICOM_DEVICES_ROOT_OBJECT_CLASS)), None)
    devices_root = container or Entry.from_values(
        root.child(COMMON_NAME, "Devices"), {OBJECT_CLASS: DICOM_DEVICES_ROOT_OBJECT_CLASS, COMMON_NAME: "Devices"}
    )
    existing = next((each for each in configuration.devices if each.name.casefold() == name.casefold()), None)
    if existing is None:
        new = build_device_entry(devices_root.dn.child(DICOM_DEVICE_NAME, name), description, types)
        return Edit((*(() if container else (Add(devices_root),)), Add(new)))
    same_text = description in (None, existing.entry.text(DICOM_DESCRIPTION))
    if not same_text or not set(types) <= set(existing.entry.texts(DICOM_PRIMARY_DEVICE_TYPE)):
        raise Refused(
            f"the device {existing.name} already exists with other settings",
            next_step=f"to change the device: dcmcfg set {existing.name}",
        )
    return Edit((Add(existing.entry),))


def remove_device(device: Device) -> Edit:
    """Return the edit that removes *device*, leaf first, with registrations of names that no other entry has."""
    return remove_subtrees(References(device.tree), [device.entry.dn])
