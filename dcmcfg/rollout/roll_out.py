"""Rolling a plan out: the record first, then the directory, then a look at what it holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.directory.server import Directory
from dcmcfg.errors import ChangedButNotFinished, DcmcfgError, Refused
from dcmcfg.plan.plan import Plan
from dcmcfg.rollout.interruption import HeldInterrupts
from dcmcfg.rollout.left import refuse_unfinished
from dcmcfg.rollout.lock import directory_lock
from dcmcfg.rollout.manner import Manner, in_order_sent, in_parts
from dcmcfg.rollout.preconditions import check_unmoved
from dcmcfg.rollout.read_back import differing
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.recording import Occasion, record_roll_out
from dcmcfg.rollout.writing import NothingChanged, OnStep, Writing


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
