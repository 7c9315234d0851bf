"""Resolve the target of a command, as users write it: ``DEVICE``, ``DEVICE/AE``, ``AE:TITLE`` or a DN."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import AmbiguousName, MalformedInput, NotFound
from dcmcfg.model.connections import format_connection_target, get_connection_name
from dcmcfg.model.devices import Configuration, Device, NetworkAE, build_no_configuration_error, find_devices_dn
from dcmcfg.model.tree import Tree, TreeDraft
from dcmcfg.schema_names import (
    DICOM_AE_TITLE,
    DICOM_DEVICE_NAME,
    DICOM_DEVICE_OBJECT_CLASS,
    DICOM_NETWORK_AE_OBJECT_CLASS,
)
from dcmcfg.suggestions import suggest_names

_AE_PREFIX = "ae:"
_HELP = "forms of a target: dcmcfg help targets"


@dataclass(frozen=True)
class Target:
    """An entry named by the user, with its views: an AE has ``ae`` and ``device``, a device only ``device``."""

    entry: Entry
    device: Device | None = None
    ae: NetworkAE | None = None


def resolve_entry(configuration: Configuration, text: str) -> Entry:
    """Return the entry that *text* names; raises the same errors as :func:`resolve_target`."""
    return resolve_target(configuration, text).entry


def resolve_target(configuration: Configuration, text: str) -> Target:
    """Return the target that *text* names: ``DEVICE``, ``DEVICE/AE``, ``AE:TITLE``, or a DN.

    AE titles are case-sensitive, device names are not. Names may contain ``/``, ``:`` and ``=``: a device with exactly
    that name takes precedence. A DN is absolute or relative to the container of the devices.
    Raises :class:`NotFound` with similar names, and :class:`AmbiguousName` with all candidates.
    """
    devices = _list_devices(configuration)
    # The order matters: device names may contain ``/`` and ``=``, and AE titles may look like a DN.
    found = _find_device(devices, text) or _find_ae(devices, text) or _find_by_dn(configuration, text)
    if found is None:
        raise _build_not_found(configuration, devices, text)
    return found


def describe_ae_with_title(configuration: Configuration, text: str, found: Target) -> str:
    """Return a note if *text* means the device *found*, and is also the title of an AE as written; "" otherwise.

    There is no note if the device is written like *text*: its exact name is what the user wants.
    """
    if found.ae is not None or found.device is None or found.device.name == text:
        return ""
    aes = [ae for ae in configuration.network_aes() if ae.title == text]
    if not aes:
        return ""
    ae = f"AE:{text}" if len(aes) == 1 else _join_titles(aes)
    return f"{text} is the device {found.device.name} here. For the AE with this title, specify {ae}"


def resolve_network_ae(configuration: Configuration, text: str, device_name: str | None = None) -> NetworkAE:
    """Return the AE that *text* names: its title alone, or any form that :func:`resolve_target` accepts.

    With *device_name*, *text* is the title of an AE of that device. Raises :class:`NotFound` with similar titles, and
    :class:`AmbiguousName` for a title that several devices have.
    """
    if device_name is not None:
        return configuration.get_device(device_name).get_network_ae(text)
    # AE titles may contain the separators ``/``, ``:`` and ``=``, so a complete title takes precedence.
    if titled := [ae for ae in configuration.network_aes() if ae.title == text]:
        return _require_single(titled, text)
    # Without a separator, the text can only be a title or a device name.
    if not any(mark in text for mark in "/:="):
        devices = _list_devices(configuration)
        device = _find_device(devices, text)
        raise (
            device.device.build_ae_not_found(text)
            if device and device.device
            else _build_title_not_found(devices, text)
        )
    found = resolve_target(configuration, text)
    if found.ae is None:
        raise NotFound(
            "not an AE", subject=text, next_step="specify TITLE or DEVICE/TITLE; to list the AEs: dcmcfg ae list"
        )
    return found.ae


def classify_entry(configuration: Configuration, entry: Entry) -> Target:
    """Return the target for *entry* of the configuration's tree: a device, an AE, or neither."""
    for device in _list_devices(configuration):
        if device.entry is entry:
            return Target(entry, device)
        for ae in device.network_aes:
            if ae.entry is entry:
                return Target(entry, device, ae)
    return Target(entry)


def format_target(tree: Tree, entry: Entry) -> str:
    """Return the name of *entry* of *tree* for use in commands: ``DEVICE``, ``DEVICE/AE`` or its DN."""
    if entry.is_a(DICOM_DEVICE_OBJECT_CLASS):
        return entry.text(DICOM_DEVICE_NAME) or str(entry.dn)
    parent = tree.get(entry.dn.parent)
    if entry.is_a(DICOM_NETWORK_AE_OBJECT_CLASS) and parent is not None and parent.is_a(DICOM_DEVICE_OBJECT_CLASS):
        return f"{parent.text(DICOM_DEVICE_NAME)}/{entry.text(DICOM_AE_TITLE)}"
    return str(entry.dn)


def resolve_dn(dn: DN, *trees: Tree) -> DN:
    """Return *dn*, or its absolute form if it exists in *trees* only relative to the devices' container."""
    absolute = DN(dn.rdns + find_devices_dn(*trees).rdns)
    if any(dn in tree for tree in trees) or not any(absolute in tree for tree in trees):
        return dn
    return absolute


def _list_devices(configuration: Configuration) -> tuple[Device, ...]:
    """Return the devices; empty for a tree without configuration, because a DN can name an entry of any tree."""
    try:
        return configuration.devices
    except NotFound:
        return ()


def _find_device(devices: tuple[Device, ...], text: str) -> Target | None:
    folded = text.lower()
    return next((Target(device.entry, device) for device in devices if device.name.lower() == folded), None)


