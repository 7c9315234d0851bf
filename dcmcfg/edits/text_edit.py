"""Edits that a user made to entries shown as text."""

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

#: An entry that is new, and shares so much with a removed sibling, was renamed.
_MIN_SHARED_VALUES = 0.5


@dataclass(frozen=True)
class ShownEntry:
    """An entry as it is shown, with the values that are ``hidden``: they stay whatever is done to the text."""

    entry: Entry
    hidden: tuple[Attribute, ...] = ()


def hide_secrets(entry: Entry, *, with_secrets: bool) -> ShownEntry:
    """Return *entry* as it is shown, unless *with_secrets* without its secrets and the vendor's data."""
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
    """Return the edit that makes of the entries *before*, of *tree*, those *after*.

    An entry that is missing there is deleted, one that was not shown is added, and of the others those attributes
    change that differ from what was shown. Raises :class:`Refused` for an entry that is given twice, one that exists
    and was not shown, one that bears another name (a rename has to change what refers to it too, unless the text does
    that by itself), and one of which ``dcmcfg check`` would call something new an error, by *schema*.
    """
    shown = {tree.key(each.entry.dn): each for each in before}
    edited: dict[NormalDN, Entry] = {}
    for entry in (_canonicalise_names(tree, each) for each in after):
        key = tree.key(entry.dn)
        if key in edited:
            raise Refused("the entry stands in the text twice", subject=str(entry.dn))
        if key not in shown and key in tree.entries:
            raise Refused(
                "the entry exists and was not part of the text",
                subject=str(entry.dn),
                next_step="edit it by its own name",
            )
        edited[key] = entry
    _refuse_renames(tree, shown, edited)
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
    """Return the keys of *entries*, parents first, and connections before what beside them may refer to them.

    Should it stop half-way, no reference leads nowhere: the archive would lose the whole device.
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
            hidden_values = ()  # what was not shown is replaced
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
                if removed[1:] != key[1:] or not _may_be_renamed(tree, shown[removed].entry, entry):
                    continue
                if not _replaces_in_references(tree, shown, edited, removed=removed, new=key):
                    raise _build_rename_error(shown[removed].entry, entry)


def _replaces_in_references(tree: Tree, shown: _Before, edited: _After, *, removed: NormalDN, new: NormalDN) -> bool:
    """Return whether the text has everything that referred to the entry *removed* by its DN refer to *new*.

    Then nothing is lost with the old entry, unless it has a name that others know, or values that were not shown.
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
    """Yield what each reference by DN leads to, whether it is there or not."""
    for reference in references.all:
        if reference.kind is EntityKind.ENTRY:
            with suppress(MalformedInput):
                yield references.tree.key(DN.parse(reference.name))


def _build_rename_error(old: Entry, new: Entry) -> Refused:
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
