"""Determine whether changes whose response was lost were applied, and whether the directory holds what was planned.

That includes the entries that changes touch, as the directory holds them now, and waiting for what a server may still
be writing for a connection that has ended.
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

#: An entry costs so many times more by a request of its own than among the others of its subtree.
_SINGLE_READ_COST = 20
#: So few are not worth the counting.
_MAX_SINGLE_READS = 20


def collect_touched_dns(changes: Iterable[Change]) -> tuple[DN, ...]:
    """Return the DNs that *changes* name, each once in their order."""
    names: dict[DN, None] = {}
    for change in changes:
        names[change.dn] = None
        if isinstance(change, Rename):
            names[change.new_dn] = None
    return tuple(names)


def read_entries(
    directory: Directory, tree: Tree, names: Iterable[DN], attributes: Sequence[str] = ("*",)
) -> Mapping[NormalDN, Entry]:
    """Return by the keys of *tree* those of the entries called *names* that exist, with *attributes*.

    They are read one by one, or where that is quicker by one search of the subtree that holds them all; *tree*, in
    which most of them are, shows how large it is. Raises :class:`~dcmcfg.errors.DirectoryError`.
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
    """Return the entry of *tree* below which all *keys_to_find* ones are, or None where too much else is there too."""
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
    """Tell whether *tree*, as the server has it now, holds what *changes* make; None if it is neither before nor after.

    Where they are made, reverting them by *undo* and making them again leads back to the same tree; where they are
    not, making them and reverting them does. Changes that come to nothing count as made.

    Octets decide first, because a change of case is a change; then the rules of the schema, because a server may give
    a value back in another spelling (a DN without its blanks).
    """
    for exact in (True, False):
        if (applied := _are_applied_by(tree, changes, undo, exact=exact)) is not None:
            return applied
    return _restores_tree(tree, (*undo, *changes), exact=False) or None


def count_applied_steps(tree: Tree, record: RolloutRecord, first: int, last: int) -> int | None:
    """Return how many of the steps *first* to *last* (1-based) of *record* are made in *tree*; None if nothing fits.

    All or none of them, as a rule. Of a transaction, a server that does not roll back leaves the first ones.
    """
    changes, undo = record.changes[first - 1 : last], record.get_undo_changes(last, first)
    for exact in (True, False):
        if (applied := _are_applied_by(tree, changes, undo, exact=exact)) is not None:
            return len(changes) if applied else 0
        if (count := _count_first_applied(tree, record, first, last, exact=exact)) is not None:
            return count
    return len(changes) if are_applied(tree, changes, undo) else None


def _count_first_applied(tree: Tree, record: RolloutRecord, first: int, last: int, *, exact: bool) -> int | None:
    """Return how many steps are made, where it is the first of them, but neither all nor none."""
    changes = record.changes[first - 1 : last]
    for count in range(len(changes) - 1, 0, -1):
        step, end = changes[count - 1], first + count - 1
        if (
            _may_be_applied(tree, step)
            and _are_applied_by(tree, [step], record.get_undo_changes(end, end), exact=exact)
            and _are_applied_by(tree, changes[:count], record.get_undo_changes(end, first), exact=exact)
            and _are_applied_by(tree, changes[count:], record.get_undo_changes(last, end + 1), exact=exact) is False
        ):
            return count
    return None


def _are_applied_by(tree: Tree, changes: Sequence[Change], undo: Sequence[Change], *, exact: bool) -> bool | None:
    """Return whether *changes* are made; None where both could be, or neither."""
    applied = _restores_tree(tree, (*undo, *changes), exact=exact)
    return None if applied == _restores_tree(tree, (*changes, *undo), exact=exact) else applied


def _may_be_applied(tree: Tree, change: Change) -> bool:
    """Tell by the names alone whether *change* may be the last one made; for a first look that costs little."""
    match change:
        case Add() | Modify():
            return change.dn in tree
        case Rename():
            return change.new_dn in tree
        case Delete():
            return change.dn not in tree


def _restores_tree(tree: Tree, changes: Sequence[Change], *, exact: bool) -> bool:
    try:
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
    """Return the first DN that *plan* touches at which *directory* is not as planned, by the rules of the schema.

    Of a rename that is every entry below as well, and the spelling of the new name in each DN. None is everything as
    planned. Raises :class:`~dcmcfg.errors.DirectoryError`.
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
    """Return the names, old and new, of the entries that *plan* renames."""
    renames = (change for change in plan.changes if isinstance(change, Rename))
    return frozenset(plan.after.key(dn) for change in renames for dn in (change.dn, change.new_dn))


def _iterate_names_below_renamed(plan: Plan, renamed: frozenset[NormalDN]) -> Iterator[DN]:
    """Yield the names that the entries below those *renamed* have after *plan*, and those that they had before it."""
    for tree in (plan.after, plan.before) if renamed else ():
        for key, entry in tree.entries.items():
            if next(_iterate_depths(key, renamed), None) is not None:
                yield entry.dn


def _iterate_depths(key: NormalDN, renamed: frozenset[NormalDN]) -> Iterator[int]:
    """Yield where in the name *key* the names stand of those *renamed* that it is at or below."""
    return (depth for depth in range(len(key)) if key[depth:] in renamed)


def _is_spelt_alike(found: DN, planned: DN, depth: int) -> bool:
    """Return whether the RDN at *depth* has the same values, case included; servers may fold the blanks in a name."""
    one, other = (sorted(" ".join(text.split()) for _, text in dn.rdns[depth].parts) for dn in (found, planned))
    return one == other


def substitute_planned_passwords(found: Entry, planned: Entry) -> Entry:
    """Return *found* with the passwords of *planned* where the server has hashed them (RFC 3112: ``{SCHEME}…``)."""
    stored, given = found.values(PASSWORD), planned.values(PASSWORD)
    substituted = substitute_given_passwords(stored, given)
    return found if substituted == stored else found.with_values(USER_PASSWORD, substituted)


def wait_for_pending_writes(directory: Directory) -> None:
    """Return once *directory* has made, or dropped, what it was writing when this was called.

    A server goes on with a commit whose connection is gone, while readers still see the tree from before: 10,000
    changes take it some seconds. It writes one request after the other (the one write transaction of back-mdb), so
    that the answer to a change which cannot be made comes after what was under way. That one asserts what holds of no
    entry, and would take away a value that none has; where the server has no assertion control, the latter alone has to
    do. Raises :class:`DirectoryError` when no answer comes.
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