def _find_ae(devices: tuple[Device, ...], text: str) -> Target | None:
    aes = [
        ae for device, title in _split_device_and_title(devices, text) for ae in device.network_aes if ae.title == title
    ]
    title = _strip_ae_prefix(text)
    if not aes and title is not None:
        aes = [ae for device in devices for ae in device.network_aes if ae.title == title]
    if not aes:
        return None
    ae = _require_single(aes, text)
    return Target(ae.entry, ae.device, ae)


def _require_single(aes: list[NetworkAE], text: str) -> NetworkAE:
    """Return the only one of *aes*, at least one; raises :class:`AmbiguousName` if *text* means several."""
    if len(aes) > 1:
        candidates = [ae.qualified_title for ae in aes]
        # Qualified titles may be equal; DNs never are.
        if len(set(candidates)) < len(candidates):
            candidates = [str(ae.entry.dn) for ae in aes]
        raise AmbiguousName(
            f"{text} matches {' and '.join(candidates)}", next_step="specify one of these names, or the DN of the entry"
        )
    return aes[0]


def _split_device_and_title(devices: tuple[Device, ...], text: str) -> Iterator[tuple[Device, str]]:
    """Yield each device whose name followed by ``/`` begins *text*, with the rest, an AE title."""
    for device in devices:
        length = len(device.name)
        if text[length : length + 1] == "/" and text[:length].lower() == device.name.lower():
            yield device, text[length + 1 :]


def _strip_ae_prefix(text: str) -> str | None:
    return text[len(_AE_PREFIX) :] if text.lower().startswith(_AE_PREFIX) else None


def _find_by_dn(configuration: Configuration, text: str) -> Target | None:
    dn = _parse_dn(text)
    entry = None if dn is None else configuration.tree.get(resolve_dn(dn, configuration.tree))
    return None if entry is None else classify_entry(configuration, entry)


def _parse_dn(text: str) -> DN | None:
    try:
        return DN.parse(text) if "=" in text else None
    except MalformedInput:
        return None


def _build_not_found(configuration: Configuration, devices: tuple[Device, ...], text: str) -> NotFound:
    title, dn = _strip_ae_prefix(text), _parse_dn(text)
    if title is not None:
        return _build_title_not_found(devices, title) if devices else build_no_configuration_error()
    if dn is not None and configuration.tree.schema.attribute(dn.rdn.parts[0][0]) is not None:
        return _build_entry_not_found(configuration.tree, dn)
    for device, rest in _split_device_and_title(devices, text):
        return _build_connection_not_target(device, rest) or device.build_ae_not_found(rest)
    return _build_device_not_found(configuration, text)


def _build_title_not_found(devices: tuple[Device, ...], title: str) -> NotFound:
    message = f"no AE has the title {title}"
    aes = [ae for device in devices for ae in device.network_aes]
    if same := [ae for ae in aes if ae.title.casefold() == title.casefold()]:
        return NotFound(message, next_step=f"AE titles are case-sensitive: did you mean {_join_titles(same)}?")
    if others := [ae for ae in aes if title in ae.other_titles]:
        return NotFound(message, next_step=f"{title} is another title (dcmOtherAETitle) of {_join_titles(others)}")
    similar_titles = suggest_names(title, {ae.title for ae in aes})
    similar = [ae for similar_title in similar_titles for ae in aes if ae.title == similar_title]
    return NotFound(
        message, next_step=f"did you mean {_join_titles(similar)}?" if similar else "to list the AEs: dcmcfg ae list"
    )


def _build_connection_not_target(device: Device, name: str) -> NotFound | None:
    """Return the error for the connection *name* of *device*, which only a DN can specify; None if there is none."""
    for connection in device.connections:
        if get_connection_name(connection.dn).casefold() == name.casefold():
            text = format_connection_target(device.name, connection.dn)
            dn = f"{connection.dn.rdn},{device.entry.dn.rdn}"
            return NotFound(
                f"{text} is a connection, not an AE",
                next_step=f"to change the connection: {shlex.join(('dcmcfg', 'connection', 'set', text))}; to specify "
                f"its entry: {shlex.quote(dn)} (dcmcfg help targets)",
            )
    return None


def _join_titles(aes: list[NetworkAE]) -> str:
    return ", ".join(ae.qualified_title for ae in aes)


def _build_device_not_found(configuration: Configuration, text: str) -> NotFound:
    """Return the error for the device in *text*; if *text* is like ``DEVICE/AE``, for the part before ``/``."""
    name, _, title = text.partition("/")
    problem = configuration.build_device_not_found(name)
    holders = [ae for ae in configuration.network_aes() if title and ae.title == title]
    if holders:
        return NotFound(problem.message, next_step=f"{title} is an AE: specify {_join_titles(holders)}")
    return NotFound(problem.message, next_step=f"{problem.next_step}; {_HELP}")


def _build_entry_not_found(tree: Tree, dn: DN) -> NotFound:
    """Return the error for a missing *dn*, with its nearest existing ancestor and similar names below that.

    *dn* is treated as absolute if its end exists in the tree, otherwise as relative to the devices' container.
    """
    draft = TreeDraft(tree)
    missing = draft.find_highest_missing(dn)
    if missing.parent not in tree:
        missing = draft.find_highest_missing(DN(dn.rdns + find_devices_dn(tree).rdns))
    if missing.parent not in tree:
        return NotFound(
            "there is no such entry", subject=str(dn), next_step="check that the entry is below the base DN"
        )
    similar = ", ".join(str(rdn) for rdn in draft.suggest_rdns(missing))
    up_to = f"nearest existing entry: {missing.parent}"
    return NotFound(
        "there is no such entry",
        subject=str(dn),
        next_step=f"{up_to}; did you mean {similar}?" if similar else up_to,
    )
