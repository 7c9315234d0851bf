"""What somebody made of entries that he was shown as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN, NormalDN, root_first_sort_key
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.entry_validation import is_renameable, require_valid_entry, suggest_rename
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import MalformedInput, Refused
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree, add_naming_values, canonicalise_name
from dcmcfg.plan.entry_comparison import VENDOR_DATA
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.structure import find_structural_classes
from dcmcfg.secret_values import is_secret

#: An entry that is new, and shares so much with one that is gone beside it, was renamed.
_MIN_SHARED_VALUES = 0.5


@dataclass(frozen=True)
class ShownEntry:
    """An entry as it is shown, with the values that are ``hidden`` back: they stay whatever is done to the text."""

    entry: Entry
    hidden: tuple[Attribute, ...] = ()


def hide_secrets(entry: Entry, *, with_secrets: bool) -> ShownEntry:
    """Return *entry* as it is shown, unless *with_secrets* without its secrets and the vendor's data."""
    if with_secrets:
        return ShownEntry(entry)
    kept = []
    for attribute in entry.attributes:
        back = tuple(value for value in attribute.values if _is_hidden(attribute.name, value))
        if back:
            kept.append(Attribute(attribute.name, back))
    for attribute in kept:
        left = (value for value in entry.values(attribute.name) if value not in attribute.values)
        entry = entry.with_values(attribute.name, left)
    return ShownEntry(entry, tuple(kept))


def _is_hidden(name: str, value: bytes) -> bool:
    return name.partition(";")[0].lower() == VENDOR_DATA or is_secret(name, value)


def make_edit(schema: Schema, tree: Tree, before: Sequence[ShownEntry], after: Sequence[Entry]) -> Edit:
    """Return the edit that makes of the entries *before*, of *tree*, those *after*.

    An entry that is missing there is deleted, one that was not shown is added, and of the others those attributes
    change that differ from what was shown. Raises :class:`Refused` for an entry that is given twice, one that exists
    and was not shown, one that bears another name (a rename has to change what refers to it too, unless the text does
    that by itself), and one of which ``dcmcfg check`` would call something new an error, by *schema*.
    """
    were = {tree.key(each.entry.dn): each for each in before}
    are: dict[NormalDN, Entry] = {}
    for entry in (_with_canonical_names(tree, each) for each in after):
        key = tree.key(entry.dn)
        if key in are:
            raise Refused("the entry stands in the text twice", subject=str(entry.dn))
        if key not in were and key in tree.entries:
            raise Refused(
                "the entry exists and was not part of the text",
                subject=str(entry.dn),
                next_step="edit it by its own name",
            )
        are[key] = entry
    _refuse_renames(tree, were, are)
    changes = [*_make_adds(were, are), *_make_modifies(tree, were, are), *_make_deletes(were, are)]
    for change in changes:
        _require_valid(schema, tree, change)
    return Edit(tuple(changes))


def _require_valid(schema: Schema, tree: Tree, change: Change) -> None:
    held = tree.get(change.dn)
    match change:
        case Add(entry):
            require_valid_entry(schema, None, add_naming_values(schema, entry))
        case Modify(_, modifications) if held is not None:
            after = held
            for each in modifications:
                after = after.with_values(each.name, each.values)
            require_valid_entry(schema, held, after)
        case _:
            pass


def _with_canonical_names(tree: Tree, entry: Entry) -> Entry:
    found = Entry(entry.dn)
    for attribute in entry.attributes:
        name = canonicalise_name(tree.schema, attribute.name)
        found = found.with_values(name, (*found.values(name), *attribute.values))
    return found


_Before = Mapping[NormalDN, ShownEntry]
_After = Mapping[NormalDN, Entry]


def _make_adds(were: _Before, are: _After) -> Iterator[Change]:
    new = {key: are[key] for key in are.keys() - were.keys()}
    yield from (Add(new[key]) for key in _connections_first(new))


def _make_deletes(were: _Before, are: _After) -> Iterator[Change]:
    gone = {key: were[key].entry for key in were.keys() - are.keys()}
    yield from (Delete(gone[key].dn) for key in reversed(_connections_first(gone)))


