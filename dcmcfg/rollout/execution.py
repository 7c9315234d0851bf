"""Rolling a plan out: the record first, then the directory, then a look at what it holds.

The requests of one roll-out: each noted in the journal before it is sent, and settled when its answer is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dcmcfg.changes import Change
from dcmcfg.directory.failures import UNAVAILABLE_CRITICAL_EXTENSION, NoAnswerInTime
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import ChangedButNotFinished, ConnectionLost, DcmcfgError, DirectoryError, Refused
from dcmcfg.plan import assertions
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.rollout.deferred_signals import HeldInterrupts
from dcmcfg.rollout.journal import Pen
from dcmcfg.rollout.lock import directory_lock
from dcmcfg.rollout.preconditions import as_sent, check_step, check_unmoved
from dcmcfg.rollout.reconciliation import await_writes, differing, how_many_made
from dcmcfg.rollout.record import Occasion, Record, record_roll_out
from dcmcfg.rollout.strategy import Manner, in_order_sent, in_parts
from dcmcfg.rollout.unfinished import refuse_unfinished

#: (steps done, steps in all) → nothing; called after each step taken by itself.
OnStep = Callable[[int, int], None]

#: How long a request whose connection was lost may still be under way to the server.
_GRACE_S = 1.0
_TWO_WAYS = "dcmcfg apply --resume goes on, {back} takes back what was done"
_REFUSED = "{back} takes back what was done; dcmcfg apply --resume asks the server once more"


class NothingChanged(Exception):
    """It failed before the first of these steps was made."""

    def __init__(self, cause: DcmcfgError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Writing:
    """The steps of *plan*, which are the last ones of the roll-out of *record*, on their way to the directory.

    ``directory`` is the connection as it now is: a lost one is opened again.
    """

    def __init__(
        self, directory: Directory, plan: Plan, record: Record, pen: Pen, on_step: OnStep, interrupts: HeldInterrupts
    ) -> None:
        self.directory = directory
        self._plan = plan
        self._record = record
        self._pen = pen
        self._on_step = on_step
        self._interrupts = interrupts
        self._earlier = record.head.steps - len(plan.steps)
        self._done = 0
        self._asserting = True

    def write(self, together: int) -> None:
        """Take the first *together* steps in one transaction and the others one by one.

        Raises :class:`NothingChanged`, and :class:`ChangedButNotFinished` when it stopped part-way or nobody knows.
        """
        if together:
            self._together(self._plan.steps[:together])
        self._one_by_one(self._plan.steps[together:])

    @property
    def made(self) -> int:
        """How many steps of the whole roll-out are made."""
        return self._earlier + self._done

    def _together(self, steps: Sequence[Step]) -> None:
        try:
            self._begin(steps)
            self.directory.apply_in_transaction([self._member(step) for step in steps])
        except ConnectionLost as lost:
            self._settle(steps, lost)
        except DcmcfgError as refused:
            raise NothingChanged(refused) from refused
        self._took(steps)

    def _member(self, step: Step) -> Change:
        """Return the change of *step* in a transaction.

        Its preconditions are read where the server cannot check all of them, unless the step builds on an earlier one
        of the transaction.
        """
        before = self._plan.before
        change, needs_read = as_sent(step, before)
        if needs_read and step.before == before.get(step.change.dn):
            check_step(self.directory, step, before.schema, asserting=True)
        return change

    def _one_by_one(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if self._interrupts.asked:
                self._stop(DirectoryError("interrupted", on=str(step.change.dn)))
            try:
                self._begin((step,))
                self._apply(step)
            except ConnectionLost as lost:
                self._settle((step,), lost)
            except DcmcfgError as refused:
                self._stop(refused)
            self._took((step,))

    def _begin(self, steps: Sequence[Step]) -> None:
        self._pen.begins(self.made + 1, self.made + len(steps))

    def _took(self, steps: Sequence[Step]) -> None:
        self._done += len(steps)
        self._on_step(self._done, len(self._plan.steps))

    def _apply(self, step: Step) -> None:
        """Send *step*; its preconditions are checked by a read where the server cannot check all of them."""
        if self._asserting:
            change, needs_read = as_sent(step, self._plan.before)
            if needs_read:
                check_step(self.directory, step, self._plan.before.schema, asserting=True)
            try:
                self.directory.apply(change)
            except DirectoryError as refused:
                if refused.result_code != UNAVAILABLE_CRITICAL_EXTENSION or not assertions.asserts(step.change):
                    raise
                self._asserting = False
            else:
                return
        check_step(self.directory, step, self._plan.before.schema)
        self.directory.apply(assertions.without(step.change))

    def _settle(self, steps: Sequence[Step], lost: ConnectionLost) -> None:
        """Find out what became of *steps* whose answer was lost; return when they were carried out."""
        try:
            self.directory = self.directory.reopened()
            time.sleep(_GRACE_S)
            await_writes(self.directory)
            first, last = self.made + 1, self.made + len(steps)
            made = how_many_made(read_tree(self.directory), self._record, first, last)
        except DcmcfgError as error:
            self._unknown(lost, f"it is not known whether the change was made ({error.what})")
        if made is None:
            self._unknown(lost, "the tree is neither as before nor as planned")
        if made == len(steps):
            return
        if isinstance(lost, NoAnswerInTime):
            self._unknown(lost, "the change is not made so far, but the server may make it yet")
        self._done += made
        self._stop(lost)

    def _unknown(self, lost: ConnectionLost, what: str) -> NoReturn:
        """End with the journal left open: the next run reads what became of the steps."""
        raise ChangedButNotFinished(
            f"{lost.what}, and {what}",
            on=lost.on,
            next_step=f"when the server answers again, each of these finds it out: {self.ways()}",
        ) from lost

    def _stop(self, cause: DcmcfgError) -> NoReturn:
        """End at a step that failed: with nothing changed, or with what was done noted."""
        if not self._done:
            raise NothingChanged(cause) from cause
        with suppress(DcmcfgError):  # the journal stays open then, and the next run reads what became of the step
            self._pen.ended(self.made)
        raise ChangedButNotFinished(
            f"{cause.what}; {self.made} of {self._record.head.steps} steps are done",
            on=cause.on,
            next_step=self.ways(cause),
        ) from cause

    def ways(self, cause: DcmcfgError | None = None) -> str:
        """Return the commands that end the roll-out; that which reverts it comes first where the server refuses."""
        back = "dcmcfg undo" if self._record.head.undoes is None else f"dcmcfg undo {self._record.number}"
        refused = isinstance(cause, DirectoryError) and cause.result_code is not None
        return (_REFUSED if refused else _TWO_WAYS).format(back=back)


@dataclass(frozen=True)
class Outcome:
    """What a finished roll-out did; ``dcmcfg undo`` with its *number*, or ``undo_file`` applied, takes it back."""

    manner: Manner
    number: int
    undo_file: Path


def roll_out(directory: Directory, plan: Plan, *, manner: Manner, occasion: Occasion, on_step: OnStep) -> Outcome:
    """Carry out *plan*: check that nothing has moved, write the record, change the directory, read back.

    Raises :class:`Refused` while another roll-out on the directory is under way or unfinished, what
    :func:`check_unmoved` raises and :class:`DirectoryError`, with nothing changed; and
    :class:`ChangedButNotFinished` when it stopped part-way, or when it is not known what the server did: the record
    then knows how to go on and how to go back.
    """
    plan, together = in_parts(plan, manner)
    plan = in_order_sent(plan, together)
    url = directory.server.url
    with directory_lock(occasion.state, url):
        refuse_unfinished(occasion.state, url, but=occasion.undoes)
        check_unmoved(directory, plan)
        record = record_roll_out(occasion, url, plan, manner.value)
        return _write(directory, plan, record, manner, together, on_step)


def resume(
    directory: Directory, plan: Plan, record: Record, *, manner: Manner, state: Path, on_step: OnStep
) -> Outcome:
    """Carry out *plan*, what the roll-out of *record* has left to do, as part of that roll-out.

    *manner* takes the steps in their order. Raises as :func:`roll_out` does, and :class:`Refused` when somebody else
    has gone on with it meanwhile.
    """
    plan, together = in_parts(plan, manner)
    with directory_lock(state, directory.server.url):
        progress = record.progress()
        if not progress.ended or progress.done != record.head.steps - len(plan.steps):
            raise Refused(f"somebody has gone on with roll-out {record.number} meanwhile", next_step="dcmcfg history")
        check_unmoved(directory, plan)
        return _write(directory, plan, record, manner, together, on_step)


def _write(directory: Directory, plan: Plan, record: Record, manner: Manner, together: int, on_step: OnStep) -> Outcome:
    try:
        return _written(directory, plan, record, manner, together, on_step)
    except ChangedButNotFinished as stopped:
        stopped.roll_out, stopped.undo_file = record.number, record.undo_file
        raise


def _written(
    directory: Directory, plan: Plan, record: Record, manner: Manner, together: int, on_step: OnStep
) -> Outcome:
    with HeldInterrupts() as interrupts, record.journal.opened() as pen:
        writing = Writing(directory, plan, record, pen, on_step, interrupts)
        try:
            writing.write(together)
        except NothingChanged as nothing:
            with suppress(DcmcfgError):  # the next run reads then that nothing was changed
                pen.ended(writing.made)
            if writing.made:
                steps = (nothing.cause.next_step, f"the roll-out stays unfinished: {writing.ways(nothing.cause)}")
                nothing.cause.next_step = "; ".join(filter(None, steps))
            raise nothing.cause from nothing.cause.__cause__
        with suppress(DcmcfgError):  # the next run reads then that everything is made
            pen.ended(writing.made)
        _read_back(writing.directory, plan, record)
    return Outcome(manner, record.number, record.undo_file)


def _read_back(directory: Directory, plan: Plan, record: Record) -> None:
    """Raise :class:`ChangedButNotFinished` unless the directory now holds what was planned."""
    try:
        found = differing(directory, plan)
    except DcmcfgError as error:
        raise ChangedButNotFinished(
            f"the change was made but could not be read back: {error.what}",
            on=error.on,
            next_step=f"look at it with dcmcfg export-ldif; dcmcfg undo {record.number} takes it back",
        ) from error
    if found is not None:
        raise ChangedButNotFinished(
            "the server holds something else than was planned",
            on=str(found),
            next_step=f"look at it with dcmcfg export-ldif; dcmcfg undo {record.number} takes the change back",
        )
