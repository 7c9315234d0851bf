"""The plan from a site's tree to the upgraded tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dcmcfg.changes import Add, Change, Delete, Modify
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, PlanStep, make_plan
from dcmcfg.plan.preconditions import add_default_assertions, derive_modify_preconditions
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.plan.versions import assert_known_versions, changes_present_values
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.upgrade.trees import UpgradeTree


def make_upgrade_plan(tree: Tree, result: UpgradeTree) -> Plan:
    """Return the plan from *tree* to *result*; an entry whose structural class changes is deleted and added again.

    The plan does not apply if somebody changes one of its attributes meanwhile, also by one more value. A change of
    other attributes does not matter in entries of which the plan changes only attributes with a single value.
    """
    target = replace(tree, entries=result.entries, versions={})
    changes = diff_trees(tree, target, with_secrets=True).plan.changes
    plan = make_plan(tree, [DesiredChange(each, strict=True) for each in _split_class_changes(changes, tree, result)])
    plan = replace(plan, steps=tuple(_assert_read_values(each, tree.schema) for each in plan.steps))
    return assert_known_versions(plan, lambda step: changes_present_values(step, tree.schema))


def _assert_read_values(step: PlanStep, schema: Schema) -> PlanStep:
    """Return *step* with assertions of the values that a modify removes, and of attributes that are not there."""
    change, before = step.change, step.before
    if not isinstance(change, Modify) or before is None:
        return step
    filters = derive_modify_preconditions(before, change.modifications, schema, None)
    return replace(step, change=add_default_assertions(change, filters))


def _split_class_changes(changes: Sequence[Change], tree: Tree, result: UpgradeTree) -> Iterator[Change]:
    for change in changes:
        entry = result.get(change.dn)
        if isinstance(change, Modify) and entry is not None and _changes_structure(change, tree):
            if tree.children(change.dn):
                raise Refused(
                    "the release changes the structural class of the entry, but the entry has child entries",
                    subject=str(change.dn),
                    next_step="move the child entries to another place, and try again",
                )
            yield Delete(change.dn)
            yield Add(entry)
        else:
            yield change


def _changes_structure(change: Modify, tree: Tree) -> bool:
    """Return whether *change* replaces the structural object class, which a server refuses (result 69)."""
    current = tree.get(change.dn)
    for each in change.modifications:
        if each.name.lower() == OBJECT_CLASS.lower() and current is not None:
            for name in {value.decode(errors="replace").lower() for value in each.values}:
                definition = tree.schema.object_class(name)
                if definition is not None and definition.kind == "structural":
                    return True
    return False