def _connections_first(entries: Mapping[NormalDN, Entry]) -> list[NormalDN]:
    """Return the keys of *entries*, parents first, and connections before what beside them may refer to them.

    Should it stop half-way, no reference leads nowhere: the archive would lose the whole device.
    """

    def place(key: NormalDN) -> tuple[NormalDN, bool, NormalDN]:
        return root_first_sort_key(key[1:]), not entries[key].is_a("dicomNetworkConnection"), root_first_sort_key(key)

    return sorted(entries, key=place)


def _make_modifies(tree: Tree, were: _Before, are: _After) -> Iterator[Change]:
    for key, entry in are.items():
        if key in were and (modifications := tuple(_modifications(tree, were[key], entry))):
            yield Modify(were[key].entry.dn, modifications)


def _modifications(tree: Tree, before: ShownEntry, after: Entry) -> Iterator[Modification]:
    names = {each.name.lower(): each.name for each in (*after.attributes, *before.entry.attributes)}
    kept = {each.name.lower(): each.values for each in before.hidden}
    for low, name in names.items():
        was, now = before.entry.values(name), after.values(name)
        if frozenset(was) == frozenset(now) and len(was) == len(now):
            continue
        back = kept.get(low, ())
        known = tree.schema.attribute(name)
        if now and known is not None and known.single_valued:
            back = ()  # what was not shown is replaced
        yield Modification(Operation.REPLACE, name, (*now, *(value for value in back if value not in now)))


def _refuse_renames(tree: Tree, were: _Before, are: _After) -> None:
    for key, entry in are.items():
        old = were.get(key)
        if old is not None and old.entry.dn.rdns and old.entry.dn.rdn != entry.dn.rdn:
            raise _rename_error(old.entry, entry)
        if old is None:
            for gone in were.keys() - are.keys():
                if gone[1:] != key[1:] or not _may_be_renamed(tree, were[gone].entry, entry):
                    continue
                if not _replaces_in_references(tree, were, are, gone=gone, new=key):
                    raise _rename_error(were[gone].entry, entry)


def _replaces_in_references(tree: Tree, were: _Before, are: _After, *, gone: NormalDN, new: NormalDN) -> bool:
    """Return whether the text has everything that referred to the entry *gone* by its DN refer to *new*.

    Then nothing is lost with the old entry, unless it has a name that others know, or values that were not shown.
    """
    old = were[gone]
    if old.hidden or is_renameable(old.entry):
        return False
    stays = (entry for key, entry in tree.entries.items() if key not in were)
    after = References(Tree.from_entries(tree.schema, (*stays, *are.values())))
    meant = set(_dn_reference_targets(after))
    return gone in set(_dn_reference_targets(References(tree))) and gone not in meant and new in meant


def _dn_reference_targets(references: References) -> Iterator[NormalDN]:
    """Yield what each reference by DN leads to, whether it is there or not."""
    for reference in references.all:
        if reference.kind is EntityKind.ENTRY:
            with suppress(MalformedInput):
                yield references.tree.key(DN.parse(reference.name))


def _rename_error(old: Entry, new: Entry) -> Refused:
    return Refused(
        f"it would become {new.dn.rdn}, and what refers to it would not follow",
        subject=str(old.dn),
        next_step=suggest_rename(old),
    )


def _may_be_renamed(tree: Tree, one: Entry, other: Entry) -> bool:
    """Tell whether *one* can have become *other*: of the same class, named by the same attribute, much the same."""
    if find_structural_classes(tree.schema, one) != find_structural_classes(tree.schema, other):
        return False
    naming = {kind.lower() for kind, _ in one.dn.rdn.parts}
    if naming != {kind.lower() for kind, _ in other.dn.rdn.parts}:
        return False
    first, second = (_comparable_values(entry, naming) for entry in (one, other))
    every = first | second
    return not every or len(first & second) >= _MIN_SHARED_VALUES * len(every)


def _comparable_values(entry: Entry, naming: set[str]) -> frozenset[tuple[str, bytes]]:
    return frozenset(
        (attribute.name.lower(), value)
        for attribute in entry.attributes
        if attribute.name.lower() not in naming
        for value in attribute.values
    )
