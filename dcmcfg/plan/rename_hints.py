"""Hints for changes of entries that an earlier roll-out has renamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dcmcfg.changes import Add, Rename
from dcmcfg.dn import DN, is_at_or_below
from dcmcfg.errors import DoesNotApply
from dcmcfg.model.tree import Tree
from dcmcfg.plan.plan import InapplicableChange, add_location

_NO_SUCH_ENTRY = 32


@dataclass(frozen=True)
class PastRename:
    """A rename by the roll-out ``rollout_number``; ``time_text`` is its time in UTC, formatted for output.

    With ``is_partly_undone``, the roll-out was reverted in part, so ``dcmcfg undo`` cannot revert it again.
    """

    rename: Rename
    rollout_number: int
    time_text: str
    is_partly_undone: bool = False


def concerns_missing_entry(inapplicable: InapplicableChange) -> bool:
    """Return whether *inapplicable* cannot be applied because an entry is missing."""
    return inapplicable.problem.result_code == _NO_SUCH_ENTRY


def add_rename_hints(
    inapplicable: Sequence[InapplicableChange], tree: Tree, past_renames: Sequence[PastRename]
) -> tuple[InapplicableChange, ...]:
    """Return *inapplicable* with the new names of entries that *past_renames* (oldest first) have renamed.

    Only names that exist in *tree* are added.
    """
    return tuple(
        _add_rename_hint(each, tree, past_renames) if concerns_missing_entry(each) else each for each in inapplicable
    )


def _add_rename_hint(
    inapplicable: InapplicableChange, tree: Tree, past_renames: Sequence[PastRename]
) -> InapplicableChange:
    for dn in _find_missing_entries(inapplicable, tree):
        name, applied_renames = _follow_renames(dn, tree, past_renames)
        if applied_renames and name in tree:
            rollouts = " and ".join(f"change {each.rollout_number} ({each.time_text})" for each in applied_renames)
            undo_hint = (
                f"; to revert the rename: dcmcfg undo {applied_renames[0].rollout_number}"
                # After several renames, one undo would not restore the name in the file.
                if len(applied_renames) == 1 and not applied_renames[0].is_partly_undone
                else ""
            )
            problem = DoesNotApply(
                f"no such entry: {rollouts} renamed the entry to {name}",
                subject=str(dn),
                next_step=f"use the new name in the file{undo_hint}",
                result_code=_NO_SUCH_ENTRY,
            )
            return replace(inapplicable, problem=add_location(problem, inapplicable.desired.location))
    return inapplicable


def _find_missing_entries(inapplicable: InapplicableChange, tree: Tree) -> Iterator[DN]:
    """Yield the entries that the change requires, but that are missing in *tree*."""
    change = inapplicable.desired.change
    new_superior = change.new_superior if isinstance(change, Rename) else None
    for dn in (change.dn.parent if isinstance(change, Add) else change.dn, new_superior):
        if dn is not None and dn not in tree:
            yield dn


def _follow_renames(dn: DN, tree: Tree, past_renames: Sequence[PastRename]) -> tuple[DN, list[PastRename]]:
    """Return the name of the entry *dn* after *past_renames*, and those of them that changed it."""
    applied_renames = []
    for each in past_renames:
        if is_at_or_below(tree.key(dn), tree.key(each.rename.dn)):
            dn = dn.rebased(each.rename.dn, each.rename.new_dn)
            applied_renames.append(each)
    return dn, applied_renames
