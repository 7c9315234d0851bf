"""Plan the part of an undo that is still applicable after later changes of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcmcfg.directory.server import Directory
from dcmcfg.errors import ChangeInProgress, DoesNotApply, Refused
from dcmcfg.model.tree import Tree, TreeDraft
from dcmcfg.plan.plan import DesiredChange, InapplicableChange, Plan, StepCheck, plan_applicable
from dcmcfg.rollout.history import History
from dcmcfg.rollout.reconciliation import are_applied
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.rollout.recovery import find_lost_changes, format_manual_repair, reconcile_interrupted


def reconcile_if_possible(
    state: Path, directory: Directory, *, shared_folder: Path | None = None
) -> RolloutRecord | None:
    """Run :func:`reconcile_interrupted`; a roll-out that cannot be reconciled is returned unchanged.

    Raises :class:`ChangeInProgress` while another roll-out is in progress, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    try:
        return reconcile_interrupted(state, directory, shared_folder=shared_folder)
    except ChangeInProgress:
        raise
    except Refused:
        return History(state).find_unfinished(directory.server.url)


def plan_partial_undo(
    record: RolloutRecord, tree: Tree, check_step: StepCheck | None = None
) -> tuple[Plan, tuple[InapplicableChange, ...]]:
    """Return the plan that reverts the steps of *record* that *tree* still allows, and the undo changes of the others.

    A step is reverted as a whole or not at all; *check_step* may refuse steps too. A step is also omitted if its undo
    would lose a later change by somebody. Steps that were in progress at the interruption, but were not applied, are
    skipped.
    """
    steps = _list_applied_steps(record, tree)
    inapplicable: dict[int, dict[int, DoesNotApply]] = {}
    while True:
        undo = {
            number: [DesiredChange(change, strict=True) for change in record.get_undo_changes(number, number)]
            for number in steps
        }
        applicable = [number for number in steps if number not in inapplicable]
        plan, problems_found = plan_applicable(
            tree, [desired for number in applicable for desired in undo[number]], check_step
        )
        # Undo changes of different steps may be equal, so they are identified as objects.
        problems = {id(each.desired): each.problem for each in problems_found}
        newly_inapplicable = {
            number: {
                index: problems[id(desired)] for index, desired in enumerate(undo[number]) if id(desired) in problems
            }
            for number in applicable
        }
        newly_inapplicable = {
            number: found for number, found in newly_inapplicable.items() if found
        } or _find_lost_changes(record, plan, applicable)
        # A refused step may be required by another one, so plan again without it, until no further step is refused.
        if not newly_inapplicable:
            return plan, tuple(
                each
                for number in steps
                if number in inapplicable
                for each in _build_inapplicable_changes(undo, inapplicable, number)
            )
        inapplicable |= newly_inapplicable


def format_nothing_undoable(record: RolloutRecord) -> str:
    """Return the warning that nothing of *record* can be reverted, with the manual repair if it is unfinished."""
    finished = record.read_progress().applied == record.header.steps
    hint = "" if finished else f"; {format_manual_repair(record)}"
    return (
        f"dcmcfg can no longer revert any step of change {record.number}, because the configuration has changed since "
        f"then (to list the later changes: dcmcfg history){hint}"
    )


def _list_applied_steps(record: RolloutRecord, tree: Tree) -> tuple[int, ...]:
    """Return the numbers of the steps that were applied, or may have been, the last one first."""
    progress = record.read_progress()
    unknown = (
        number
        for number in range(progress.applied + progress.started, progress.applied, -1)
        if are_applied(tree, record.changes[number - 1 : number], record.get_undo_changes(number, number)) is not False
    )
    return (*unknown, *range(progress.applied, 0, -1))


def _build_inapplicable_changes(
    undo: dict[int, list[DesiredChange]], inapplicable: dict[int, dict[int, DoesNotApply]], number: int
) -> tuple[InapplicableChange, ...]:
    problems = inapplicable[number]
    (first, *_) = problems.values()
    return tuple(
        InapplicableChange(desired, problems.get(index) or _build_dependent_problem(desired, first))
        for index, desired in enumerate(undo[number])
    )


def _build_dependent_problem(desired: DesiredChange, problem: DoesNotApply) -> DoesNotApply:
    return DoesNotApply(
        f"dcmcfg reverts this step only as a whole, but one part cannot be reverted ({problem.message})",
        subject=str(desired.change.dn),
    )


def _find_lost_changes(
    record: RolloutRecord, plan: Plan, applicable: Sequence[int]
) -> dict[int, dict[int, DoesNotApply]]:
    """Return the steps of *applicable* whose undo, as part of *plan*, would lose a later change by somebody."""
    draft = TreeDraft(plan.after)
    for number in reversed(applicable):
        try:
            draft.apply(record.changes[number - 1])
        except DoesNotApply:  # it depends on a step that is not reverted, or is no longer applicable
            continue
    reapplied = draft.build_tree()
    found: dict[int, dict[int, DoesNotApply]] = {}
    for number in applicable:
        for dn, names in find_lost_changes(plan.before, reapplied, record.changes[number - 1 : number]):
            message = f"somebody has changed {', '.join(names)}, and the undo would overwrite the new values"
            found[number] = {0: DoesNotApply(message, subject=str(dn), changed_dn=str(dn))}
    return found
