"""The requests of one roll-out: each noted in the journal before it is sent, and settled when its answer is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from dcmcfg.changes import Change
from dcmcfg.directory.failures import UNAVAILABLE_CRITICAL_EXTENSION, NoAnswerInTime
from dcmcfg.directory.reading import read_tree
from dcmcfg.directory.server import Directory
from dcmcfg.errors import ChangedButNotFinished, ConnectionLost, DcmcfgError, DirectoryError
from dcmcfg.plan import assertions
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.rollout.interruption import HeldInterrupts
from dcmcfg.rollout.journal import Pen
from dcmcfg.rollout.preconditions import as_sent, check_step
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.settling import how_many_made
from dcmcfg.rollout.waiting import await_writes

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
