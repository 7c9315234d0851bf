"""Find the later changes of this account that prevent the undo of an older change.

Each function takes the key of an entry in a tree, and later changes in effect, the newest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from dcmcfg.changes import Change, Delete, Modify, Rename
from dcmcfg.dn import NormalDN, is_at_or_below
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.tree import Tree, canonicalise_name
from dcmcfg.rollout.reconciliation import collect_touched_dns
from dcmcfg.rollout.record import RolloutRecord


def find_conflicting(
    tree: Tree, key: NormalDN, record: RolloutRecord, later_rollouts: Sequence[RolloutRecord]
) -> tuple[RolloutRecord, ...]:
    """Return those of *later_rollouts* that have changed what *record* has changed in the entry *key*.

    The entry is followed through renames. If *record* has only modified the entry, a later change of other attributes
    does not count, nor does one of the entries below it.
    """
    attributes, keys = _find_modified_attributes(tree, key, record), {key}
    found: list[RolloutRecord] = []
    # A rename gives the entry a name for the changes after it, so the oldest change comes first.
    for later in reversed(later_rollouts):
        for change in _list_applied_changes(later):
            if later not in found and _conflicts(tree, change, keys, attributes):
                found.append(later)
            keys |= _get_new_names(tree, change, keys)
    return tuple(reversed(found))


def describe_removal(tree: Tree, key: NormalDN, later_rollouts: Sequence[RolloutRecord]) -> str:
    """Return a clause about the newest of *later_rollouts* that has deleted or renamed the entry *key*; empty if none.

    The rename of an entry above it renames the entry too.
    """
    for later in later_rollouts:
        for change in reversed(_list_applied_changes(later)):
            if isinstance(change, Delete) and tree.key(change.dn) == key:
                return f"change {later.number} deleted the entry"
            if isinstance(change, Rename) and is_at_or_below(key, tree.key(change.dn)):
                return f"change {later.number} renamed the entry"
    return ""


def describe_writers(
    tree: Tree, key: NormalDN, record: RolloutRecord, later_rollouts: Sequence[RolloutRecord]
) -> Iterator[str]:
    """Yield a clause about each of *later_rollouts* that has modified attributes of *record* in the entry *key*.

    An attribute is named only in the clause about the newest change.
    """
    attributes = _find_modified_attributes(tree, key, record)
    named: set[str] = set()
    for later in later_rollouts:
        changes = (each for each in _list_applied_changes(later) if isinstance(each, Modify))
        names = [
            name
            for change in changes
            if tree.key(change.dn) == key
            for name in _list_attributes(tree, change)
            if name.lower() not in named and (attributes is None or name.lower() in attributes)
        ]
        if names:
            named.update(map(str.lower, names))
            yield f"change {later.number} changed {', '.join(dict.fromkeys(names))}"


def _conflicts(tree: Tree, change: Change, keys: Iterable[NormalDN], attributes: frozenset[str] | None) -> bool:
    """Return whether *change* affects an entry that has one of the names *keys*, of which *attributes* matter."""
    changed_key = tree.key(change.dn)
    if isinstance(change, Rename) and any(is_at_or_below(key, changed_key) for key in keys):
        return True
    if attributes is None:
        touched = tuple(map(tree.key, collect_touched_dns((change,))))
        return any(is_at_or_below(each, key) for each in touched for key in keys)
    if changed_key not in keys:
        return False
    return not isinstance(change, Modify) or any(name.lower() in attributes for name in _list_attributes(tree, change))


def _get_new_names(tree: Tree, change: Change, keys: Iterable[NormalDN]) -> set[NormalDN]:
    """Return the names that *change* gives the entries *keys*; it may rename an entry above them."""
    if not isinstance(change, Rename):
        return set()
    old, new = tree.key(change.dn), tree.key(change.new_dn)
    return {key[: len(key) - len(old)] + new for key in keys if is_at_or_below(key, old)}


def _find_modified_attributes(tree: Tree, key: NormalDN, record: RolloutRecord) -> frozenset[str] | None:
    """Return the attributes, in lower case, of the entry *key*, if *record* has only modified the entry; else None."""
    names: set[str] = set()
    for change in _list_applied_changes(record):
        if key in map(tree.key, collect_touched_dns((change,))):
            if not isinstance(change, Modify):
                return None
            names.update(map(str.lower, _list_attributes(tree, change)))
    return frozenset(names) or None


def _list_attributes(tree: Tree, change: Modify) -> list[str]:
    return [canonicalise_name(tree.schema, each.name) for each in change.modifications]


def _list_applied_changes(record: RolloutRecord) -> Sequence[Change]:
    # An unreadable record must not hide the reason why the undo is refused.
    with suppress(DcmcfgError):
        return record.changes[: record.read_progress().applied]
    return ()
