"""Compute the changes from entries that the user edited as text (``dcmcfg edit``)."""

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
from dcmcfg.schema_names import DICOM_NETWORK_CONNECTION_OBJECT_CLASS
from dcmcfg.secret_values import is_secret

#: A new entry that shares this part of its values with a removed sibling was probably renamed.
_MIN_SHARED_VALUES = 0.5


@dataclass(frozen=True)
class ShownEntry:
    """An entry as shown to the user, with its ``hidden`` values, which the text cannot change."""

    entry: Entry
    hidden: tuple[Attribute, ...] = ()


def hide_secrets(entry: Entry, *, with_secrets: bool) -> ShownEntry:
    """Return *entry* as shown to the user; secrets and vendor data are hidden, unless *with_secrets*."""
    if with_secrets:
        return ShownEntry(entry)
    hidden = []
    for attribute in entry.attributes:
        hidden_values = tuple(value for value in attribute.values if _is_hidden(attribute.name, value))
        if hidden_values:
            hidden.append(Attribute(attribute.name, hidden_values))
    for attribute in hidden:
        shown_values = (value for value in entry.values(attribute.name) if value not in attribute.values)
        entry = entry.with_values(attribute.name, shown_values)
    return ShownEntry(entry, tuple(hidden))


def _is_hidden(name: str, value: bytes) -> bool:
    return name.partition(";")[0].lower() == VENDOR_DATA or is_secret(name, value)


def make_edit(schema: Schema, tree: Tree, before: Sequence[ShownEntry], after: Sequence[Entry]) -> Edit:
    """Return the edit that changes the entries *before*, which are in *tree*, to the entries *after*.

    Missing entries are deleted, new entries are added, and attributes that differ from the shown text are changed.
    Raises :class:`Refused` for an entry that appears twice, for an existing entry that was not shown, for a renamed
    entry (a rename must change references too, unless the text does so), and for new errors by the rules of ``dcmcfg
    check`` with *schema*.
    """
    shown = {tree.key(each.entry.dn): each for each in before}
    edited: dict[NormalDN, Entry] = {}
    for entry in (_canonicalise_names(tree, each) for each in after):
        key = tree.key(entry.dn)
        if key in edited:
            raise Refused("the text contains the entry twice", subject=str(entry.dn))
        if key not in shown and key in tree.entries:
            raise Refused(
                "the entry exists, but was not part of the edited text",
                subject=str(entry.dn),
                next_step="to edit this entry, run dcmcfg edit with the name of the entry",
            )
        edited[key] = entry
    _refuse_renames(tree, shown, edited)
    # References change while both their old and their new target exist.
    changes = [*_make_adds(shown, edited), *_make_modifies(tree, shown, edited), *_make_deletes(shown, edited)]
    for change in changes:
        _require_valid(schema, tree, change)
    return Edit(tuple(changes))


def _require_valid(schema: Schema, tree: Tree, change: Change) -> None:
    current = tree.get(change.dn)
    match change:
        case Add(entry):
            require_valid_entry(schema, None, add_naming_values(schema, entry))
        case Modify(_, modifications) if current is not None:
            after = current
            for each in modifications:
                # All modifications of an edited text are replaces.
                after = after.with_values(each.name, each.values)
            require_valid_entry(schema, current, after)
        case _:
            pass


def _canonicalise_names(tree: Tree, entry: Entry) -> Entry:
    found = Entry(entry.dn)
    for attribute in entry.attributes:
        name = canonicalise_name(tree.schema, attribute.name)
        found = found.with_values(name, (*found.values(name), *attribute.values))
    return found


_Before = Mapping[NormalDN, ShownEntry]
_After = Mapping[NormalDN, Entry]


def _make_adds(shown: _Before, edited: _After) -> Iterator[Change]:
    new = {key: edited[key] for key in edited.keys() - shown.keys()}
    yield from (Add(new[key]) for key in _sort_connections_first(new))


def _make_deletes(shown: _Before, edited: _After) -> Iterator[Change]:
    removed = {key: shown[key].entry for key in shown.keys() - edited.keys()}
    yield from (Delete(removed[key].dn) for key in reversed(_sort_connections_first(removed)))


