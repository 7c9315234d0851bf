"""Where in a tree an attribute is set, and which value counts for each archive AE."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.devices import Configuration, NetworkAE
from dcmcfg.dn import DN
from dcmcfg.errors import NotFound
from dcmcfg.retrieve_settings import Setting
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.tree import Tree

#: On both levels, and not known to be one setting: which storage, of which several may stand side by side.
_OF_EACH_LEVEL = frozenset({"dcmMetadataStorageID", "dcmStorageID"})


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


def in_use(tree: Tree, known: AttributeType, on: str | None = None) -> InUse:
    """Return where the attribute *known* is set in *tree*; with *on*, on entries of that object class only.

    By each of its names, of which the tree's own schema may know none.
    """
    names = {name.lower() for name in (known.oid, known.name, *known.aliases)}
    held = []
    for entry in tree.ordered():
        if on is None or entry.is_a(on):
            values = [
                value
                for attribute in entry.attributes
                if attribute.name.partition(";")[0].lower() in names
                for value in attribute.values
            ]
            if values:
                held.append(Held(entry.dn, tuple(values)))
    return InUse(tuple(held), _effective(tree, known.name) if _inherited(tree.schema, known.name) else ())


def _inherited(schema: Schema, name: str) -> bool:
    """Tell whether an archive AE takes attribute *name* from its device where it has no value of its own.

    So it does with what may stand on both: ArchiveAEExtension asks itself, then ArchiveDeviceExtension.
    """
    levels = [schema.object_class(level) for level in ("dcmArchiveDevice", "dcmArchiveNetworkAE")]
    return name not in _OF_EACH_LEVEL and all(
        level is not None and name.lower() in map(str.lower, level.may) for level in levels
    )


def _counts(ae: NetworkAE, name: str) -> Setting:
    if own := ae.entry.texts(name):
        return Setting(name, own, "AE")
    inherited = ae.device.entry.texts(name)
    return Setting(name, inherited, "device" if inherited else "")


def _effective(tree: Tree, name: str) -> tuple[Effective, ...]:
    configuration = Configuration(tree)
    try:
        devices = configuration.devices
    except NotFound:
        return ()
    return tuple(
        Effective(device.name, ae.title, _counts(ae, name))
        for device in devices
        if device.is_archive
        for ae in device.network_aes
    )
