"""The changes that give things other names, with everything that refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.changes import Add, Change, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import Kind, Use
from dcmcfg.model.references.rewriting import dn_rewritten, names, rewritten
from dcmcfg.model.registries import BY_KIND, registrations
from dcmcfg.model.tree import Tree
from dcmcfg.secret_values import told

#: What the archive asks of a purge is that the study is at one of several external archives.
EXTERNAL_RETRIEVE = "dcmExternalRetrieveAET"


@dataclass(frozen=True)
class NewName:
    """A thing and the name that it gets.

    Without *entry* the thing has its new name already, and references to *old* are meant that lead nowhere; those of
    the device *within* only, unless it is empty. With *kept* the old name stays in use beside the new one, with
    *called* the thing goes on being called by it, so that conditions take both.
    """

    kind: Kind
    old: str
    new: str
    entry: Entry | None = None
    within: NormalDN = ()
    kept: bool = False
    called: bool = False

    @property
    def new_rdn(self) -> RDN | None:
        """The RDN that the entry gets, None where its name does not stand in it."""
        attribute = self.kind.value.attribute.lower()
        if self.entry is None or all(kind.lower() != attribute for kind, _ in self.entry.dn.rdn.parts):
            return None
        parts = self.entry.dn.rdn.parts
        return RDN(tuple((kind, self.new if kind.lower() == attribute else value) for kind, value in parts))

    def is_meant_by(self, reference: Reference, references: References) -> bool:
        """Tell whether *reference* leads to the thing."""
        if reference.kind is not self.kind or not self.kind.same(reference.name, self.old):
            return False
        meant = references.meant(reference)
        if self.entry is not None:
            return bool(meant) and meant[0].dn == self.entry.dn
        return not meant and (not self.within or references.device_of(reference.dn) == self.within)


@dataclass(frozen=True)
class Rewriting:
    """The ``changes``, in an order in which each prefix is a tree, and the references that they ``rewrite``."""

    changes: tuple[Change, ...]
    references: tuple[Reference, ...]
    #: Entry and attribute where the new name was beside the old one, so that one of the two values went.
    merged: tuple[tuple[DN, str], ...] = ()


def rewriting(references: References, new_names: Sequence[NewName]) -> Rewriting:
    """Return the changes by which each of *new_names* comes about.

    First the registrations, then the entries, in place and with all below them, then what refers to them. Raises
    :class:`Refused` where the new name cannot stand in a value that names the old one.
    """
    tree = references.tree
    values = _Values(tree)
    for reference in references.all:
        for name in new_names:
            values.take(reference, name, references)
    for name in new_names:
        if name.entry is not None and name.new_rdn is None:
            values.put(name.entry, name.kind.value.attribute, name.new.encode())
    changes: list[Change] = [each for name in new_names for each in _registering(references, name)]
    changes += [Rename(n.entry.dn, rdn) for n in new_names if n.entry is not None and (rdn := n.new_rdn) is not None]
    changes += values.changes(new_names)
    return Rewriting(tuple(changes), tuple(values.rewritten), tuple(values.merged))


def moved(tree: Tree, dn: DN, new_names: Iterable[NewName]) -> DN:
    """Return what *dn* is once the entries of *new_names* are renamed."""
    for name in new_names:
        if name.entry is not None and (rdn := name.new_rdn) is not None:
            old = name.entry.dn
            if is_at_or_below(tree.key(dn), tree.key(old)):
                dn = dn.rebased(old, DN((rdn, *old.parent.rdns)))
    return dn


def _registering(references: References, name: NewName) -> Iterator[Change]:
    """Yield what brings the registration of *name* about; what was not registered before is not."""
    tree, registry = references.tree, BY_KIND.get(name.kind)
    held = registrations(tree, name.kind, name.old)
    if registry is None or not held or registrations(tree, name.kind, name.new):
        return
    if name.kept or len(references.named(name.kind, name.old)) > 1:
        yield Add(registry.registration(held[0].parent, name.new))
    else:
        yield Rename(held[0], RDN.of(name.kind.value.attribute, name.new))


class _Values:
    """What is put in the place of values."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        #: By entry, attribute and old value: what stands there afterwards.
        self._instead: dict[tuple[NormalDN, str, bytes], tuple[bytes, ...]] = {}
        self._done: set[tuple[NormalDN, str, bytes, NewName]] = set()
        self.rewritten: list[Reference] = []
        self.merged: list[tuple[DN, str]] = []

    def put(self, entry: Entry, attribute: str, value: bytes) -> None:
        """Have *value* in the place of the first of *attribute*."""
        self._instead[self._tree.key(entry.dn), attribute, entry.values(attribute)[0]] = (value,)

    def take(self, reference: Reference, name: NewName, references: References) -> None:
        """Rewrite *reference* if it leads to what *name* names, or by its DN below that."""
        place = (self._tree.key(reference.dn), reference.attribute, reference.value)
        if (*place, name) in self._done:
            return
        held = self._instead.get(place, (reference.value,))
        if reference.kind is Kind.ENTRY:
            instead = tuple(self._led(value, name) for value in held)
        elif name.is_meant_by(reference, references):
            instead = tuple(new for value in held for new in self._named(reference, value, name))
        else:
            return
        if instead != held:
            self._done.add((*place, name))
            self._instead[place] = instead
            self.rewritten.append(reference)

    def _led(self, value: bytes, name: NewName) -> bytes:
        if name.entry is None or name.new_rdn is None:
            return value
        old = name.entry.dn
        return dn_rewritten(value, old, DN((name.new_rdn, *old.parent.rdns)), self._tree.key)

    def _named(self, reference: Reference, value: bytes, name: NewName) -> tuple[bytes, ...]:
        attribute = reference.attribute
        kept = name.kept and _keeps(attribute, value, name)
        new = rewritten(attribute, value, name.kind, name.old, name.new, beside=kept or name.called)
        _require_readable(reference, value, new, name)
        if not kept or any(each.pattern for each in names(attribute, value)):
            return (new,)
        definition = self._tree.schema.attribute(attribute)
        return (new,) if definition is not None and definition.single_valued else (value, new)

    def changes(self, new_names: Sequence[NewName]) -> Iterator[Modify]:
        """Yield a change for each entry, under the name that it then has."""
        touched: dict[NormalDN, dict[str, None]] = {}
        for key, attribute, _ in self._instead:
            touched.setdefault(key, {})[attribute] = None
        for entry in self._tree.ordered():
            key = self._tree.key(entry.dn)
            if key in touched:
                settings = (
                    Modification(Operation.REPLACE, name, self._values(entry, key, name)) for name in touched[key]
                )
                yield Modify(moved(self._tree, entry.dn, new_names), tuple(settings))

    def _values(self, entry: Entry, key: NormalDN, attribute: str) -> tuple[bytes, ...]:
        by_normal: dict[bytes, bytes] = {}
        for value in entry.values(attribute):
            for new in self._instead.get((key, attribute, value), (value,)):
                normal = self._tree.schema.normal_value(attribute, new)
                if normal in by_normal:
                    self.merged.append((entry.dn, attribute))
                by_normal.setdefault(normal, new)
        return tuple(by_normal.values())


def _keeps(attribute: str, value: bytes, name: NewName) -> bool:
    """Tell whether the old name must stay beside the new one: where titles that turn up are compared with it."""
    if attribute.partition(";")[0].lower() == EXTERNAL_RETRIEVE.lower():
        return True
    found = names(attribute, value)
    return any(n.use is Use.COMPARED and n.kind is name.kind and name.kind.same(n.text, name.old) for n in found)


def _require_readable(reference: Reference, old: bytes, new: bytes, name: NewName) -> None:
    """Raise :class:`Refused` unless *new*, which takes the place of *old*, is read as naming the new name."""
    expected = [
        name.new if each.kind is name.kind and name.kind.same(each.text, name.old) else each.text
        for each in names(reference.attribute, old)
    ]
    expected += [name.old] if name.kept or name.called else []
    read = [each.text for each in names(reference.attribute, new)]
    if [each for each in read if each not in expected] or name.new not in read:
        raise Refused(
            f"{name.new} cannot stand in {reference.attribute}, where it would be read as something else: "
            f"{told(reference.attribute, new)}",
            on=str(reference.dn),
            next_step="choose a name without the characters that have a meaning there",
        )
