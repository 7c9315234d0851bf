"""The plan from a site's tree to the upgraded tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dcmcfg.changes import Add, Change, Delete, Modify
from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.upgrade.trees import UpgradeTree


def make_upgrade_plan(tree: Tree, result: UpgradeTree) -> Plan:
    """Return the plan from *tree* to *result*; an entry whose structural class changes is deleted and added again."""
    target = replace(tree, entries=result.entries, versions={})
    changes = diff_trees(tree, target, with_secrets=True).plan.changes
    return make_plan(tree, [DesiredChange(each, strict=True) for each in _split_class_changes(changes, tree, result)])


def _split_class_changes(changes: Sequence[Change], tree: Tree, result: UpgradeTree) -> Iterator[Change]:
    for change in changes:
        entry = result.get(change.dn)
        if isinstance(change, Modify) and entry is not None and _changes_structure(change, tree):
            if tree.children(change.dn):
                raise Refused(
                    "the release changes the structural class of the entry, which has entries below it",
                    subject=str(change.dn),
                    next_step="move the entries below it to another place, and try again",
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
