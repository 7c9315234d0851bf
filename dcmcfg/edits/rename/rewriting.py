"""Compute the changes that rename objects and rewrite all references to them."""

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


@dataclass(frozen=True)
class NameChange:
    """An object and its new name.

    Without ``entry``, the object already has its new name, and only dangling references to ``old_name`` are rewritten;
    with ``device_key``, only those of that device. With ``keeps_old_name``, the old name remains in use next to the new
    one. With ``accepts_old_title``, peers can still call the object by the old title, so conditions accept both.
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
        """The new RDN of the entry; None if the name is not part of the RDN."""
        attribute = self.kind.value.attribute.lower()
        if self.entry is None or all(kind.lower() != attribute for kind, _ in self.entry.dn.rdn.parts):
            return None
        parts = self.entry.dn.rdn.parts
        return RDN(tuple((kind, self.new_name if kind.lower() == attribute else value) for kind, value in parts))

    def is_target_of(self, reference: Reference, references: References) -> bool:
        """Return whether *reference* refers to the object."""
        if reference.kind is not self.kind or not self.kind.are_same_name(reference.name, self.old_name):
            return False
        candidates = references.find_candidates(reference)
        if self.entry is not None:
            return bool(candidates) and candidates[0].dn == self.entry.dn
        return not candidates and (not self.device_key or references.find_device_key(reference.dn) == self.device_key)


@dataclass(frozen=True)
class Rewriting:
    """The ``changes``, in an order in which each prefix is valid, and the ``references`` that they rewrite."""

    changes: tuple[Change, ...]
    references: tuple[Reference, ...]
    #: Entry and attribute that had both the old and the new name, so that one of the two values was removed.
    merged_values: tuple[tuple[DN, str], ...] = ()


def make_rewriting(references: References, new_names: Sequence[NameChange]) -> Rewriting:
    """Return the changes for all renames of *new_names*.

    First, the registrations are changed, then the entries are renamed with all below them, and then the references are
    rewritten. Raises :class:`Refused` if the new name cannot be used in a value that contains the old one.
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
    """Return the DN of the entry *dn* after the renames of *new_names*."""
    for name in new_names:
        if name.entry is not None and (rdn := name.new_rdn) is not None:
            old = name.entry.dn
            if is_at_or_below(tree.key(dn), tree.key(old)):
                dn = dn.rebased(old, DN((rdn, *old.parent.rdns)))
    return dn


def _rename_registration(references: References, name: NameChange) -> Iterator[Change]:
    """Yield the change of the registration of *name*; an unregistered name remains unregistered."""
    tree, registry = references.tree, REGISTRY_BY_KIND.get(name.kind)
    registrations = find_registrations(tree, name.kind, name.old_name)
    if registry is None or not registrations or find_registrations(tree, name.kind, name.new_name):
        return
    # The old registration stays while an entry has the old name.
    if name.keeps_old_name or len(references.find_entries(name.kind, name.old_name)) > 1:
        yield Add(registry.build_entry(registrations[0].parent, name.new_name))
    else:
        yield Rename(registrations[0], RDN.of(name.kind.value.attribute, name.new_name))


class _ValueRewriter:
    """Collects the replacements of values."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        #: (entry, attribute, old value) → the new values.
        self._replacements: dict[tuple[NormalDN, str, bytes], tuple[bytes, ...]] = {}
        #: Finished rewrites: a value may contain several references, but is rewritten once for each name.
        self._done: set[tuple[NormalDN, str, bytes, NameChange]] = set()
        self.rewritten: list[Reference] = []
        self.merged: list[tuple[DN, str]] = []

    def replace_first(self, entry: Entry, attribute: str, value: bytes) -> None:
        """Replace the first value of *attribute* with *value*."""
        self._replacements[self._tree.key(entry.dn), attribute, entry.values(attribute)[0]] = (value,)

    def rewrite(self, reference: Reference, name: NameChange, references: References) -> None:
        """Rewrite *reference* if it refers to the object of *name*, or by DN to an entry at or below it."""
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
        # A pattern accepts both names in one value.
        if not keeps_value or any(each.is_pattern for each in find_names(attribute, value)):
            return (new,)
        # A single-valued attribute cannot keep the old name too.
        definition = self._tree.schema.attribute(attribute)
        return (new,) if definition is not None and definition.single_valued else (value, new)

    def make_changes(self, new_names: Sequence[NameChange]) -> Iterator[Modify]:
        """Yield a change for each affected entry, with its DN after the renames."""
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
                # The entry already has the new name; a server refuses a list with equal values (20).
                if normal in by_normal:
                    self.merged.append((entry.dn, attribute))
                by_normal.setdefault(normal, new)
        return tuple(by_normal.values())


def _needs_old_name(attribute: str, value: bytes, name: NameChange) -> bool:
    """Return whether the old name must remain next to the new one, because the archive compares titles with it."""
    if attribute.partition(";")[0].lower() == EXTERNAL_RETRIEVE_AET.lower():
        return True
    found = find_names(attribute, value)
    return any(
        each.use is NameUse.COMPARED and each.kind is name.kind and name.kind.are_same_name(each.text, name.old_name)
        for each in found
    )


def _require_readable(reference: Reference, old: bytes, new: bytes, name: NameChange) -> None:
    """Raise :class:`Refused` unless *new*, the replacement for *old*, is read as a reference to the new name."""
    expected = [
        name.new_name if each.kind is name.kind and name.kind.are_same_name(each.text, name.old_name) else each.text
        for each in find_names(reference.attribute, old)
    ]
    expected += [name.old_name] if name.keeps_old_name or name.accepts_old_title else []
    names = [each.text for each in find_names(reference.attribute, new)]
    if [each for each in names if each not in expected] or name.new_name not in names:
        raise Refused(
            f"{name.new_name} cannot be used in {reference.attribute}, because the name would have another meaning in "
            f"this attribute: {format_value(reference.attribute, new)}",
            subject=str(reference.dn),
            next_step="choose a name that contains only letters, digits, - and _",
        )
