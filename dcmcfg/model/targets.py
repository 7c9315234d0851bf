"""What a command works on, as users write it: ``DEVICE``, ``DEVICE/AE``, ``AE:TITLE`` or a DN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import Ambiguous, MalformedInput, NotFound
from dcmcfg.model.devices import Configuration, Device, NetworkAE, devices_dn, no_configuration
from dcmcfg.model.tree import Draft, Tree
from dcmcfg.suggestions import near_misses

_AE_PREFIX = "ae:"


@dataclass(frozen=True)
class Target:
    """An entry that somebody named, with its views: an AE has ``ae`` and ``device``, a device ``device`` alone."""

    entry: Entry
    device: Device | None = None
    ae: NetworkAE | None = None


def target(configuration: Configuration, text: str) -> Entry:
    """Return the entry that *text* names; raises what :func:`named` does."""
    return named(configuration, text).entry


def named(configuration: Configuration, text: str) -> Target:
    """Return what *text* names: ``DEVICE``, ``DEVICE/AE``, ``AE:TITLE``, or a DN.

    The case of device names is not significant, that of AE titles is. Names may hold ``/``, ``:`` and ``=``: a
    device of just that name comes first. A DN is absolute or relative to the container of the devices.
    Raises :class:`NotFound` with near misses, and :class:`Ambiguous` naming each where several things fit.
    """
    devices = _devices(configuration)
    found = _device(devices, text) or _ae(devices, text) or _of_dn(configuration, text)
    if found is None:
        raise _not_found(configuration, devices, text)
    return found


def network_ae(configuration: Configuration, text: str) -> NetworkAE:
    """Return the AE that *text* names where only an AE can be meant: its title alone, or as :func:`named` has it.

    Raises :class:`NotFound` with near misses, and :class:`Ambiguous` for a title that several devices have.
    """
    if any(ae.title == text for ae in configuration.network_aes()):
        text = f"{_AE_PREFIX}{text}"
    elif not any(mark in text for mark in "/:="):
        devices = _devices(configuration)
        device = _device(devices, text)
        raise device.device.no_such_ae(text) if device and device.device else _no_such_title(devices, text)
    found = named(configuration, text)
    if found.ae is None:
        raise NotFound("it is no AE", on=text, next_step="an AE is named TITLE or DEVICE/TITLE; dcmcfg aes lists them")
    return found.ae


def seen_as(configuration: Configuration, entry: Entry) -> Target:
    """Return *entry* of the configuration's tree with what it is seen as: a device, an AE, or neither."""
    for device in _devices(configuration):
        if device.entry is entry:
            return Target(entry, device)
        for ae in device.network_aes:
            if ae.entry is entry:
                return Target(entry, device, ae)
    return Target(entry)


def written(tree: Tree, entry: Entry) -> str:
    """Return what a command calls *entry* of *tree*: ``DEVICE``, ``DEVICE/AE`` or its DN."""
    if entry.is_a("dicomDevice"):
        return entry.text("dicomDeviceName") or str(entry.dn)
    parent = tree.get(entry.dn.parent)
    if entry.is_a("dicomNetworkAE") and parent is not None and parent.is_a("dicomDevice"):
        return f"{parent.text('dicomDeviceName')}/{entry.text('dicomAETitle')}"
    return str(entry.dn)


def absolute(dn: DN, *trees: Tree) -> DN:
    """Return *dn*; where none of *trees* has it, what it is relative to the devices' container if one has that."""
    below = DN(dn.rdns + devices_dn(*trees).rdns)
    if any(dn in tree for tree in trees) or not any(below in tree for tree in trees):
        return dn
    return below


def _devices(configuration: Configuration) -> tuple[Device, ...]:
    """Return the devices, none of a tree without configuration: a DN names an entry of any tree."""
    try:
        return configuration.devices
    except NotFound:
        return ()


def _device(devices: tuple[Device, ...], text: str) -> Target | None:
    folded = text.lower()
    return next((Target(device.entry, device) for device in devices if device.name.lower() == folded), None)


