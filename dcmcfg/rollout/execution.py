"""Run a roll-out: write the record of a plan, apply the plan to the directory, and verify the result.

Each request is noted in the journal before it is sent, and is reconciled if its response is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dcmcfg.changes import Change
from dcmcfg.directory.failures import UNAVAILABLE_CRITICAL_EXTENSION, LdapResponseTimeout
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import ConnectionLost, DcmcfgError, DirectoryError, IncompleteChange, Refused
from dcmcfg.plan import assertions
from dcmcfg.plan.plan import Plan, PlanStep
from dcmcfg.rollout.deferred_signals import DeferredSignals
from dcmcfg.rollout.journal import JournalWriter
from dcmcfg.rollout.lock import lock_directory
from dcmcfg.rollout.preconditions import check_step_preconditions, check_unchanged, prepare_change
from dcmcfg.rollout.reconciliation import count_applied_steps, find_first_difference, wait_for_pending_writes
from dcmcfg.rollout.record import PRIVATE, RolloutContext, RolloutRecord, RolloutSharing, write_record
from dcmcfg.rollout.recovery import refuse_unfinished
from dcmcfg.rollout.strategy import RolloutStrategy, order_as_sent, order_for_strategy

#: (applied steps, total steps) → None; called after each step or transaction.
OnStep = Callable[[int, int], None]

#: The time in seconds that a request may still need to reach the server after its connection was lost.
_GRACE_S = 1.0
_RECOVERY_COMMANDS = "to continue: dcmcfg apply --resume; to revert the applied steps: {undo_command}"
_RECOVERY_AFTER_REFUSAL = "to revert the applied steps: {undo_command}; to retry: dcmcfg apply --resume"


class NothingChanged(Exception):
    """The roll-out failed before the first step was applied."""

    def __init__(self, cause: DcmcfgError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class PlanWriter:
    """Applies the steps of *plan*, which are the last steps of the roll-out of *record*, to the directory.

    ``directory`` is the current connection: a lost connection is opened again.
    """

    def __init__(
        self,
        directory: Directory,
        plan: Plan,
        record: RolloutRecord,
        *,
        journal_writer: JournalWriter,
        on_step: OnStep,
        interrupts: DeferredSignals,
    ) -> None:
        self.directory = directory
        self._plan = plan
        self._record = record
        self._journal_writer = journal_writer
        self._on_step = on_step
        self._interrupts = interrupts
        self._applied_before = record.header.steps - len(plan.steps)
        self._applied_now = 0
        self._has_server_assertions = True

    def write(self, transaction_size: int) -> None:
        """Apply the first *transaction_size* steps in one transaction and the others one by one.

        Raises :class:`NothingChanged`, and :class:`IncompleteChange` if it stopped midway or the result is unknown.
        """
        if transaction_size:
            self._apply_in_transaction(self._plan.steps[:transaction_size])
        self._apply_one_by_one(self._plan.steps[transaction_size:])

    @property
    def applied_steps(self) -> int:
        """The number of applied steps of the whole roll-out."""
        return self._applied_before + self._applied_now

    def _apply_in_transaction(self, steps: Sequence[PlanStep]) -> None:
        try:
            # The line is on the disk before the request is sent, so that a killed process leaves no unknown request.
            self._journal_start(steps)
            self.directory.apply_in_transaction([self._prepare_member(step) for step in steps])
        except ConnectionLost as lost:
            self._reconcile(steps, lost)
        except DcmcfgError as refused:
            # A refused transaction leaves none of its steps applied, and it is the first part of the plan.
            raise NothingChanged(refused) from refused
        self._mark_applied(steps)

    def _prepare_member(self, step: PlanStep) -> Change:
        """Return the change of *step* for a transaction.

        If the server cannot check all its preconditions, dcmcfg reads the entry and checks them. This is not possible
        for a step that depends on an earlier step of the transaction.
        """
        before = self._plan.before
        change, needs_read = prepare_change(step, before)
        if needs_read and step.before == before.get(step.change.dn):
            check_step_preconditions(self.directory, step, before.schema, has_server_assertions=True)
        return change

    def _apply_one_by_one(self, steps: Sequence[PlanStep]) -> None:
        for step in steps:
            if self._interrupts.is_stop_requested:
                self._raise_stopped(DirectoryError("interrupted", subject=str(step.change.dn)))
            try:
                self._journal_start((step,))
                self._apply(step)
            except ConnectionLost as lost:
                self._reconcile((step,), lost)
            except DcmcfgError as refused:
                self._raise_stopped(refused)
            self._mark_applied((step,))

    def _journal_start(self, steps: Sequence[PlanStep]) -> None:
        self._journal_writer.write_started(self.applied_steps + 1, self.applied_steps + len(steps))

    def _mark_applied(self, steps: Sequence[PlanStep]) -> None:
        self._applied_now += len(steps)
        self._on_step(self._applied_now, len(self._plan.steps))

    def _apply(self, step: PlanStep) -> None:
        """Send *step*; dcmcfg reads the entry and checks the preconditions that the server cannot check."""
        if self._has_server_assertions:
            change, needs_read = prepare_change(step, self._plan.before)
            if needs_read:
                check_step_preconditions(self.directory, step, self._plan.before.schema, has_server_assertions=True)
            try:
                self.directory.apply(change)
            except DirectoryError as refused:
                # Without an assertion, the result is about another control of the change, which must not be dropped.
                if refused.result_code != UNAVAILABLE_CRITICAL_EXTENSION or not assertions.has_assertion(step.change):
                    raise
                # The root DSE announces controls of the server, which its database may not support.
                self._has_server_assertions = False
            else:
                return
        check_step_preconditions(self.directory, step, self._plan.before.schema)
        self.directory.apply(assertions.remove_assertions(step.change))

    def _reconcile(self, steps: Sequence[PlanStep], lost: ConnectionLost) -> None:
        """Determine whether *steps*, whose response was lost, were applied; return if all of them were."""
        try:
            self.directory = self.directory.reopen()
            time.sleep(_GRACE_S)
            wait_for_pending_writes(self.directory)
            first, last = self.applied_steps + 1, self.applied_steps + len(steps)
            applied_count = count_applied_steps(read_tree(self.directory), self._record, first, last)
        except DcmcfgError as error:
            self._raise_unknown(lost, f"it is unknown whether the server has applied the change ({error.message})")
        if applied_count is None:
            self._raise_unknown(
                lost, "the configuration differs from the state before the change, and also from the planned state"
            )
        if applied_count == len(steps):
            return
        # After a time-out, the server may still process the request, so the result is not final.
        if isinstance(lost, LdapResponseTimeout):
            self._raise_unknown(lost, "the server has not applied the change yet, but can still apply the change")
        self._applied_now += applied_count
        self._raise_stopped(lost)

    def _raise_unknown(self, lost: ConnectionLost, reason: str) -> NoReturn:
        """Raise with an open journal, so that the next run determines whether the steps were applied."""
        raise IncompleteChange(
            f"{lost.message}, and {reason}",
            subject=lost.subject,
            next_step=f"when the server responds again, use one of these commands: {self.format_recovery_commands()}",
        ) from lost

    def _raise_stopped(self, cause: DcmcfgError) -> NoReturn:
        """Raise after a failed step; the number of applied steps, if any, is noted in the journal."""
        if not self._applied_now:
            raise NothingChanged(cause) from cause
        with suppress(DcmcfgError):  # the journal stays open then, and the next run determines the state of the step
            self._journal_writer.write_ended(self.applied_steps)
        raise IncompleteChange(
            f"{cause.message}; {self.applied_steps} of {self._record.header.steps} steps are applied",
            subject=cause.subject,
            next_step=self.format_recovery_commands(cause),
        ) from cause

    def format_recovery_commands(self, cause: DcmcfgError | None = None) -> str:
        """Return the commands that finish or revert the roll-out; revert comes first if the server refused a step."""
        undo_command = "dcmcfg undo" if self._record.header.undo_of is None else f"dcmcfg undo {self._record.number}"
        is_refused = isinstance(cause, DirectoryError) and cause.result_code is not None
        return (_RECOVERY_AFTER_REFUSAL if is_refused else _RECOVERY_COMMANDS).format(undo_command=undo_command)


@dataclass(frozen=True)
class RolloutOutcome:
    """The result of a finished roll-out; ``dcmcfg undo NUMBER``, or applying ``undo_file``, reverts it."""

    strategy: RolloutStrategy
    number: int
    undo_file: Path


def run_rollout(
    directory: Directory, plan: Plan, *, strategy: RolloutStrategy, context: RolloutContext, on_step: OnStep
) -> RolloutOutcome:
    """Run *plan*: check that nothing has changed, write the record, apply the steps, and read back the result.

    Raises :class:`Refused` while another roll-out on the directory is in progress or unfinished, the errors of
    :func:`check_unchanged`, and :class:`DirectoryError`; nothing has changed then. Raises :class:`IncompleteChange` if
    only a part was applied, or if the result is unknown; the record then allows to resume or revert the roll-out.
    """
    plan, transaction_size = order_for_strategy(plan, strategy)
    plan = order_as_sent(plan, transaction_size)
    url = directory.server.url
    with lock_directory(context.state_folder, url, context.sharing.lock_folder):
        # Both checks run under the lock, because other roll-outs may have finished since the plan was made.
        refuse_unfinished(context.state_folder, url, excluded_number=context.undo_of)
        check_unchanged(directory, plan)
        record = write_record(context, url, plan, strategy.value)
        try:
            context.sharing.handle_recorded(record)
            return _apply_plan(
                directory, plan, record, strategy=strategy, transaction_size=transaction_size, on_step=on_step
            )
        finally:
            context.sharing.handle_ended(record)


def resume_rollout(
    directory: Directory,
    plan: Plan,
    record: RolloutRecord,
    *,
    strategy: RolloutStrategy,
    state_folder: Path,
    on_step: OnStep,
    sharing: RolloutSharing = PRIVATE,
) -> RolloutOutcome:
    """Run *plan*, the remaining steps of the roll-out of *record*, as part of that roll-out.

    *strategy* must keep the order of the steps. *sharing* publishes the roll-out. Raises as
    :func:`run_rollout` does, and :class:`Refused` if another process has continued the roll-out in the meantime.
    """
    plan, transaction_size = order_for_strategy(plan, strategy)
    with lock_directory(state_folder, directory.server.url, sharing.lock_folder):
        progress = record.read_progress()
        if not progress.ended or progress.applied != record.header.steps - len(plan.steps):
            raise Refused(f"somebody has continued change {record.number} in the meantime", next_step="dcmcfg history")
        check_unchanged(directory, plan)
        try:
            return _apply_plan(
                directory, plan, record, strategy=strategy, transaction_size=transaction_size, on_step=on_step
            )
        finally:
            sharing.handle_ended(record)


def _apply_plan(
    directory: Directory,
    plan: Plan,
    record: RolloutRecord,
    *,
    strategy: RolloutStrategy,
    transaction_size: int,
    on_step: OnStep,
) -> RolloutOutcome:
    try:
        return _apply_with_journal(
            directory, plan, record, strategy=strategy, transaction_size=transaction_size, on_step=on_step
        )
    except IncompleteChange as stopped:
        stopped.rollout_number, stopped.undo_file = record.number, record.undo_file
        raise


def _apply_with_journal(
    directory: Directory,
    plan: Plan,
    record: RolloutRecord,
    *,
    strategy: RolloutStrategy,
    transaction_size: int,
    on_step: OnStep,
) -> RolloutOutcome:
    with DeferredSignals() as interrupts, record.journal.open_for_writing() as journal_writer:
        writer = PlanWriter(
            directory, plan, record, journal_writer=journal_writer, on_step=on_step, interrupts=interrupts
        )
        try:
            writer.write(transaction_size)
        except NothingChanged as failure:
            with suppress(DcmcfgError):  # otherwise, the next run determines that nothing was changed
                journal_writer.write_ended(writer.applied_steps)
            if writer.applied_steps:
                steps = (
                    failure.cause.next_step,
                    f"the change remains unfinished: {writer.format_recovery_commands(failure.cause)}",
                )
                failure.cause.next_step = "; ".join(filter(None, steps))
            # NothingChanged is internal: the caller gets the error of the failed request with its own cause.
            raise failure.cause from failure.cause.__cause__
        with suppress(DcmcfgError):  # otherwise, the next run determines that all steps were applied
            journal_writer.write_ended(writer.applied_steps)
        _verify_applied(writer.directory, plan, record)
    return RolloutOutcome(strategy, record.number, record.undo_file)


def _verify_applied(directory: Directory, plan: Plan, record: RolloutRecord) -> None:
    """Raise :class:`IncompleteChange` unless the directory has the planned state."""
    try:
        different_dn = find_first_difference(directory, plan)
    except DcmcfgError as error:
        raise IncompleteChange(
            f"the server applied the change, but dcmcfg could not read the changed entries: {error.message}",
            subject=error.subject,
            next_step="to inspect the configuration: dcmcfg export-ldif; "
            f"to revert the change: dcmcfg undo {record.number}",
        ) from error
    if different_dn is not None:
        raise IncompleteChange(
            "the values on the server differ from the planned values",
            subject=str(different_dn),
            next_step=f"to inspect the values: dcmcfg export-ldif; to revert the change: dcmcfg undo {record.number}",
        )
