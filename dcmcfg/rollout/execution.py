"""Running the roll-out of a plan: the record first, then the directory, then a look at what it holds.

Each request is noted in the journal before it is sent, and reconciled when its response is lost.
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
from dcmcfg.rollout.record import RolloutContext, RolloutRecord, write_record
from dcmcfg.rollout.recovery import refuse_unfinished
from dcmcfg.rollout.strategy import RolloutStrategy, order_as_sent, order_for_strategy

#: (steps done, steps in all) → nothing; called after each step taken by itself.
OnStep = Callable[[int, int], None]

#: How long a request whose connection was lost may still be under way to the server.
_GRACE_S = 1.0
_RECOVERY_COMMANDS = "dcmcfg apply --resume goes on, {undo_command} takes back what was done"
_RECOVERY_AFTER_REFUSAL = "{undo_command} takes back what was done; dcmcfg apply --resume asks the server once more"


class NothingChanged(Exception):
    """It failed before the first of these steps was made."""

    def __init__(self, cause: DcmcfgError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class PlanWriter:
    """The steps of *plan*, which are the last ones of the roll-out of *record*, on their way to the directory.

    ``directory`` is the connection as it now is: a lost one is opened again.
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

        Raises :class:`NothingChanged`, and :class:`IncompleteChange` when it stopped part-way or nobody knows.
        """
        if transaction_size:
            self._apply_in_transaction(self._plan.steps[:transaction_size])
        self._apply_one_by_one(self._plan.steps[transaction_size:])

    @property
    def applied_steps(self) -> int:
        """How many steps of the whole roll-out are made."""
        return self._applied_before + self._applied_now

    def _apply_in_transaction(self, steps: Sequence[PlanStep]) -> None:
        try:
            self._journal_start(steps)
            self.directory.apply_in_transaction([self._prepare_member(step) for step in steps])
        except ConnectionLost as lost:
            self._reconcile(steps, lost)
        except DcmcfgError as refused:
            raise NothingChanged(refused) from refused
        self._mark_applied(steps)

    def _prepare_member(self, step: PlanStep) -> Change:
        """Return the change of *step* in a transaction.

        Its preconditions are read where the server cannot check all of them, unless the step builds on an earlier one
        of the transaction.
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
        """Send *step*; its preconditions are checked by a read where the server cannot check all of them."""
        if self._has_server_assertions:
            change, needs_read = prepare_change(step, self._plan.before)
            if needs_read:
                check_step_preconditions(self.directory, step, self._plan.before.schema, has_server_assertions=True)
            try:
                self.directory.apply(change)
            except DirectoryError as refused:
                if refused.result_code != UNAVAILABLE_CRITICAL_EXTENSION or not assertions.has_assertion(step.change):
                    raise
                self._has_server_assertions = False
            else:
                return
        check_step_preconditions(self.directory, step, self._plan.before.schema)
        self.directory.apply(assertions.remove_assertions(step.change))

    def _reconcile(self, steps: Sequence[PlanStep], lost: ConnectionLost) -> None:
        """Find out what became of *steps* whose answer was lost; return when they were carried out."""
        try:
            self.directory = self.directory.reopen()
            time.sleep(_GRACE_S)
            wait_for_pending_writes(self.directory)
            first, last = self.applied_steps + 1, self.applied_steps + len(steps)
            applied_count = count_applied_steps(read_tree(self.directory), self._record, first, last)
        except DcmcfgError as error:
            self._raise_unknown(lost, f"it is not known whether the change was made ({error.message})")
        if applied_count is None:
            self._raise_unknown(lost, "the tree is neither as before nor as planned")
        if applied_count == len(steps):
            return
        if isinstance(lost, LdapResponseTimeout):
            self._raise_unknown(lost, "the change is not made so far, but the server may make it yet")
        self._applied_now += applied_count
        self._raise_stopped(lost)

    def _raise_unknown(self, lost: ConnectionLost, reason: str) -> NoReturn:
        """End with the journal left open: the next run reads what became of the steps."""
        raise IncompleteChange(
            f"{lost.message}, and {reason}",
            subject=lost.subject,
            next_step=f"when the server answers again, each of these finds it out: {self.format_recovery_commands()}",
        ) from lost

    def _raise_stopped(self, cause: DcmcfgError) -> NoReturn:
        """End at a step that failed: with nothing changed, or with what was done noted."""
        if not self._applied_now:
            raise NothingChanged(cause) from cause
        with suppress(DcmcfgError):  # the journal stays open then, and the next run reads what became of the step
            self._journal_writer.write_ended(self.applied_steps)
        raise IncompleteChange(
            f"{cause.message}; {self.applied_steps} of {self._record.header.steps} steps are done",
            subject=cause.subject,
            next_step=self.format_recovery_commands(cause),
        ) from cause

    def format_recovery_commands(self, cause: DcmcfgError | None = None) -> str:
        """Return the commands that end the roll-out; that which reverts it comes first where the server refuses."""
        undo_command = "dcmcfg undo" if self._record.header.undo_of is None else f"dcmcfg undo {self._record.number}"
        is_refused = isinstance(cause, DirectoryError) and cause.result_code is not None
        return (_RECOVERY_AFTER_REFUSAL if is_refused else _RECOVERY_COMMANDS).format(undo_command=undo_command)