def _ae(devices: tuple[Device, ...], text: str) -> Target | None:
    aes = [ae for device, title in _splits(devices, text) for ae in device.network_aes if ae.title == title]
    title = _title(text)
    if not aes and title is not None:
        aes = [ae for device in devices for ae in device.network_aes if ae.title == title]
    if len(aes) > 1:
        which = [ae.qualified_title for ae in aes]
        if len(set(which)) < len(which):
            which = [str(ae.entry.dn) for ae in aes]
        raise Ambiguous(f"{text} means {' and '.join(which)}", next_step="say which of them, or give its DN")
    return Target(aes[0].entry, aes[0].device, aes[0]) if aes else None


def _splits(devices: tuple[Device, ...], text: str) -> Iterator[tuple[Device, str]]:
    """Yield each device whose name and a ``/`` begin *text*, with the rest, an AE title."""
    for device in devices:
        length = len(device.name)
        if text[length : length + 1] == "/" and text[:length].lower() == device.name.lower():
            yield device, text[length + 1 :]


def _title(text: str) -> str | None:
    return text[len(_AE_PREFIX) :] if text.lower().startswith(_AE_PREFIX) else None


def _of_dn(configuration: Configuration, text: str) -> Target | None:
    dn = _dn(text)
    entry = None if dn is None else configuration.tree.get(absolute(dn, configuration.tree))
    return None if entry is None else seen_as(configuration, entry)


def _dn(text: str) -> DN | None:
    try:
        return DN.parse(text) if "=" in text else None
    except MalformedInput:
        return None


def _not_found(configuration: Configuration, devices: tuple[Device, ...], text: str) -> NotFound:
    title, dn = _title(text), _dn(text)
    if title is not None:
        return _no_such_title(devices, title) if devices else no_configuration()
    if dn is not None and configuration.tree.schema.attribute(dn.rdn.parts[0][0]) is not None:
        return _no_such_entry(configuration.tree, dn)
    for device, rest in _splits(devices, text):
        return device.no_such_ae(rest)
    return _no_such_device(configuration, text)


def _no_such_title(devices: tuple[Device, ...], title: str) -> NotFound:
    what = f"no AE has the title {title}"
    aes = [ae for device in devices for ae in device.network_aes]
    if same := [ae for ae in aes if ae.title.casefold() == title.casefold()]:
        return NotFound(what, next_step=f"case counts in AE titles: {_listed(same)}")
    if others := [ae for ae in aes if title in ae.other_titles]:
        return NotFound(what, next_step=f"it is another title (dcmOtherAETitle) of {_listed(others)}")
    near = near_misses(title, {ae.title for ae in aes})
    alike = [ae for like in near for ae in aes if ae.title == like]
    return NotFound(what, next_step=f"near misses: {_listed(alike)}" if alike else "dcmcfg aes lists them")


def _listed(aes: list[NetworkAE]) -> str:
    return ", ".join(ae.qualified_title for ae in aes)


def _no_such_device(configuration: Configuration, text: str) -> NotFound:
    """Tell of the device in *text*, which is what stands before the ``/`` when it is written like an AE's."""
    name, _, title = text.partition("/")
    problem = configuration.no_such_device(name)
    holders = [ae for ae in configuration.network_aes() if title and ae.title == title]
    return NotFound(problem.what, next_step=f"{title} is an AE: {_listed(holders)}") if holders else problem


def _no_such_entry(tree: Tree, dn: DN) -> NotFound:
    """Tell up to where the entry exists, read as absolute if it ends in the tree, and what is spelt alike there."""
    draft = Draft(tree)
    missing = draft.missing(dn)
    if missing.parent not in tree:
        missing = draft.missing(DN(dn.rdns + devices_dn(tree).rdns))
    if missing.parent not in tree:
        return NotFound("there is no such entry", on=str(dn), next_step="is it below the base DN?")
    near = ", ".join(str(rdn) for rdn in draft.near_misses(missing))
    up_to = f"it exists up to {missing.parent}"
    return NotFound(
        "there is no such entry", on=str(dn), next_step=f"{up_to}; near misses there: {near}" if near else up_to
    )