def _sort_connections_first(entries: Mapping[NormalDN, Entry]) -> list[NormalDN]:
    """Return the keys of *entries*, parents first, and connections before siblings that may refer to them.

    In this order, an interrupted change leaves no dangling reference, which would prevent the archive from loading the
    device.
    """

    def sort_key(key: NormalDN) -> tuple[NormalDN, bool, NormalDN]:
        return (
            root_first_sort_key(key[1:]),
            not entries[key].is_a(DICOM_NETWORK_CONNECTION_OBJECT_CLASS),
            root_first_sort_key(key),
        )

    return sorted(entries, key=sort_key)


def _make_modifies(tree: Tree, shown: _Before, edited: _After) -> Iterator[Change]:
    for key, entry in edited.items():
        if key in shown and (modifications := tuple(_make_modifications(tree, shown[key], entry))):
            yield Modify(shown[key].entry.dn, modifications)


def _make_modifications(tree: Tree, before: ShownEntry, after: Entry) -> Iterator[Modification]:
    names = {each.name.lower(): each.name for each in (*after.attributes, *before.entry.attributes)}
    hidden = {each.name.lower(): each.values for each in before.hidden}
    for lower_name, name in names.items():
        old_values, new_values = before.entry.values(name), after.values(name)
        if frozenset(old_values) == frozenset(new_values) and len(old_values) == len(new_values):
            continue
        hidden_values = hidden.get(lower_name, ())
        known = tree.schema.attribute(name)
        if new_values and known is not None and known.single_valued:
            hidden_values = ()  # the new value replaces the hidden one
        yield Modification(
            Operation.REPLACE, name, (*new_values, *(value for value in hidden_values if value not in new_values))
        )


def _refuse_renames(tree: Tree, shown: _Before, edited: _After) -> None:
    for key, entry in edited.items():
        old = shown.get(key)
        if old is not None and old.entry.dn.rdns and old.entry.dn.rdn != entry.dn.rdn:
            raise _build_rename_error(old.entry, entry)
        if old is None:
            for removed in shown.keys() - edited.keys():
                # Only an entry with the same parent can be the old one: an entry is renamed in place.
                if removed[1:] != key[1:] or not _may_be_renamed(tree, shown[removed].entry, entry):
                    continue
                if not _replaces_in_references(tree, shown, edited, removed=removed, new=key):
                    raise _build_rename_error(shown[removed].entry, entry)


def _replaces_in_references(tree: Tree, shown: _Before, edited: _After, *, removed: NormalDN, new: NormalDN) -> bool:
    """Return whether the text changes all references by DN from the entry *removed* to *new*.

    Then nothing is lost with the old entry, unless other entries refer to it by name, or it has hidden values.
    """
    old = shown[removed]
    if old.hidden or is_renameable(old.entry):
        return False
    remaining = (entry for key, entry in tree.entries.items() if key not in shown)
    after = References(Tree.from_entries(tree.schema, (*remaining, *edited.values())))
    targets_after = set(_iterate_dn_targets(after))
    return (
        removed in set(_iterate_dn_targets(References(tree))) and removed not in targets_after and new in targets_after
    )


def _iterate_dn_targets(references: References) -> Iterator[NormalDN]:
    """Yield the target of each reference by DN, whether it exists or not."""
    for reference in references.all:
        if reference.kind is EntityKind.ENTRY:
            with suppress(MalformedInput):
                yield references.tree.key(DN.parse(reference.name))


def _build_rename_error(old: Entry, new: Entry) -> Refused:
    return Refused(
        f"the edit would rename the entry to {new.dn.rdn}, but would not change the references to the entry",
        subject=str(old.dn),
        next_step=suggest_rename(old),
    )


def _may_be_renamed(tree: Tree, one: Entry, other: Entry) -> bool:
    """Return whether *one* was probably renamed to *other*: same class, same naming attribute, and similar values."""
    if find_structural_classes(tree.schema, one) != find_structural_classes(tree.schema, other):
        return False
    naming = {kind.lower() for kind, _ in one.dn.rdn.parts}
    if naming != {kind.lower() for kind, _ in other.dn.rdn.parts}:
        return False
    first, second = (_list_comparable_values(entry, naming) for entry in (one, other))
    all_values = first | second
    return not all_values or len(first & second) >= _MIN_SHARED_VALUES * len(all_values)


def _list_comparable_values(entry: Entry, naming: set[str]) -> frozenset[tuple[str, bytes]]:
    return frozenset(
        (attribute.name.lower(), value)
        for attribute in entry.attributes
        if attribute.name.lower() not in naming
        for value in attribute.values
    )
