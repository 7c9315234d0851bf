"""Split a plan into the steps for one transaction, and the steps that must be applied one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dcmcfg.changes import Delete, Rename
from dcmcfg.dn import AncestorIndex, NormalDN
from dcmcfg.model.tree import TreeDraft
from dcmcfg.plan.plan import Plan, PlanStep


@dataclass(frozen=True)
class PlanBatches:
    """The steps for one transaction, and the steps to apply one by one after it, in order; either may be empty."""

    transaction_steps: tuple[PlanStep, ...]
    single_steps: tuple[PlanStep, ...]


def split_plan(plan: Plan) -> PlanBatches:
    """Return the batches in which *plan* is applied on slapd with transactions.

    Before version 2.6.11, slapd cannot delete the last child of an entry in a transaction (result 80). The deletes of
    such a plan follow after the transaction, leaf first. If a later step depends on one of these deletes, all steps are
    applied one by one. The same is true for a rename with a new superior, which has crashed slapd in a transaction.
    """
    if any(isinstance(step.change, Rename) and step.change.new_superior is not None for step in plan.steps):
        return PlanBatches((), plan.steps)
    if not _deletes_a_last_child(plan):
        return PlanBatches(plan.steps, ())
    deletes = tuple(step for step in plan.steps if isinstance(step.change, Delete))
    others = tuple(step for step in plan.steps if not isinstance(step.change, Delete))
    if _builds_on_a_delete(plan):
        return PlanBatches((), plan.steps)
    return PlanBatches(others, deletes)


def _deletes_a_last_child(plan: Plan) -> bool:
    if not any(isinstance(step.change, Delete) for step in plan.steps):
        return False
    draft = TreeDraft(plan.before)
    for step in plan.steps:
        if isinstance(step.change, Delete) and draft.count_children(step.change.dn.parent) == 1:
            return True
        # Earlier steps may have added or removed siblings.
        draft.apply(step.change)
    return False


def _builds_on_a_delete(plan: Plan) -> bool:
    """Return whether a step after a delete uses the deleted name again, or renames an ancestor of it."""
    deleted = AncestorIndex()
    above_deleted: set[NormalDN] = set()
    for step in plan.steps:
        change, key = step.change, plan.before.key(step.change.dn)
        match change:
            case Delete():
                # The postponed deletes keep their order, so a delete may follow deletes of entries below it.
                deleted.add(key)
                above_deleted.update(_iterate_ancestors(key))
                continue
            # After such a rename, a postponed delete would name an entry that no longer exists.
            case Rename() if key in above_deleted or deleted.find_nearest(plan.before.key(change.new_dn)) is not None:
                return True
        if deleted.find_nearest(key) is not None:
            return True
    return False


def _iterate_ancestors(key: NormalDN) -> Iterator[NormalDN]:
    return (key[depth:] for depth in range(len(key) + 1))
