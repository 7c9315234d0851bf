"""Whether changes of which nobody heard the answer were made."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.changes import Change
from dcmcfg.errors import DoesNotFit
from dcmcfg.plan import difference
from dcmcfg.plan.plan import Wanted, make_plan
from dcmcfg.rollout.touched import touched
from dcmcfg.tree import Tree


def are_made(tree: Tree, changes: Sequence[Change], undo: Sequence[Change]) -> bool | None:
    """Tell whether *tree*, as the server has it now, holds what *changes* make; None when neither that nor what was.

    Where they are made, taking them back by *undo* and making them again leads back to the same tree; where they are
    not, making them and taking them back does. Changes that come to nothing count as made.

    Octets decide first, because a change of case is a change; then the rules of the schema, because a server may give
    a value back in another spelling (a DN without its blanks).
    """
    made = False
    for exact in (True, False):
        made = _leads_back(tree, (*undo, *changes), exact=exact)
        if made != _leads_back(tree, (*changes, *undo), exact=exact):
            return made
    return made or None


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
