"""Find where an attribute is set in a tree, and its effective value for each archive AE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import EffectiveSetting
from dcmcfg.model.targets import Target
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.explain import get_attribute_type
from dcmcfg.schema_names import ARCHIVE_DEVICE_OBJECT_CLASS, ARCHIVE_NETWORK_AE_OBJECT_CLASS, STORAGE_ID
from dcmcfg.secret_values import is_secret

#: Attributes of both levels that are not inherited: they select storages, and device and AE may name different ones.
_NOT_INHERITED = frozenset({"dcmMetadataStorageID", STORAGE_ID})


@dataclass(frozen=True)
class AttributeOccurrence:
    """An entry that has the attribute, with its values as octets."""

    dn: DN
    values: tuple[bytes, ...]


@dataclass(frozen=True)
class AESetting:
    """The effective setting of an AE of the device ``device``."""

    device: str
    ae_title: str
    setting: EffectiveSetting


@dataclass(frozen=True)
class AttributeUsage:
    """The use of an attribute in a tree; ``occurrences`` are in the tree's order.

    ``effective_settings`` is empty unless AEs inherit the attribute from their device.
    """

    occurrences: tuple[AttributeOccurrence, ...]
    effective_settings: tuple[AESetting, ...]


def find_usage(tree: Tree, attribute_type: AttributeType, object_class: str | None = None) -> AttributeUsage:
    """Return where the attribute *attribute_type* is set in *tree*.

    With *object_class*, only on entries of that object class. The attribute is found by all its names, because the
    tree's own schema may not know it.
    """
    names = {name.lower() for name in (attribute_type.oid, attribute_type.name, *attribute_type.aliases)}
    occurrences = []
    for entry in tree.sorted_entries():
        if object_class is None or entry.is_a(object_class):
            values = [
                value
                for attribute in entry.attributes
                if attribute.name.partition(";")[0].lower() in names
                for value in attribute.values
            ]
            if values:
                occurrences.append(AttributeOccurrence(entry.dn, tuple(values)))
    return AttributeUsage(
        tuple(occurrences),
        _list_effective_settings(tree, attribute_type.name) if is_inherited(tree.schema, attribute_type.name) else (),
    )


def is_inherited(schema: Schema, name: str) -> bool:
    """Return whether an archive AE without its own value inherits attribute *name* from its device.

    It inherits the attributes that both classes allow: ArchiveAEExtension falls back to ArchiveDeviceExtension.
    """
    levels = [schema.object_class(level) for level in (ARCHIVE_DEVICE_OBJECT_CLASS, ARCHIVE_NETWORK_AE_OBJECT_CLASS)]
    return name not in _NOT_INHERITED and all(
        level is not None and name.lower() in map(str.lower, level.may) for level in levels
    )


def resolve_inherited_setting(ae: NetworkAE, name: str) -> EffectiveSetting:
    """Return the effective setting of the inherited attribute *name* for *ae*: its own values, or its device's."""
    if own := ae.entry.texts(name):
        return EffectiveSetting(name, own, "AE")
    inherited = ae.device.entry.texts(name)
    return EffectiveSetting(name, inherited, "device" if inherited else "")


@dataclass(frozen=True)
class EffectiveValues:
    """The effective values of attribute ``name`` for an entry; ``inherited`` if they come from an AE's device."""

    name: str
    values: tuple[bytes, ...]
    inherited: bool = False


def get_effective_values(schema: Schema, target: Target, names: Sequence[str] = ()) -> tuple[EffectiveValues, ...]:
    """Return the values of the attributes *names* of *target*, in that order; without *names*, of all its attributes.

    An AE without its own value gets the value that it inherits from its device. Raises :class:`NotFound` for an
    attribute that *schema* does not know.
    """
    if not names:
        return tuple(EffectiveValues(each.name, each.values) for each in target.entry.attributes)
    return tuple(effective for name in names for effective in _get_values(schema, target, name))


def require_single_value(target: Target, attributes: Sequence[EffectiveValues]) -> bytes:
    """Return the single value of *attributes*, attributes of *target*.

    Raises :class:`Refused` for several values and for a secret.
    """
    values = [(each.name, value) for each in attributes for value in each.values]
    name, value = values[0]
    if len(values) > 1:
        raise Refused(
            f"{name} has {len(values)} values, but dcmcfg can write only a single value to a file",
            subject=str(target.entry.dn),
        )
    if is_secret(name, value):
        next_step = "to write secrets: dcmcfg export-ldif --with-secrets"
        raise Refused(f"the value of {name} is a secret", subject=str(target.entry.dn), next_step=next_step)
    return value


def _get_values(schema: Schema, target: Target, name: str) -> Iterator[EffectiveValues]:
    """Yield the values of attribute *name*, one item for each set of options on the entry."""
    attribute_type = get_attribute_type(schema, name)
    own = tuple(_find_attributes(target.entry, attribute_type, name))
    if own:
        yield from own
    elif target.ae is not None and target.ae.device.is_archive and is_inherited(schema, attribute_type.name):
        yield EffectiveValues(attribute_type.name, target.ae.device.entry.values(attribute_type.name), inherited=True)
    else:
        yield EffectiveValues(attribute_type.name, ())


def _find_attributes(entry: Entry, attribute_type: AttributeType, name: str) -> Iterator[EffectiveValues]:
    names = {each.lower() for each in (attribute_type.oid, attribute_type.name, *attribute_type.aliases)}
    options = name.partition(";")[2].lower()
    for attribute in entry.attributes:
        base_name, _, held_options = attribute.name.lower().partition(";")
        # A name without options stands for the attribute with any options.
        if base_name in names and options in ("", held_options):
            yield EffectiveValues(attribute.name, attribute.values)


def _list_effective_settings(tree: Tree, name: str) -> tuple[AESetting, ...]:
    configuration = Configuration(tree)
    try:
        devices = configuration.devices
    # A tree without a configuration root has no AEs, but its entries may have the attribute.
    except NotFound:
        return ()
    return tuple(
        AESetting(device.name, ae.title, resolve_inherited_setting(ae, name))
        for device in devices
        if device.is_archive
        for ae in device.network_aes
    )
