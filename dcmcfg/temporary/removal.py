"""Remove a temporary destination from the directory, in whatever state it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
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
#: The maximum time in seconds to wait for another roll-out.
MAX_WAIT_S = 60.0
_RETRY_INTERVAL_S = 0.2
#: An addition consists of up to two containers, device, registration, connection, AE and a value.
_MAX_STEPS = 8
_ATTEMPTS = 3


@dataclass(frozen=True)
class DestinationRemovalResult:
    """The result of a removal.

    ``rollout_number`` is None if there was nothing to remove. ``remaining_references`` are entries that still name the
    destination.
    """

    rollout_number: int | None
    remaining_references: tuple[str, ...] = ()


def remove_destination(
    directory: Directory, rollout_context: RolloutContext, ae_title: str
) -> DestinationRemovalResult:
    """Remove the temporary destination *ae_title* completely from *directory*.

    A recorded addition is reverted as ``undo`` does, or an interrupted undo is resumed. If the tree has changed since,
    only the remaining parts of the destination are removed. The function waits for roll-outs of others, at most
    :data:`MAX_WAIT_S`, and tries again if another account cleans up at the same time. Raises the errors of
    :func:`run_rollout`.
    """
    number = retry_while_in_progress(lambda: _remove_with_retries(directory, rollout_context, ae_title))
    reopened = directory.reopen()
    try:
        return DestinationRemovalResult(number, find_title_occurrences(read_tree(reopened), ae_title))
    finally:
        reopened.close()


def retry_while_in_progress(action: Callable[[], R]) -> R:
    """Return the result of *action*; retry while it raises :class:`ChangeInProgress`."""
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
        # The tree may change between the plan and the roll-out, for example if another account cleans up too.
        with suppress(DoesNotApply):
            return _remove_once(directory, context, title)
    return _remove_once(directory, context, title)


def _remove_once(directory: Directory, context: RolloutContext, title: str) -> int | None:
    reopened = directory.reopen()
    try:
        plan, undoes, unfinished = _plan_removal(reopened, context, title)
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
                sharing=context.sharing,
            ).number
        strategy = choose_strategy(reopened, plan)
        outcome = run_rollout(
            reopened, plan, strategy=strategy, context=replace(context, undo_of=undoes), on_step=_ignore_progress
        )
        return outcome.number
    finally:
        reopened.close()


def _plan_removal(
    directory: Directory, context: RolloutContext, title: str
) -> tuple[Plan, int | None, RolloutRecord | None]:
    """Return the plan, the number of the roll-out that it reverts, and the interrupted roll-out that it resumes."""
    url, state, lock_folder = directory.server.url, context.state_folder, context.sharing.lock_folder
    addition = _find_addition(History(state), url, title)
    _reconcile(directory, context, addition)
    history, tree = History(state), read_tree(directory)
    unfinished = history.find_unfinished(url)
    if addition is not None and unfinished is not None and unfinished.header.undo_of == addition.number:
        try:
            return plan_resume(unfinished, tree), addition.number, unfinished
        except DoesNotApply:
            # The tree has changed since the interruption, so the edit below removes the remaining parts.
            history.close(unfinished, lock_folder)
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
        history.close(addition, lock_folder)  # Another process has reverted it.
    return plan, undoes, None


def _reconcile(directory: Directory, context: RolloutContext, addition: RolloutRecord | None) -> None:
    """Determine the state of an interrupted roll-out; close a roll-out of this destination that is out of date."""
    state, lock_folder = context.state_folder, context.sharing.lock_folder
    try:
        reconcile_interrupted(state, directory, shared_folder=lock_folder)
    except ChangeInProgress:
        raise
    except Refused:
        history = History(state)
        unfinished = history.find_unfinished(directory.server.url)
        # An unfinished roll-out of something else belongs to its user, and is not closed here.
        if (
            addition is None
            or unfinished is None
            or addition.number not in (unfinished.number, unfinished.header.undo_of)
        ):
            raise
        history.close(unfinished, lock_folder)


def _find_addition(history: History, ldap_url: str, title: str) -> RolloutRecord | None:
    """Return the roll-out on the directory at *ldap_url* that added, or should add, the device of *title*."""
    for record in history.records:
        with suppress(DcmcfgError):  # An unreadable record cannot be this addition.
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
        # The device of a temporary destination has the title in lower case as its name.
        entry.is_a(DICOM_DEVICE_OBJECT_CLASS) and entry.text(DICOM_DEVICE_NAME) == title.lower()
        for entry in entries
    )


def _ignore_progress(done: int, steps: int) -> None:
    """Default no-op callback."""
