"""Whether changes of which nobody heard the answer were made."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.changes import Add, Change, Delete, Modify, Rename
from dcmcfg.errors import DoesNotFit
from dcmcfg.model.tree import Tree
from dcmcfg.plan import difference
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.touched import touched


def are_made(tree: Tree, changes: Sequence[Change], undo: Sequence[Change]) -> bool | None:
    """Tell whether *tree*, as the server has it now, holds what *changes* make; None when neither that nor what was.

    Where they are made, taking them back by *undo* and making them again leads back to the same tree; where they are
    not, making them and taking them back does. Changes that come to nothing count as made.

    Octets decide first, because a change of case is a change; then the rules of the schema, because a server may give
    a value back in another spelling (a DN without its blanks).
    """
    for exact in (True, False):
        if (made := _verdict(tree, changes, undo, exact=exact)) is not None:
            return made
    return _leads_back(tree, (*undo, *changes), exact=False) or None


def how_many_made(tree: Tree, record: Record, first: int, last: int) -> int | None:
    """Return how many of the steps *first* to *last* (1-based) of *record* are made in *tree*; None if nothing fits.

    All or none of them, as a rule. Of a transaction, a server that does not roll back leaves the first ones.
    """
    changes, undo = record.changes[first - 1 : last], record.undo(last, first)
    for exact in (True, False):
        if (made := _verdict(tree, changes, undo, exact=exact)) is not None:
            return len(changes) if made else 0
        if (count := _first_made(tree, record, first, last, exact=exact)) is not None:
            return count
    return len(changes) if are_made(tree, changes, undo) else None


def _first_made(tree: Tree, record: Record, first: int, last: int, *, exact: bool) -> int | None:
    """Return how many steps are made, where it is the first of them, but neither all nor none."""
    changes = record.changes[first - 1 : last]
    for count in range(len(changes) - 1, 0, -1):
        step, end = changes[count - 1], first + count - 1
        if (
            _may_be_made(tree, step)
            and _verdict(tree, [step], record.undo(end, end), exact=exact)
            and _verdict(tree, changes[:count], record.undo(end, first), exact=exact)
            and _verdict(tree, changes[count:], record.undo(last, end + 1), exact=exact) is False
        ):
            return count
    return None


def _verdict(tree: Tree, changes: Sequence[Change], undo: Sequence[Change], *, exact: bool) -> bool | None:
    """Return whether *changes* are made; None where both could be, or neither."""
    made = _leads_back(tree, (*undo, *changes), exact=exact)
    return None if made == _leads_back(tree, (*changes, *undo), exact=exact) else made


def _may_be_made(tree: Tree, change: Change) -> bool:
    """Tell by the names alone whether *change* may be the last one made; for a first look that costs little."""
    match change:
        case Add() | Modify():
            return change.dn in tree
        case Rename():
            return change.new_dn in tree
        case Delete():
            return change.dn not in tree


def _leads_back(tree: Tree, changes: Sequence[Change], *, exact: bool) -> bool:
    try:
        there = make_plan(tree, [Wanted(change, strict=True) for change in changes]).after
    except DoesNotFit:
        return False
    for dn in touched(changes):
        one, other = tree.get(dn), there.get(dn)
        if one is None or other is None:
            if one is not other:
                return False
        elif difference.between(one, other, tree.schema) and (exact or not difference.same(one, other, tree.schema)):
            return False
    return True
