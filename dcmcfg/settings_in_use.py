"""Where in a tree an attribute is set, and which value counts for each archive AE."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.devices import Configuration
from dcmcfg.dn import DN
from dcmcfg.errors import NotFound
from dcmcfg.retrieve_settings import INHERITED, Setting, effective
from dcmcfg.tree import Tree


@dataclass(frozen=True)
class Held:
    """An entry that holds the attribute, with its values as octets."""

    dn: DN
    values: tuple[bytes, ...]


@dataclass(frozen=True)
class Effective:
    """What counts for an AE of the device ``device``, and from which level."""

    device: str
    title: str
    setting: Setting


@dataclass(frozen=True)
class InUse:
    """``held`` in the tree's order; ``effective`` is empty unless an AE takes the attribute from its device."""

    held: tuple[Held, ...]
    effective: tuple[Effective, ...]


def in_use(tree: Tree, name: str, on: str | None = None) -> InUse:
    """Return where attribute *name* is set in *tree*; with *on*, on entries of that object class only."""
    known = tree.schema.attribute(name)
    held = []
    for entry in tree.ordered():
        if on is None or entry.is_a(on):
            values = [
                value
                for attribute in entry.attributes
                if known is not None and tree.schema.attribute(attribute.name) is known
                for value in attribute.values
            ]
            if values:
                held.append(Held(entry.dn, tuple(values)))
    return InUse(tuple(held), _effective(tree, name) if name in INHERITED else ())


def _effective(tree: Tree, name: str) -> tuple[Effective, ...]:
    configuration = Configuration(tree)
    try:
        devices = configuration.devices
    except NotFound:
        return ()
    return tuple(
        Effective(device.name, ae.title, effective(ae, name))
        for device in devices
        if device.is_archive
        for ae in device.network_aes
    )
