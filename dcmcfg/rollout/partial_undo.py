"""The part of an undo that still fits, where others have changed the configuration since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dcmcfg.directory.server import Directory
from dcmcfg.errors import DoesNotFit, Refused, UnderWay
from dcmcfg.model.tree import Draft, Tree
from dcmcfg.plan.plan import Misfit, Plan, Refusal, Wanted, plan_fitting
from dcmcfg.rollout.history import History
from dcmcfg.rollout.reconciliation import are_made
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.unfinished import by_hand, losses, settle


def settle_where_possible(state: Path, directory: Directory) -> Record | None:
    """Do as :func:`settle` does, and return a roll-out that cannot be settled as it is.

    Raises :class:`UnderWay` while another roll-out is under way, and :class:`~dcmcfg.errors.DirectoryError`.
    """
    try:
        return settle(state, directory)
    except UnderWay:
        raise
    except Refused:
        return History(state).unfinished(directory.server.url)


def plan_what_fits(record: Record, tree: Tree, refusal: Refusal | None = None) -> tuple[Plan, tuple[Misfit, ...]]:
    """Return the plan that reverts those steps of *record* that *tree* still allows, and the undo of the others.

    A step is reverted as a whole or not at all; *refusal* has a say in what fits. A step whose undo would lose a change
    that somebody made since is left out too. Of the steps that were under way when the roll-out was cut off, those that
    are not made are passed over.
    """
    steps = _steps(record, tree)
    left: dict[int, dict[int, DoesNotFit]] = {}
    while True:
        undo = {number: [Wanted(change, strict=True) for change in record.undo(number, number)] for number in steps}
        fitting = [number for number in steps if number not in left]
        plan, misfits = plan_fitting(tree, [wanted for number in fitting for wanted in undo[number]], refusal)
        problems = {id(misfit.wanted): misfit.problem for misfit in misfits}
        more = {
            number: {place: problems[id(wanted)] for place, wanted in enumerate(undo[number]) if id(wanted) in problems}
            for number in fitting
        }
        more = {number: found for number, found in more.items() if found} or _lost(record, plan, fitting)
        if not more:
            return plan, tuple(misfit for number in steps if number in left for misfit in _misfits(undo, left, number))
        left |= more


def nothing_fits(record: Record) -> str:
    """Return the warning that nothing of *record* can be reverted any more, with what is left to do, if anything."""
    finished = record.progress().done == record.head.steps
    left = "" if finished else f"; {by_hand(record)}"
    return f"no change of roll-out {record.number} can be reverted any more{left}"


def _steps(record: Record, tree: Tree) -> tuple[int, ...]:
    """Return the numbers of the steps that are made, or may be, the last one first."""
    progress = record.progress()
    unknown = (
        number
        for number in range(progress.done + progress.begun, progress.done, -1)
        if are_made(tree, record.changes[number - 1 : number], record.undo(number, number)) is not False
    )
    return (*unknown, *range(progress.done, 0, -1))


def _misfits(undo: dict[int, list[Wanted]], left: dict[int, dict[int, DoesNotFit]], number: int) -> tuple[Misfit, ...]:
    problems = left[number]
    (first, *_) = problems.values()
    return tuple(
        Misfit(wanted, problems.get(place) or _with_another(wanted, first)) for place, wanted in enumerate(undo[number])
    )


def _with_another(wanted: Wanted, problem: DoesNotFit) -> DoesNotFit:
    return DoesNotFit(
        f"it belongs to a step of which another part does not fit ({problem.what})", on=str(wanted.change.dn)
    )


def _lost(record: Record, plan: Plan, fitting: Sequence[int]) -> dict[int, dict[int, DoesNotFit]]:
    """Return the steps among *fitting* whose undo, as part of *plan*, would lose what somebody has changed since."""
    draft = Draft(plan.after)
    for number in reversed(fitting):
        try:
            draft.apply(record.changes[number - 1])
        except DoesNotFit:  # it builds on a step that is not reverted, or could not be made any more
            continue
    again = draft.tree()
    found: dict[int, dict[int, DoesNotFit]] = {}
    for number in fitting:
        for dn, names in losses(plan.before, again, record.changes[number - 1 : number]):
            what = f"somebody has changed {', '.join(names)}, and that would be lost"
            found[number] = {0: DoesNotFit(what, on=str(dn), moved=str(dn))}
    return found
