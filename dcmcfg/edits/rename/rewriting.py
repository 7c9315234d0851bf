"""The changes that give things other names, with everything that refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Add, Change, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN, NormalDN, is_at_or_below
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.model.references.index import Reference, References
from dcmcfg.model.references.kinds import EntityKind, NameUse
from dcmcfg.model.references.rewriting import find_names, rewrite_dn, rewrite_name
from dcmcfg.model.registries import REGISTRY_BY_KIND, find_registrations
from dcmcfg.model.tree import Tree
from dcmcfg.schema_names import EXTERNAL_RETRIEVE_AET
from dcmcfg.secret_values import format_value

#: What the archive asks of a purge is that the study is at one of several external archives.


@dataclass(frozen=True)
class NameChange:
    """A thing and the name that it gets.

    Without ``entry`` the thing has its new name already, and references to ``old_name`` are meant that lead nowhere;
    those of the device ``device_key`` only, unless it is empty. With ``keeps_old_name`` the old name stays in use next
    to the new one. With ``accepts_old_title`` the thing can still be called by it, so that conditions take both.
    """

    kind: EntityKind
    old_name: str
    new_name: str
    entry: Entry | None = None
    _: KW_ONLY
    device_key: NormalDN = ()
    keeps_old_name: bool = False
    accepts_old_title: bool = False

    @property
    def new_rdn(self) -> RDN | None:
        """The RDN that the entry gets, None where its name does not stand in it."""
        attribute = self.kind.value.attribute.lower()
        if self.entry is None or all(kind.lower() != attribute for kind, _ in self.entry.dn.rdn.parts):
            return None
        parts = self.entry.dn.rdn.parts
        return RDN(tuple((kind, self.new_name if kind.lower() == attribute else value) for kind, value in parts))

    def is_target_of(self, reference: Reference, references: References) -> bool:
        """Tell whether *reference* leads to the thing."""
        if reference.kind is not self.kind or not self.kind.are_same_name(reference.name, self.old_name):
            return False
        candidates = references.find_candidates(reference)
        if self.entry is not None:
            return bool(candidates) and candidates[0].dn == self.entry.dn
        return not candidates and (not self.device_key or references.find_device_key(reference.dn) == self.device_key)


@dataclass(frozen=True)
class Rewriting:
    """The ``changes``, in an order in which each prefix is a tree, and the ``references`` that they rewrite."""

    changes: tuple[Change, ...]
    references: tuple[Reference, ...]
    #: Entry and attribute where the new name was beside the old one, so that one of the two values went.
    merged_values: tuple[tuple[DN, str], ...] = ()


def make_rewriting(references: References, new_names: Sequence[NameChange]) -> Rewriting:
    """Return the changes by which each of *new_names* comes about.

    First the registrations, then the entries, in place and with all below them, then what refers to them. Raises
    :class:`Refused` where the new name cannot stand in a value that names the old one.
    """
    tree = references.tree
    values = _ValueRewriter(tree)
    for reference in references.all:
        for name in new_names:
            values.rewrite(reference, name, references)
    for name in new_names:
        if name.entry is not None and name.new_rdn is None:
            values.replace_first(name.entry, name.kind.value.attribute, name.new_name.encode())
    changes: list[Change] = [each for name in new_names for each in _rename_registration(references, name)]
    changes += [Rename(n.entry.dn, rdn) for n in new_names if n.entry is not None and (rdn := n.new_rdn) is not None]
    changes += values.make_changes(new_names)
    return Rewriting(tuple(changes), tuple(values.rewritten), tuple(values.merged))


def rename_dn(tree: Tree, dn: DN, new_names: Iterable[NameChange]) -> DN:
    """Return what *dn* is once the entries of *new_names* are renamed."""
    for name in new_names:
        if name.entry is not None and (rdn := name.new_rdn) is not None:
            old = name.entry.dn
            if is_at_or_below(tree.key(dn), tree.key(old)):
                dn = dn.rebased(old, DN((rdn, *old.parent.rdns)))
    return dn


def _rename_registration(references: References, name: NameChange) -> Iterator[Change]:
    """Yield what brings the registration of *name* about; what was not registered before is not."""
    tree, registry = references.tree, REGISTRY_BY_KIND.get(name.kind)
    registrations = find_registrations(tree, name.kind, name.old_name)
    if registry is None or not registrations or find_registrations(tree, name.kind, name.new_name):
        return
    if name.keeps_old_name or len(references.find_entries(name.kind, name.old_name)) > 1:
        yield Add(registry.build_entry(registrations[0].parent, name.new_name))
    else:
        yield Rename(registrations[0], RDN.of(name.kind.value.attribute, name.new_name))


class _ValueRewriter:
    """What is put in the place of values."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        #: By entry, attribute and old value: what stands there afterwards.
        self._replacements: dict[tuple[NormalDN, str, bytes], tuple[bytes, ...]] = {}
        self._done: set[tuple[NormalDN, str, bytes, NameChange]] = set()
        self.rewritten: list[Reference] = []
        self.merged: list[tuple[DN, str]] = []

    def replace_first(self, entry: Entry, attribute: str, value: bytes) -> None:
        """Have *value* in the place of the first of *attribute*."""
        self._replacements[self._tree.key(entry.dn), attribute, entry.values(attribute)[0]] = (value,)

    def rewrite(self, reference: Reference, name: NameChange, references: References) -> None:
        """Rewrite *reference* if it leads to what *name* names, or by its DN below that."""
        key = (self._tree.key(reference.dn), reference.attribute, reference.value)
        if (*key, name) in self._done:
            return
        values = self._replacements.get(key, (reference.value,))
        if reference.kind is EntityKind.ENTRY:
            replacement = tuple(self._rewrite_dn(value, name) for value in values)
        elif name.is_target_of(reference, references):
            replacement = tuple(new for value in values for new in self._rewrite_name(reference, value, name))
        else:
            return
        if replacement != values:
            self._done.add((*key, name))
            self._replacements[key] = replacement
            self.rewritten.append(reference)

    def _rewrite_dn(self, value: bytes, name: NameChange) -> bytes:
        if name.entry is None or name.new_rdn is None:
            return value
        old = name.entry.dn
        return rewrite_dn(value, old, DN((name.new_rdn, *old.parent.rdns)), self._tree.key)

    def _rewrite_name(self, reference: Reference, value: bytes, name: NameChange) -> tuple[bytes, ...]:
        attribute = reference.attribute
        keeps_value = name.keeps_old_name and _needs_old_name(attribute, value, name)
        new = rewrite_name(
            attribute,
            value,
            name.kind,
            old=name.old_name,
            new=name.new_name,
            keep_old=keeps_value or name.accepts_old_title,
        )
        _require_readable(reference, value, new, name)
        if not keeps_value or any(each.is_pattern for each in find_names(attribute, value)):
            return (new,)
        definition = self._tree.schema.attribute(attribute)
        return (new,) if definition is not None and definition.single_valued else (value, new)

    def make_changes(self, new_names: Sequence[NameChange]) -> Iterator[Modify]:
        """Yield a change for each entry, under the name that it then has."""
        touched: dict[NormalDN, dict[str, None]] = {}
        for key, attribute, _ in self._replacements:
            touched.setdefault(key, {})[attribute] = None
        for entry in self._tree.sorted_entries():
            key = self._tree.key(entry.dn)
            if key in touched:
                settings = (
                    Modification(Operation.REPLACE, name, self._build_rewritten_values(entry, key, name))
                    for name in touched[key]
                )
                yield Modify(rename_dn(self._tree, entry.dn, new_names), tuple(settings))

    def _build_rewritten_values(self, entry: Entry, key: NormalDN, attribute: str) -> tuple[bytes, ...]:
        by_normal: dict[bytes, bytes] = {}
        for value in entry.values(attribute):
            for new in self._replacements.get((key, attribute, value), (value,)):
                normal = self._tree.schema.normalise_value(attribute, new)
                if normal in by_normal:
                    self.merged.append((entry.dn, attribute))
                by_normal.setdefault(normal, new)
        return tuple(by_normal.values())