@dataclass(frozen=True)
class RolloutOutcome:
    """What a finished roll-out did; ``dcmcfg undo`` with its ``number``, or ``undo_file`` applied, reverts it."""

    strategy: RolloutStrategy
    number: int
    undo_file: Path


def run_rollout(
    directory: Directory, plan: Plan, *, strategy: RolloutStrategy, context: RolloutContext, on_step: OnStep
) -> RolloutOutcome:
    """Run *plan*: check that nothing has changed, write the record, change the directory, read back.

    Raises :class:`Refused` while another roll-out on the directory is under way or unfinished, what
    :func:`check_unchanged` raises and :class:`DirectoryError`, with nothing changed; and
    :class:`IncompleteChange` when it stopped part-way, or when it is not known what the server did: the record
    then knows how to go on and how to go back.
    """
    plan, transaction_size = order_for_strategy(plan, strategy)
    plan = order_as_sent(plan, transaction_size)
    url = directory.server.url
    with lock_directory(context.state_folder, url):
        refuse_unfinished(context.state_folder, url, excluded_number=context.undo_of)
        check_unchanged(directory, plan)
        record = write_record(context, url, plan, strategy.value)
        return _apply_plan(
            directory, plan, record, strategy=strategy, transaction_size=transaction_size, on_step=on_step
        )


def resume_rollout(
    directory: Directory,
    plan: Plan,
    record: RolloutRecord,
    *,
    strategy: RolloutStrategy,
    state_folder: Path,
    on_step: OnStep,
) -> RolloutOutcome:
    """Run *plan*, what remains of the roll-out of *record*, as part of that roll-out.

    *strategy* takes the steps in their order. Raises as :func:`run_rollout` does, and :class:`Refused` when somebody
    else has gone on with it meanwhile.
    """
    plan, transaction_size = order_for_strategy(plan, strategy)
    with lock_directory(state_folder, directory.server.url):
        progress = record.read_progress()
        if not progress.ended or progress.applied != record.header.steps - len(plan.steps):
            raise Refused(f"somebody has gone on with roll-out {record.number} meanwhile", next_step="dcmcfg history")
        check_unchanged(directory, plan)
        return _apply_plan(
            directory, plan, record, strategy=strategy, transaction_size=transaction_size, on_step=on_step
        )


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
            with suppress(DcmcfgError):  # the next run reads then that nothing was changed
                journal_writer.write_ended(writer.applied_steps)
            if writer.applied_steps:
                steps = (
                    failure.cause.next_step,
                    f"the roll-out stays unfinished: {writer.format_recovery_commands(failure.cause)}",
                )
                failure.cause.next_step = "; ".join(filter(None, steps))
            raise failure.cause from failure.cause.__cause__
        with suppress(DcmcfgError):  # the next run reads then that everything is made
            journal_writer.write_ended(writer.applied_steps)
        _verify_applied(writer.directory, plan, record)
    return RolloutOutcome(strategy, record.number, record.undo_file)


def _verify_applied(directory: Directory, plan: Plan, record: RolloutRecord) -> None:
    """Raise :class:`IncompleteChange` unless the directory now holds what was planned."""
    try:
        different_dn = find_first_difference(directory, plan)
    except DcmcfgError as error:
        raise IncompleteChange(
            f"the change was made but could not be read back: {error.message}",
            subject=error.subject,
            next_step=f"look at it with dcmcfg export-ldif; dcmcfg undo {record.number} takes it back",
        ) from error
    if different_dn is not None:
        raise IncompleteChange(
            "the server holds something else than was planned",
            subject=str(different_dn),
            next_step=f"look at it with dcmcfg export-ldif; dcmcfg undo {record.number} takes the change back",
        )
