"""Where in a tree an attribute is set, and which value counts for each archive AE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import NotFound, Refused
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.retrieve_settings import Setting
from dcmcfg.model.targets import Target
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import AttributeType, Schema
from dcmcfg.schema.explain import known_attribute
from dcmcfg.secret_values import is_secret

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
    return InUse(tuple(held), _effective(tree, known.name) if inherited(tree.schema, known.name) else ())


def inherited(schema: Schema, name: str) -> bool:
    """Tell whether an archive AE takes attribute *name* from its device where it has no value of its own.

    So it does with what may stand on both: ArchiveAEExtension asks itself, then ArchiveDeviceExtension.
    """
    levels = [schema.object_class(level) for level in ("dcmArchiveDevice", "dcmArchiveNetworkAE")]
    return name not in _OF_EACH_LEVEL and all(
        level is not None and name.lower() in map(str.lower, level.may) for level in levels
    )


def counts(ae: NetworkAE, name: str) -> Setting:
    """Return what counts of attribute *name*, which an AE takes from its device, for *ae*: its own, or its device's."""
    if own := ae.entry.texts(name):
        return Setting(name, own, "AE")
    inherited = ae.device.entry.texts(name)
    return Setting(name, inherited, "device" if inherited else "")


@dataclass(frozen=True)
class AttributeHeld:
    """The values of attribute ``name`` that count for an entry; ``inherited`` ones are those of an AE's device."""

    name: str
    values: tuple[bytes, ...]
    inherited: bool = False


def values_held(schema: Schema, target: Target, names: Sequence[str] = ()) -> tuple[AttributeHeld, ...]:
    """Return what *target* holds of the attributes *names*, in that order, without names of all in the entry's order.

    What an AE has not itself and takes from its device comes from there. Raises :class:`NotFound` for an attribute
    that *schema* does not know.
    """
    if not names:
        return tuple(AttributeHeld(each.name, each.values) for each in target.entry.attributes)
    return tuple(held for name in names for held in _held(schema, target, name))


def only_value(target: Target, held: Sequence[AttributeHeld]) -> bytes:
    """Return the one value in *held*, attributes of *target*; raises :class:`Refused` for several and for a secret."""
    values = [(each.name, value) for each in held for value in each.values]
    name, value = values[0]
    if len(values) > 1:
        raise Refused(f"{name} has {len(values)} values, and one can be written", on=str(target.entry.dn))
    if is_secret(name, value):
        step = "dcmcfg export-ldif --with-secrets writes secrets"
        raise Refused(f"the value of {name} is a secret", on=str(target.entry.dn), next_step=step)
    return value


def _held(schema: Schema, target: Target, name: str) -> Iterator[AttributeHeld]:
    """Yield one, or one for each set of options that the entry has the attribute with."""
    known = known_attribute(schema, name)
    own = tuple(_of_type(target.entry, known, name))
    if own:
        yield from own
    elif target.ae is not None and target.ae.device.is_archive and inherited(schema, known.name):
        yield AttributeHeld(known.name, target.ae.device.entry.values(known.name), inherited=True)
    else:
        yield AttributeHeld(known.name, ())


def _of_type(entry: Entry, known: AttributeType, name: str) -> Iterator[AttributeHeld]:
    names = {each.lower() for each in (known.oid, known.name, *known.aliases)}
    options = name.partition(";")[2].lower()
    for attribute in entry.attributes:
        plain, _, held_options = attribute.name.lower().partition(";")
        if plain in names and options in ("", held_options):
            yield AttributeHeld(attribute.name, attribute.values)


def _effective(tree: Tree, name: str) -> tuple[Effective, ...]:
    configuration = Configuration(tree)
    try:
        devices = configuration.devices
    except NotFound:
        return ()
    return tuple(
        Effective(device.name, ae.title, counts(ae, name))
        for device in devices
        if device.is_archive
        for ae in device.network_aes
    )
