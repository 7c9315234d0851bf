"""Rolling a plan out: undo first, then the directory, then a look at what it holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn

from dcmcfg.changes import Rename
from dcmcfg.directory.failures import UNAVAILABLE_CRITICAL_EXTENSION, NoAnswerInTime
from dcmcfg.directory.server import Directory
from dcmcfg.directory.transaction import TransactionUnavailable
from dcmcfg.dn import DN
from dcmcfg.errors import ChangedButNotFinished, ConnectionLost, DcmcfgError, DirectoryError
from dcmcfg.plan import assertion, difference
from dcmcfg.plan.parts import Parts, parts
from dcmcfg.plan.plan import Plan, Step
from dcmcfg.rollout.interruption import HeldInterrupts
from dcmcfg.rollout.preconditions import check_step, check_unmoved
from dcmcfg.rollout.undo_file import replace_undo, save_undo
from dcmcfg.tree import Tree

#: (steps done, steps in all) → nothing; called after each step taken by itself.
OnStep = Callable[[int, int], None]

#: How long a request whose connection was lost may still be under way in the server.
_GRACE_S = 1.0


class Manner(Enum):
    """How a plan is carried out."""

    ONE_CHANGE = "in one change"
    TRANSACTION = "in one transaction"
    TWO_PARTS = "in two parts: a transaction, then deletes one by one"
    STEP_BY_STEP = "step by step"


@dataclass(frozen=True)
class Outcome:
    """What a finished roll-out did; ``undo_file`` takes it back."""

    manner: Manner
    undo_file: Path


def manner_of(directory: Directory, plan: Plan) -> Manner:
    """Return how *plan* will be carried out on *directory*.

    One transaction wherever it is right: not where replicas may follow (a failing transaction has reached them in
    part), and not for deletes of an entry's last child. A database that cannot do transactions says so only when
    it is asked to; then it is step by step.
    """
    if len(plan.steps) == 1:
        return Manner.ONE_CHANGE
    facts = directory.facts()
    if not facts.transactions or facts.replicated:
        return Manner.STEP_BY_STEP
    return _manner(parts(plan))


def _manner(split: Parts) -> Manner:
    if not split.one_by_one:
        return Manner.TRANSACTION
    return Manner.TWO_PARTS if split.together else Manner.STEP_BY_STEP


def roll_out(
    directory: Directory, plan: Plan, *, manner: Manner, undo_folder: Path, site: str, on_step: OnStep
) -> Outcome:
    """Carry out *plan*: save the undo, check that nothing has moved, write, read back.

    Raises what :func:`check_unmoved` raises and :class:`DirectoryError`, with nothing changed; and
    :class:`ChangedButNotFinished` when it stopped part-way, or when it is not known what the server did: the undo
    file then takes back what was done.
    """
    check_unmoved(directory, plan)
    undo_file = save_undo(undo_folder, plan.undo(), site)
    with HeldInterrupts() as interrupts:
        work = _RollOut(directory, plan, undo_file, site, on_step, interrupts)
        try:
            done = work.run(manner)
        except _NothingChanged as nothing:
            undo_file.unlink(missing_ok=True)
            raise nothing.cause from nothing.cause.__cause__
    return Outcome(done, undo_file)


class _NothingChanged(Exception):
    """The plan failed before the first change was made."""

    def __init__(self, cause: DcmcfgError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _RollOut:
    """One roll-out under way."""

    def __init__(
        self,
        directory: Directory,
        plan: Plan,
        undo_file: Path,
        site: str,
        on_step: OnStep,
        interrupts: HeldInterrupts,
    ) -> None:
        self._directory = directory
        self._plan = plan
        self._undo_file = undo_file
        self._site = site
        self._on_step = on_step
        self._interrupts = interrupts
        self._done: list[Step] = []
        self._asserting = True

    def run(self, manner: Manner) -> Manner:
        """Write in the *manner* asked for, or step by step where the server turns out to do no transactions."""
        if manner in (Manner.ONE_CHANGE, Manner.STEP_BY_STEP):
            self._one_by_one(self._plan.steps)
        else:
            split = parts(self._plan)
            try:
                self._together(split.together)
            except TransactionUnavailable:
                manner = Manner.STEP_BY_STEP
                self._one_by_one(self._plan.steps)
            else:
                self._one_by_one(split.one_by_one)
        self._read_back()
        return manner

    def _together(self, steps: Sequence[Step]) -> None:
        try:
            self._directory.apply_in_transaction([step.change for step in steps])
        except ConnectionLost as lost:
            self._settle(steps, lost)
        except TransactionUnavailable:
            raise
        except DcmcfgError as refused:
            raise _NothingChanged(refused) from refused
        self._done += steps
        self._on_step(len(self._done), len(self._plan.steps))

    def _one_by_one(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if self._interrupts.asked:
                self._stop(DirectoryError("interrupted", on=str(step.change.dn)))
            try:
                self._apply(step)
            except ConnectionLost as lost:
                self._settle((step,), lost)
            except DcmcfgError as refused:
                self._stop(refused)
            self._done.append(step)
            self._on_step(len(self._done), len(self._plan.steps))

    def _apply(self, step: Step) -> None:
        """Send *step*; to a database that knows no assertion control, what it asserts is checked by a read."""
        if self._asserting:
            try:
                self._directory.apply(step.change)
            except DirectoryError as refused:
                if refused.result_code != UNAVAILABLE_CRITICAL_EXTENSION or not assertion.asserts(step.change):
                    raise
                self._asserting = False
            else:
                return
        check_step(self._directory, step, self._plan.before.schema)
        self._directory.apply(assertion.without(step.change))

    def _settle(self, steps: Sequence[Step], lost: ConnectionLost) -> None:
        """Find out what became of *steps* whose answer was lost; return when they were carried out."""
        try:
            self._directory = self._directory.reopened()
            time.sleep(_GRACE_S)
            made = self._are_made(steps)
        except DcmcfgError as error:
            self._unknown(steps, lost, f"it is not known whether the change was made ({error.what})")
        if made:
            return
        if made is None:
            self._unknown(steps, lost, "the tree is neither as before nor as planned")
        if isinstance(lost, NoAnswerInTime):
            self._unknown(steps, lost, "the change is not made so far, but the server may make it yet")
        self._stop(lost)

    def _are_made(self, steps: Sequence[Step]) -> bool | None:
        """Tell whether the directory holds what *steps* make, or what was before them; None when neither.

        Steps that come to nothing count as made.

        Octets decide first, because a change of case is a change; then the rules of the schema, because a server may
        give a value back in another spelling (a DN without its blanks).
        """
        before = self._plan.before.after(step.change for step in self._done)
        after = before.after(step.change for step in steps)
        for exact in (True, False):
            made, unmade = (self._differing(steps, tree, exact=exact) is None for tree in (after, before))
            if made != unmade:
                return made
        return made or None

    def _unknown(self, steps: Sequence[Step], lost: ConnectionLost, what: str) -> NoReturn:
        """End the roll-out with an undo for either case: *steps* made, and not made."""
        step = f"look with dcmcfg show; if it was made, dcmcfg apply {self._undo_file} takes it back"
        try:
            replace_undo(self._undo_file, self._undo_of((*self._done, *steps)), self._site)
            if self._done:
                other = save_undo(self._undo_file.parent, self._undo_of(self._done), self._site)
                step += f"; if not, dcmcfg apply {other} takes back the {len(self._done)} steps before it"
        except DcmcfgError as error:
            step = f"look with dcmcfg export-ldif; {self._undo_file} takes back the whole plan only ({error.what})"
        raise ChangedButNotFinished(f"{lost.what}, and {what}", on=lost.on, next_step=step) from lost

    def _undo_of(self, done: Sequence[Step]) -> Plan:
        now = self._plan.before.after(step.change for step in done)
        return Plan(self._plan.before, now, tuple(done)).undo()

    def _stop(self, cause: DcmcfgError) -> NoReturn:
        """End the roll-out at a step that failed: with nothing changed, or with an undo of what was done."""
        if not self._done:
            raise _NothingChanged(cause) from cause
        next_step = f"dcmcfg apply {self._undo_file} takes them back"
        try:
            replace_undo(self._undo_file, self._undo_of(self._done), self._site)
        except DcmcfgError as error:
            next_step = f"take them out of {self._undo_file}, which undoes the whole plan: {error.what}"
        raise ChangedButNotFinished(
            f"{cause.what}; {len(self._done)} of {len(self._plan.steps)} steps are done",
            on=cause.on,
            next_step=next_step,
        ) from cause

    def _read_back(self) -> None:
        """Raise :class:`ChangedButNotFinished` unless the directory now holds what was planned."""
        try:
            differing = self._differing(self._plan.steps, self._plan.after)
        except DcmcfgError as error:
            raise ChangedButNotFinished(
                f"the change was made but could not be read back: {error.what}",
                on=error.on,
                next_step=f"look at it with dcmcfg export-ldif; dcmcfg apply {self._undo_file} takes it back",
            ) from error
        if differing is not None:
            raise ChangedButNotFinished(
                "the server holds something else than was planned",
                on=str(differing),
                next_step=f"look at it with dcmcfg export-ldif; dcmcfg apply {self._undo_file} takes the change back",
            )

    def _differing(self, steps: Sequence[Step], wanted: Tree, *, exact: bool = False) -> DN | None:
        """Return the first DN touched by *steps* at which the directory is not as *wanted*, or None.

        Values compare by the schema, or octet for octet when *exact*.
        """
        schema = wanted.schema
        for dn in _touched(steps):
            found, planned = self._directory.read_entry(dn), wanted.get(dn)
            if found is None or planned is None:
                if found is not planned:
                    return dn
            elif difference.between(found, planned, schema) and (exact or not difference.same(found, planned, schema)):
                return dn
        return None


def _touched(steps: Sequence[Step]) -> tuple[DN, ...]:
    """Return the DNs that *steps* name, each once in their order."""
    names: dict[DN, None] = {}
    for step in steps:
        names[step.change.dn] = None
        if isinstance(step.change, Rename):
            names[step.change.new_dn] = None
    return tuple(names)
