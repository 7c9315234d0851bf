"""What was added for a run taken out of the directory again, whatever has become of it meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from dcmcfg.changes import Add
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.temporary_destination import remove_temporary_destination
from dcmcfg.edits.temporary_mark import find_title_occurrences
from dcmcfg.errors import ChangeInProgress, DcmcfgError, DoesNotApply, Refused
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.rollout.execution import resume_rollout, run_rollout
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutContext, RolloutRecord
from dcmcfg.rollout.recovery import plan_resume, plan_undo, reconcile_interrupted
from dcmcfg.rollout.strategy import choose_resume_strategy, choose_strategy
from dcmcfg.schema_names import DICOM_DEVICE_NAME, DICOM_DEVICE_OBJECT_CLASS

R = TypeVar("R")
#: How long another roll-out may take, before this one is given up.
MAX_WAIT_S = 60.0
_RETRY_INTERVAL_S = 0.2
#: The addition takes a container or two, device, registration, connection, AE and a value.
_MAX_STEPS = 8
_ATTEMPTS = 3


@dataclass(frozen=True)
class DestinationRemovalResult:
    """The number of the roll-out that did it, None where nothing was there; and what else in the tree names it."""

    rollout_number: int | None
    remaining_references: tuple[str, ...] = ()


def remove_destination(
    directory: Directory, rollout_context: RolloutContext, ae_title: str
) -> DestinationRemovalResult:
    """Take the temporary destination *ae_title* out of *directory*, so that nothing of it is left there.

    What is on record is reverted as ``undo`` does, or an interrupted undo is continued. Where the tree has changed
    since, what is there of it is removed and nothing else. A roll-out of others is waited for, :data:`MAX_WAIT_S`
    at most; where somebody is faster (another account cleans up too), it is looked at again. Raises what
    :func:`run_rollout` does.
    """
    number = retry_while_in_progress(lambda: _remove_with_retries(directory, rollout_context, ae_title))
    reopened = directory.reopen()
    try:
        return DestinationRemovalResult(number, find_title_occurrences(read_tree(reopened), ae_title))
    finally:
        reopened.close()


def retry_while_in_progress(action: Callable[[], R]) -> R:
    """Return what *action* returns, trying again while it raises :class:`ChangeInProgress`."""
    deadline = time.monotonic() + MAX_WAIT_S
    while True:
        try:
            return action()
        except ChangeInProgress:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_INTERVAL_S)


def _remove_with_retries(directory: Directory, context: RolloutContext, title: str) -> int | None:
    for _ in range(_ATTEMPTS):
        with suppress(DoesNotApply):
            return _remove_once(directory, context, title)
    return _remove_once(directory, context, title)


def _remove_once(directory: Directory, context: RolloutContext, title: str) -> int | None:
    reopened = directory.reopen()
    try:
        plan, undoes, unfinished = _plan_removal(reopened, context.state_folder, title)
        if not plan.steps:
            return None
        if unfinished is not None:
            strategy = choose_resume_strategy(reopened, plan)
            return resume_rollout(
                reopened,
                plan,
                unfinished,
                strategy=strategy,
                state_folder=context.state_folder,
                on_step=_ignore_progress,
            ).number
        strategy = choose_strategy(reopened, plan)
        outcome = run_rollout(
            reopened, plan, strategy=strategy, context=replace(context, undo_of=undoes), on_step=_ignore_progress
        )
        return outcome.number
    finally:
        reopened.close()


def _plan_removal(directory: Directory, state: Path, title: str) -> tuple[Plan, int | None, RolloutRecord | None]:
    """Return the plan, the number of the roll-out that it takes back, and the one that it goes on with, if any."""
    url = directory.server.url
    addition = _find_addition(History(state), url, title)
    _reconcile(directory, state, addition)
    history, tree = History(state), read_tree(directory)
    unfinished = history.find_unfinished(url)
    if addition is not None and unfinished is not None and unfinished.header.undo_of == addition.number:
        try:
            return plan_resume(unfinished, tree), addition.number, unfinished
        except DoesNotApply:
            history.close(unfinished)
    is_in_force = (
        addition is not None
        and determine_status(addition) is not RolloutStatus.NOTHING_CHANGED
        and history.find_undo_of(addition) is None
    )
    undoes = addition.number if addition is not None and is_in_force else None
    if addition is not None and is_in_force and determine_status(addition) is not RolloutStatus.CLOSED:
        with suppress(DoesNotApply):
            return plan_undo(addition, tree), undoes, None
    edit = remove_temporary_destination(Configuration(tree), title)
    plan = make_plan(tree, [DesiredChange(change) for change in edit.changes])
    if not plan.steps and addition is not None and history.is_unfinished(addition):
        history.close(addition)  # somebody else has taken it back
    return plan, undoes, None


def _reconcile(directory: Directory, state: Path, addition: RolloutRecord | None) -> None:
    """Find out what became of an interrupted roll-out; of ours, close one that has been overtaken."""
    try:
        reconcile_interrupted(state, directory)
    except ChangeInProgress:
        raise
    except Refused:
        history = History(state)
        unfinished = history.find_unfinished(directory.server.url)
        if (
            addition is None
            or unfinished is None
            or addition.number not in (unfinished.number, unfinished.header.undo_of)
        ):
            raise
        history.close(unfinished)


def _find_addition(history: History, ldap_url: str, title: str) -> RolloutRecord | None:
    """Return the roll-out on the directory at *ldap_url* that has added the device of *title*, or was to."""
    for record in history.records:
        with suppress(DcmcfgError):  # one that cannot be read is none of these
            header = record.header
            if (
                header.ldap_url == ldap_url
                and header.undo_of is None
                and header.steps <= _MAX_STEPS
                and _is_addition_of(record, title)
            ):
                return record
    return None


def _is_addition_of(record: RolloutRecord, title: str) -> bool:
    entries = (change.entry for change in record.changes if isinstance(change, Add))
    return any(
        entry.is_a(DICOM_DEVICE_OBJECT_CLASS) and entry.text(DICOM_DEVICE_NAME) == title.lower() for entry in entries
    )


def _ignore_progress(done: int, steps: int) -> None:
    """Do nothing."""
