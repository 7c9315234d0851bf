"""Determine whether changes whose response was lost were applied, and whether the directory has the planned state.

This module also reads the entries that changes affect, and waits for pending writes of a closed connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.directory.failures import UNAVAILABLE_CRITICAL_EXTENSION
from dcmcfg.directory.server import Directory
from dcmcfg.directory.transaction import NONEXISTENT_VALUE
from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, DoesNotApply, NotFound
from dcmcfg.model.tree import Tree
from dcmcfg.plan import assertions, entry_diff
from dcmcfg.plan.assertions import Not, Present
from dcmcfg.plan.hashed_passwords import PASSWORD, substitute_given_passwords
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.schema_names import OBJECT_CLASS, USER_PASSWORD

#: Reading an entry with its own request costs this number of times more than reading it with its subtree.
_SINGLE_READ_COST = 20
#: Up to this number of entries, single reads are used without counting the subtree.
_MAX_SINGLE_READS = 20


def collect_touched_dns(changes: Iterable[Change]) -> tuple[DN, ...]:
    """Return the DNs that *changes* affect, in order, each once."""
    names: dict[DN, None] = {}
    for change in changes:
        names[change.dn] = None
        if isinstance(change, Rename):
            names[change.new_dn] = None
    return tuple(names)


def read_entries(
    directory: Directory, tree: Tree, names: Iterable[DN], attributes: Sequence[str] = ("*",)
) -> Mapping[NormalDN, Entry]:
    """Return the existing entries of *names* with *attributes*, by the keys of *tree*.

    They are read one by one, or with one search of their common subtree if that is faster. *tree*, which contains most
    of them, is used to estimate the size of the subtree. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    dns_by_key = {tree.key(dn): dn for dn in names}
    base = _find_common_base(tree, dns_by_key) if len(dns_by_key) > _MAX_SINGLE_READS else None
    if base is None:
        entries = {key: directory.read_entry(dn, attributes) for key, dn in dns_by_key.items()}
        return {key: entry for key, entry in entries.items() if entry is not None}
    try:
        found = directory.read(base, "subtree", attributes)
    except NotFound:
        return {}
    keyed = ((tree.key(entry.dn), entry) for entry in found)
    return {key: entry for key, entry in keyed if key in dns_by_key}


def _find_common_base(tree: Tree, keys_to_find: Iterable[NormalDN]) -> DN | None:
    """Return the nearest common ancestor of *keys_to_find* in *tree*, or None if its subtree is too large."""
    keys = list(keys_to_find)
    shortest = min(keys, key=len)
    common = next(
        suffix
        for suffix in _iterate_dn_suffixes(shortest)
        if all(key[len(key) - len(suffix) :] == suffix for key in keys)
    )
    base = next((suffix for suffix in _iterate_dn_suffixes(common) if suffix in tree.entries), None)
    if base is None:
        return None
    size = sum(key[len(key) - len(base) :] == base for key in tree.entries)
    return tree.entries[base].dn if size <= _SINGLE_READ_COST * len(keys) else None


def _iterate_dn_suffixes(key: NormalDN) -> Iterable[NormalDN]:
    return (key[depth:] for depth in range(len(key) + 1))


def are_applied(tree: Tree, changes: Sequence[Change], undo: Sequence[Change]) -> bool | None:
    """Return whether *changes* are applied in *tree*, the current state of the server.

    Returns None if the tree matches neither the before nor the after state. If *changes* are applied, reverting them
    with *undo* and applying them again restores the same tree. If they are not, applying and reverting them does.
    Changes without an effect count as applied.

    First, octets are compared, because a change of case is a change. Then the rules of the schema are used, because a
    server may return a value in another spelling (a DN without its spaces).
    """
    for exact in (True, False):
        if (applied := _are_applied_by(tree, changes, undo, exact=exact)) is not None:
            return applied
    return _restores_tree(tree, (*undo, *changes), exact=False) or None


def count_applied_steps(tree: Tree, record: RolloutRecord, first: int, last: int) -> int | None:
    """Return the number of steps *first* to *last* (1-based) of *record* that are applied in *tree*.

    Usually, these are all steps or none. After a transaction, a server that does not roll back may have applied only
    the first steps. Returns None if *tree* matches none of these states.
    """
    changes, undo = record.changes[first - 1 : last], record.get_undo_changes(last, first)
    for exact in (True, False):
        if (applied := _are_applied_by(tree, changes, undo, exact=exact)) is not None:
            return len(changes) if applied else 0
        if (count := _count_first_applied(tree, record, first, last, exact=exact)) is not None:
            return count
    return len(changes) if are_applied(tree, changes, undo) else None


def _count_first_applied(tree: Tree, record: RolloutRecord, first: int, last: int, *, exact: bool) -> int | None:
    """Return the number of applied steps, if only the first ones (not all, not none) are applied; else None."""
    changes = record.changes[first - 1 : last]
    for count in range(len(changes) - 1, 0, -1):
        step, end = changes[count - 1], first + count - 1
        if (
            # The cheap checks come first; the last two plan all steps of the transaction.
            _may_be_applied(tree, step)
            and _are_applied_by(tree, [step], record.get_undo_changes(end, end), exact=exact)
            and _are_applied_by(tree, changes[:count], record.get_undo_changes(end, first), exact=exact)
            and _are_applied_by(tree, changes[count:], record.get_undo_changes(last, end + 1), exact=exact) is False
        ):
            return count
    return None


