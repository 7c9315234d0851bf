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
from dcmcfg.edits.temporary_mark import names_left
from dcmcfg.errors import DcmcfgError, DoesNotFit, Refused, UnderWay
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.rollout.execution import resume, roll_out
from dcmcfg.rollout.history import History, Result, result_of
from dcmcfg.rollout.record import Occasion, Record
from dcmcfg.rollout.strategy import manner_left, manner_of
from dcmcfg.rollout.unfinished import plan_back, plan_left, settle

R = TypeVar("R")
#: How long another roll-out may take, before this one is given up.
PATIENCE_S = 60.0
_PAUSE_S = 0.2
#: The addition takes a container or two, device, registration, connection, AE and a value.
_MOST_STEPS = 8
_ATTEMPTS = 3


@dataclass(frozen=True)
class TakenBack:
    """The number of the roll-out that did it, None where nothing was there; and what else in the tree names it."""

    number: int | None
    still_named: tuple[str, ...] = ()


def take_back(directory: Directory, occasion: Occasion, title: str) -> TakenBack:
    """Take the temporary destination *title* out of *directory*, so that nothing of it is left there.

    What is on record is taken back as ``undo`` does, or a taking back gone on with. Where the tree has moved since,
    what is there of it is removed and nothing else. A roll-out of others is waited for, :data:`PATIENCE_S` at most;
    where somebody is faster (another account cleans up too), it is looked at again. Raises what :func:`roll_out` does.
    """
    number = patiently(lambda: _insistently(directory, occasion, title))
    with_rest = directory.reopened()
    try:
        return TakenBack(number, names_left(read_tree(with_rest), title))
    finally:
        with_rest.close()


def patiently(act: Callable[[], R]) -> R:
    """Return what *act* returns, trying again while it raises :class:`UnderWay`."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act()
        except UnderWay:
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE_S)


def _insistently(directory: Directory, occasion: Occasion, title: str) -> int | None:
    for _ in range(_ATTEMPTS):
        with suppress(DoesNotFit):
            return _take_back(directory, occasion, title)
    return _take_back(directory, occasion, title)


def _take_back(directory: Directory, occasion: Occasion, title: str) -> int | None:
    opened = directory.reopened()
    try:
        plan, undoes, unfinished = _planned(opened, occasion.state, title)
        if not plan.steps:
            return None
        if unfinished is not None:
            manner = manner_left(opened, plan)
            return resume(opened, plan, unfinished, manner=manner, state=occasion.state, on_step=_silent).number
        manner = manner_of(opened, plan)
        done = roll_out(opened, plan, manner=manner, occasion=replace(occasion, undoes=undoes), on_step=_silent)
        return done.number
    finally:
        opened.close()


def _planned(directory: Directory, state: Path, title: str) -> tuple[Plan, int | None, Record | None]:
    """Return the plan, the number of the roll-out that it takes back, and the one that it goes on with, if any."""
    url = directory.server.url
    made = _made(History(state), url, title)
    _settle(directory, state, made)
    history, tree = History(state), read_tree(directory)
    unfinished = history.unfinished(url)
    if made is not None and unfinished is not None and unfinished.head.undoes == made.number:
        try:
            return plan_left(unfinished, tree), made.number, unfinished
        except DoesNotFit:
            history.close(unfinished)
    stands = made is not None and result_of(made) is not Result.NOTHING and history.undone_by(made) is None
    undoes = made.number if made is not None and stands else None
    if made is not None and stands and result_of(made) is not Result.CLOSED:
        with suppress(DoesNotFit):
            return plan_back(made, tree), undoes, None
    edit = remove_temporary_destination(Configuration(tree), title)
    plan = make_plan(tree, [Wanted(change) for change in edit.changes])
    if not plan.steps and made is not None and history.is_unfinished(made):
        history.close(made)  # somebody else has taken it back
    return plan, undoes, None


def _settle(directory: Directory, state: Path, made: Record | None) -> None:
    """Find out what became of an interrupted roll-out; of ours, close one that has been overtaken."""
    try:
        settle(state, directory)
    except UnderWay:
        raise
    except Refused:
        history = History(state)
        unfinished = history.unfinished(directory.server.url)
        if made is None or unfinished is None or made.number not in (unfinished.number, unfinished.head.undoes):
            raise
        history.close(unfinished)


def _made(history: History, ldap_url: str, title: str) -> Record | None:
    """Return the roll-out on the directory at *ldap_url* that has added the device of *title*, or was to."""
    for record in history.records:
        with suppress(DcmcfgError):  # one that cannot be read is none of these
            head = record.head
            if head.ldap_url == ldap_url and head.undoes is None and head.steps <= _MOST_STEPS and _adds(record, title):
                return record
    return None


def _adds(record: Record, title: str) -> bool:
    entries = (change.entry for change in record.changes if isinstance(change, Add))
    return any(entry.is_a("dicomDevice") and entry.text("dicomDeviceName") == title.lower() for entry in entries)


def _silent(done: int, steps: int) -> None:
    """Take no notice."""
