"""A copy of a device under other names.

A new device without anything in it.

The removal of a device with everything in it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.changes import Add
from dcmcfg.dn import DN, RDN
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.name_rules import require_name, title_doubts
from dcmcfg.edits.network_entries import device_entry
from dcmcfg.edits.removal import removal
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput, NotFound, Refused
from dcmcfg.model.connections import connection_name
from dcmcfg.model.devices import Configuration, Device
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import Kind
from dcmcfg.model.references.rewriting import dn_rewritten, names, rewritten
from dcmcfg.model.registries import REGISTRIES, WILDCARD
from dcmcfg.network_address import at
from dcmcfg.suggestions import listed

#: The option that gives a new name, by the kind of thing.
OPTIONS = {Kind.AE: "--ae", Kind.HL7_APPLICATION: "--hl7-application", Kind.WEB_APP: "--web-app"}
_TOLD = 10


@dataclass(frozen=True)
class CloneNames:
    """The names that a copy has: of the device, and by kind of what it holds, old to new; *suffix* makes the others."""

    device: str
    given: Mapping[Kind, Mapping[str, str]] = field(default_factory=dict)
    suffix: str = ""


def clone_device(configuration: Configuration, device: Device, wanted: CloneNames) -> Edit:
    """Return the edit that copies *device* with all in it, what refers to itself or its own parts rewritten.

    Names that must be unique are new in the copy and registered. Raises :class:`Refused` listing those for which none
    is given, and for a name that is taken; :class:`NotFound` for a name given to what the device does not have;
    :class:`~dcmcfg.errors.MalformedInput` for a title that cannot be one.
    """
    require_name(wanted.device, "device", "give the copy another name")
    if any(each.name.casefold() == wanted.device.casefold() for each in configuration.devices):
        raise Refused(f"there is a device {wanted.device} already", next_step="give the copy another name")
    copied = device.tree.below(device.entry.dn)
    new_names = _new_names(configuration, device, copied, wanted)
    doubts = [doubt for old, title in new_names[Kind.AE].items() for doubt in title_doubts(_title(old, title))]
    new_names[Kind.DEVICE] = {device.name: wanted.device}
    new_dn = DN((RDN.of("dicomDeviceName", wanted.device), *device.entry.dn.parent.rdns))
    copies = [_copy(entry, device, new_dn, new_names) for entry in copied]
    registered = list(_registrations(configuration, copies))
    return Edit(tuple(map(Add, (*registered, *copies))), (*doubts, *_clashes(device, wanted.device)))


def _title(old: str, new: str) -> str:
    try:
        return parse_ae_title(new)
    except MalformedInput as problem:
        step = f"{OPTIONS[Kind.AE]} '{old}=NEW' gives another"
        raise MalformedInput(problem.what, on=problem.on, next_step=step) from problem


def _new_names(
    configuration: Configuration, device: Device, copied: tuple[Entry, ...], wanted: CloneNames
) -> dict[Kind, dict[str, str]]:
    found: dict[Kind, dict[str, str]] = {}
    nameless: list[tuple[Kind, str]] = []
    for registry in REGISTRIES:
        kind = registry.kind
        given = wanted.given.get(kind, {})
        own = [name for name in registry.carried(copied) if name != WILDCARD]
        for unknown in given.keys() - set(own):
            what = f"the device {device.name} has no {kind.value.word} {unknown}"
            raise NotFound(what, next_step=f"it has: {listed(unknown, own)}")
        found[kind] = {name: given.get(name, name + wanted.suffix) for name in own}
        nameless += ((kind, name) for name, new in found[kind].items() if new == name)
        _require_free(configuration, kind, found[kind])
    if nameless:
        raise _needing_names(nameless)
    return found


def _needing_names(nameless: Sequence[tuple[Kind, str]]) -> Refused:
    """Return the refusal to copy the things *nameless* as they are called, with how each is called otherwise."""
    more = f" and {len(nameless) - _TOLD} more" if len(nameless) > _TOLD else ""
    told = nameless[:_TOLD]
    called = ", ".join(f"{kind.value.word} {name}" for kind, name in told)
    options = " ".join(f"{OPTIONS[kind]} {shlex.quote(f'{name}=NEW')}" for kind, name in told)
    return Refused(
        f"these names must be unique, so the copy needs others: {called}{more}",
        next_step=f"--suffix TEXT for all, or {options}{more}",
    )


def _require_free(configuration: Configuration, kind: Kind, new: Mapping[str, str]) -> None:
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
                f"the {kind.value.word} name {name} is taken", next_step=f"{OPTIONS[kind]} '{old}=NEW' gives another"
            )
        seen.add(name)


def _copy(entry: Entry, device: Device, new_dn: DN, new_names: Mapping[Kind, Mapping[str, str]]) -> Entry:
    old_dn = device.entry.dn
    depth = len(entry.dn.rdns) - len(old_dn.rdns)
    own = tuple(_renamed(rdn, new_names) for rdn in entry.dn.rdns[:depth])
    attributes = tuple(
        Attribute(each.name, tuple(_value(device, each.name, value, new_dn, new_names) for value in each.values))
        for each in entry.attributes
    )
    return Entry(DN((*own, *new_dn.rdns)), attributes)


def _renamed(rdn: RDN, new_names: Mapping[Kind, Mapping[str, str]]) -> RDN:
    by_attribute = {kind.value.attribute.lower(): names for kind, names in new_names.items()}
    return RDN(tuple((name, by_attribute.get(name.lower(), {}).get(value, value)) for name, value in rdn.parts))


def _value(device: Device, name: str, value: bytes, new_dn: DN, new_names: Mapping[Kind, Mapping[str, str]]) -> bytes:
    definition = device.tree.schema.attribute(name)
    if definition is not None and definition.syntax == "DN":
        return _reference(device, value, new_dn, new_names)
    for kind in {each.kind for each in names(name, value)}:
        for old, new in new_names.get(kind, {}).items():
            value = rewritten(name, value, kind, old, new)
    return value


def _reference(device: Device, value: bytes, new_dn: DN, new_names: Mapping[Kind, Mapping[str, str]]) -> bytes:
    """Return the DN *value* as it has to be in the copy; only what leads into the device changes."""
    old_dn = device.entry.dn
    moved = dn_rewritten(value, old_dn, new_dn, device.tree.key)
    if moved == value:
        return value
    dn = DN.parse(moved.decode("utf-8", "surrogateescape"))
    below = dn.rdns[: len(dn.rdns) - len(new_dn.rdns)]
    renamed = tuple(_renamed(rdn, new_names) for rdn in below)
    return moved if renamed == below else str(DN((*renamed, *new_dn.rdns))).encode("utf-8", "surrogateescape")


def _registrations(configuration: Configuration, copies: list[Entry]) -> Iterator[Entry]:
    for registry in REGISTRIES:
        names_there = [name for name in registry.carried(copies) if name != WILDCARD]
        container = registry.container_of(configuration.tree)
        if container is None and names_there:
            dn = configuration.root.child("cn", registry.name)
            container = Entry.of(dn, {"objectClass": registry.container, "cn": registry.name})
            yield container
        for name in names_there:
            if container is not None:
                yield registry.registration(container.dn, name)


def _clashes(device: Device, new_name: str) -> Iterator[str]:
    listening = [f"{connection_name(each.dn)} {at(each.host, each.port)}" for each in device.connections if each.port]
    if listening:
        yield (
            f"the copy has the same addresses as {device.name} ({', '.join(listening)}): "
            f"dcmcfg connection set {new_name}/NAME HOST:PORT changes one."
        )


def create_device(configuration: Configuration, name: str, *, description: str | None, types: tuple[str, ...]) -> Edit:
    """Return the edit that adds the device *name*, of primary device *types* (modalities such as CT).

    Raises :class:`Refused` when there is one that differs in what is wanted, and for a name that the archive cannot
    handle.
    """
    require_name(name, "device", "give it another name")
    root = configuration.root
    container = next((e for e in configuration.tree.children(root) if e.is_a("dicomDevicesRoot")), None)
    made = container or Entry.of(root.child("cn", "Devices"), {"objectClass": "dicomDevicesRoot", "cn": "Devices"})
    held = next((each for each in configuration.devices if each.name.casefold() == name.casefold()), None)
    if held is None:
        new = device_entry(made.dn.child("dicomDeviceName", name), description, types)
        return Edit((*(() if container else (Add(made),)), Add(new)))
    same_text = description in (None, held.entry.text("dicomDescription"))
    if not same_text or not set(types) <= set(held.entry.texts("dicomPrimaryDeviceType")):
        raise Refused(f"there is a device {held.name}, and it differs", next_step=f"dcmcfg set {held.name} changes it")
    return Edit((Add(held.entry),))


def remove_device(device: Device) -> Edit:
    """Return the edit that removes *device* leaf first, with the registrations of names that nothing else carries."""
    return removal(References(device.tree), [device.entry.dn])
