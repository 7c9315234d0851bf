"""Recognise a plan or an undo file that cannot be applied again, because it is already applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dcmcfg.changes import Change, Modify, Operation
from dcmcfg.errors import DoesNotApply, Refused
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import DesiredChange, make_plan


@contextmanager
def report_applied_file(tree: Tree, desired: Sequence[DesiredChange]) -> Iterator[None]:
    """Raise :class:`Refused` in place of a :class:`DoesNotApply` of the block if *desired* is already applied."""
    try:
        yield
    except DoesNotApply:
        refuse_applied_file(tree, desired)
        raise


def refuse_applied_file(tree: Tree, desired: Sequence[DesiredChange]) -> None:
    """Raise :class:`Refused` if *desired*, of which *tree* refuses at least one change, is already applied."""
    if not is_applied(tree, desired):
        return
    files = dict.fromkeys(each.location.file for each in desired if each.location is not None)
    subject = "this file is" if len(files) <= 1 else "these files are"
    raise Refused(
        f"{subject} already applied: the directory has the result of every change, so nothing was changed",
        subject=", ".join(files),
    )


def is_applied(tree: Tree, desired: Sequence[DesiredChange]) -> bool:
    """Return whether all *desired* changes are strict, and *tree* has the result of every one of them."""
    if not all(each.strict for each in desired) or any(_has_other_value(tree, each.change) for each in desired):
        return False
    # Without the assertions, a change whose result exists requires no step.
    relaxed = [replace(each, change=replace(each.change, controls=()), strict=False) for each in desired]
    try:
        plan = make_plan(tree, relaxed)
    except DoesNotApply:
        return False
    return not plan.steps and not plan.typo_warnings


def _has_other_value(tree: Tree, change: Change) -> bool:
    """Return whether a single-valued attribute, which *change* removes, has a value in *tree*: somebody has set it."""
    entry = tree.get(change.dn)
    if entry is None or not isinstance(change, Modify):
        return False
    added = {each.name.lower() for each in change.modifications if each.operation is not Operation.DELETE}
    removed = [each.name for each in change.modifications if each.name.lower() not in added]
    return any(name in entry and not _is_multi_valued(tree, name) for name in removed)


def _is_multi_valued(tree: Tree, name: str) -> bool:
    definition = tree.schema.attribute(name)
    return definition is not None and not definition.single_valued