def _needs_old_name(attribute: str, value: bytes, name: NameChange) -> bool:
    """Tell whether the old name must stay beside the new one: where titles that turn up are compared with it."""
    if attribute.partition(";")[0].lower() == EXTERNAL_RETRIEVE_AET.lower():
        return True
    found = find_names(attribute, value)
    return any(
        each.use is NameUse.COMPARED and each.kind is name.kind and name.kind.are_same_name(each.text, name.old_name)
        for each in found
    )


def _require_readable(reference: Reference, old: bytes, new: bytes, name: NameChange) -> None:
    """Raise :class:`Refused` unless *new*, which takes the place of *old*, is read as naming the new name."""
    expected = [
        name.new_name if each.kind is name.kind and name.kind.are_same_name(each.text, name.old_name) else each.text
        for each in find_names(reference.attribute, old)
    ]
    expected += [name.old_name] if name.keeps_old_name or name.accepts_old_title else []
    names = [each.text for each in find_names(reference.attribute, new)]
    if [each for each in names if each not in expected] or name.new_name not in names:
        raise Refused(
            f"{name.new_name} cannot stand in {reference.attribute}, where it would be read as something else: "
            f"{format_value(reference.attribute, new)}",
            subject=str(reference.dn),
            next_step="choose a name without the characters that have a meaning there",
        )