def _are_applied_by(tree: Tree, changes: Sequence[Change], undo: Sequence[Change], *, exact: bool) -> bool | None:
    """Return whether *changes* are applied; None if both or neither is possible."""
    applied = _restores_tree(tree, (*undo, *changes), exact=exact)
    return None if applied == _restores_tree(tree, (*changes, *undo), exact=exact) else applied


def _may_be_applied(tree: Tree, change: Change) -> bool:
    """Return whether *change* may be the last applied one, by names only; a cheap check before the exact one."""
    match change:
        case Add() | Modify():
            return change.dn in tree
        case Rename():
            return change.new_dn in tree
        case Delete():
            return change.dn not in tree


def _restores_tree(tree: Tree, changes: Sequence[Change], *, exact: bool) -> bool:
    try:
        # A strict change is refused if it is already set, so that only the right direction can succeed.
        result = make_plan(tree, [DesiredChange(change, strict=True) for change in changes]).after
    except DoesNotApply:
        return False
    for dn in collect_touched_dns(changes):
        before, after = tree.get(dn), result.get(dn)
        if before is None or after is None:
            if before is not after:
                return False
        elif entry_diff.compute_modifications(before, after, tree.schema) and (
            exact or not entry_diff.are_equal(before, after, tree.schema)
        ):
            return False
    return True


def find_first_difference(directory: Directory, plan: Plan) -> DN | None:
    """Return the first DN of *plan* at which *directory* differs from the planned state, by the rules of the schema.

    For a rename, all entries below it are checked too, with the spelling of the new name in each DN. Returns None if
    everything is as planned. Raises :class:`~dcmcfg.errors.DirectoryError`.
    """
    tree = plan.after
    renamed = _list_renamed_keys(plan)
    names = tuple(dict.fromkeys((*collect_touched_dns(plan.changes), *_iterate_names_below_renamed(plan, renamed))))
    entries = read_entries(directory, tree, names)
    for dn in names:
        key = tree.key(dn)
        found, planned = entries.get(key), tree.get(dn)
        if found is None or planned is None:
            if found is not planned:
                return dn
        elif not entry_diff.are_equal(substitute_planned_passwords(found, planned), planned, tree.schema):
            return dn
        elif not all(_is_spelt_alike(found.dn, planned.dn, depth) for depth in _iterate_depths(key, renamed)):
            return planned.dn
    return None


def _list_renamed_keys(plan: Plan) -> frozenset[NormalDN]:
    """Return the old and new names of the entries that *plan* renames."""
    renames = (change for change in plan.changes if isinstance(change, Rename))
    return frozenset(plan.after.key(dn) for change in renames for dn in (change.dn, change.new_dn))


def _iterate_names_below_renamed(plan: Plan, renamed: frozenset[NormalDN]) -> Iterator[DN]:
    """Yield the names of the entries below *renamed*, after *plan* and before it."""
    for tree in (plan.after, plan.before) if renamed else ():
        for key, entry in tree.entries.items():
            if next(_iterate_depths(key, renamed), None) is not None:
                yield entry.dn


def _iterate_depths(key: NormalDN, renamed: frozenset[NormalDN]) -> Iterator[int]:
    """Yield the depths in the name *key* at which the names of *renamed* start that it is at or below."""
    return (depth for depth in range(len(key)) if key[depth:] in renamed)


def _is_spelt_alike(found: DN, planned: DN, depth: int) -> bool:
    """Return whether the RDN at *depth* has the same values, including case; servers may merge spaces in a name."""
    one, other = (sorted(" ".join(text.split()) for _, text in dn.rdns[depth].parts) for dn in (found, planned))
    return one == other


def substitute_planned_passwords(found: Entry, planned: Entry) -> Entry:
    """Return *found* with the passwords of *planned* in place of their hashes (RFC 3112: ``{SCHEME}…``)."""
    stored, given = found.values(PASSWORD), planned.values(PASSWORD)
    substituted = substitute_given_passwords(stored, given)
    return found if substituted == stored else found.with_values(USER_PASSWORD, substituted)


def wait_for_pending_writes(directory: Directory) -> None:
    """Wait until *directory* has finished or dropped the writes that were pending at the time of the call.

    A server continues a commit after its connection is gone, while readers still see the old tree: 10,000 changes take
    some seconds. It processes writes one after the other (back-mdb has one write transaction). So this function sends a
    change that must fail, and its response arrives after all pending writes. The change asserts a condition that no
    entry meets, and deletes a value that no entry has. On a server without the assertion control, the second part is
    enough. Raises :class:`DirectoryError` if no response arrives.
    """
    nowhere = assertions.build_control([Not(Present(OBJECT_CLASS))])
    nothing = Modification(Operation.DELETE, "description", (NONEXISTENT_VALUE,))
    for controls in (nowhere, ()):
        try:
            directory.apply(Modify(directory.server.base_dn, (nothing,), controls))
        except NotFound:  # an empty server
            return
        except DirectoryError as refused:
            if refused.result_code is None:  # not the server's own answer
                raise
            if refused.result_code != UNAVAILABLE_CRITICAL_EXTENSION:
                return
