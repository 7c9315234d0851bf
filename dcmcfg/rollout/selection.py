"""Which roll-out ``undo`` and ``apply --resume`` mean, once every interrupted one is settled."""

from __future__ import annotations

import shlex
from itertools import zip_longest

from dcmcfg.errors import NotFound, Refused
from dcmcfg.rollout.history import History, Result, not_finished, result_of, two_ways
from dcmcfg.rollout.record import Record


def to_take_back(history: History, ldap_url: str, number: int | None, interrupted: Record | None) -> Record:
    """Return the roll-out that ``dcmcfg undo`` means: *number*, else the unfinished one or the newest that stands.

    *interrupted* is the one that was cut off, as it was settled: it is meant where nothing else is unfinished. One that
    reverts another is meant only by its number, so that undoing twice goes back by two. Raises :class:`NotFound` when
    there is none, and :class:`Refused` when there is nothing to revert or another roll-out is unfinished.
    """
    record = _meant(history, ldap_url, interrupted) if number is None else history.numbered(number)
    if record.head.ldap_url != ldap_url:
        where = f"{_said_where(record)} says which directory is meant"
        raise Refused(f"roll-out {record.number} was on {record.head.ldap_url}", on=ldap_url, next_step=where)
    if undoing := history.undone_by(record):
        _refuse_overtaken(history, undoing)
        again = f"dcmcfg undo {undoing.number} makes it again"
        raise Refused(f"roll-out {record.number} was undone by {_undoing(undoing)}", next_step=again)
    if result_of(record) is Result.NOTHING:
        nothing = f"roll-out {record.number} has changed nothing"
        if (unfinished := history.unfinished(ldap_url)) is not None:
            raise Refused(f"{nothing}; {not_finished(unfinished).what}", next_step=two_ways(unfinished))
        raise Refused(nothing, next_step=_before(history, record))
    if (unfinished := history.unfinished_beside(record)) is not None:
        raise not_finished(unfinished)
    _refuse_overtaken(history, record)
    return record


def to_resume(history: History, ldap_url: str, interrupted: Record | None) -> Record:
    """Return the roll-out that ``dcmcfg apply --resume`` means: the unfinished one.

    *interrupted* is the one that was cut off, as it was settled. It is meant where nothing is unfinished. Raises
    :class:`Refused` when there is none, and when *interrupted* has nothing left to go on with while another roll-out is
    unfinished: the user cannot mean the other one before hearing of it.
    """
    unfinished = history.unfinished(ldap_url)
    if interrupted is not None and unfinished is not None and interrupted.number != unfinished.number:
        raise _another_is_left(interrupted, unfinished)
    if (found := unfinished or interrupted) is None:
        raise Refused(
            "no roll-out on this directory is unfinished",
            on=ldap_url,
            next_step="dcmcfg history lists what there was; dcmcfg reload, if the archive has not loaded it",
        )
    return found


def _meant(history: History, ldap_url: str, interrupted: Record | None) -> Record:
    """Return the roll-out that ``dcmcfg undo`` means without a number."""
    if (unfinished := history.unfinished(ldap_url)) is not None:
        if interrupted is not None and unfinished.number not in (interrupted.number, interrupted.head.undoes):
            raise _another_is_left(interrupted, unfinished)
        if unfinished.head.undoes is not None:
            itself = f"{_called(unfinished)} was interrupted itself"
            raise Refused(itself, on=ldap_url, next_step=two_ways(unfinished))
        return unfinished
    if interrupted is None:
        return _newest_standing(history, ldap_url)
    if interrupted.head.undoes is None:
        return interrupted
    if result_of(interrupted) is Result.NOTHING:
        return history.numbered(interrupted.head.undoes)
    again = f"dcmcfg undo {interrupted.number} makes roll-out {interrupted.head.undoes} again"
    raise Refused(
        f"{_called(interrupted)} was interrupted and is complete",
        on=ldap_url,
        next_step=f"{again}; {_before(history, interrupted)}",
    )


def _refuse_overtaken(history: History, record: Record) -> None:
    """Refuse to revert *record*, which has made a roll-out again, where that roll-out has since gone another way.

    It was reverted by another undo, or it was resumed. Then the undo which *record* has reverted would be in force
    again, although it is not what led to the present tree, or reverted a part of it only. The same is asked of the
    roll-out itself, which may have made yet another one again.
    """
    redo: Record | None = record
    while redo is not None:
        undone = history.named(redo.head.undoes)
        first = history.named(undone.head.undoes) if undone is not None else None
        if undone is None or first is None:
            return
        undoing = history.undone_by(first)
        made_again = f"roll-out {first.number}, which roll-out {redo.number} made again,"
        if undoing is not None and undoing.number != undone.number:
            _refuse_overtaken(history, undoing)
            again = f"dcmcfg undo {undoing.number} makes it again"
            raise Refused(f"{made_again} was undone by {_undoing(undoing)}", on=_url(redo), next_step=again)
        reverted = undone.head.steps + undone.head.left_out
        if first.progress().ended and reverted != sum(first.head.undo_sizes[: first.progress().done]):
            whole = f"dcmcfg undo {first.number} reverts all of it"
            raise Refused(f"{made_again} was resumed since", on=_url(redo), next_step=whole)
        redo = first


def _undoing(undoing: Record) -> str:
    """Return the number of *undoing*, and what it left out of what it reverted, with the command for that."""
    left_out = undoing.head.left_out
    if not left_out:
        return f"roll-out {undoing.number}"
    file = shlex.quote(undoing.head.rejects or f"undo-{undoing.head.undoes}.rejects.ldif")
    return f"roll-out {undoing.number}, but for {left_out} change{'' if left_out == 1 else 's'}: dcmcfg apply {file}"


def _url(record: Record) -> str:
    return record.head.ldap_url


def _before(history: History, record: Record) -> str:
    """Return how to go back by one more than *record*, of which nothing is left to revert."""
    try:
        standing = _newest_standing(history, record.head.ldap_url)
    except NotFound:
        return "dcmcfg history lists what there was"
    return f"dcmcfg undo {standing.number} reverts the roll-out before it"


def _newest_standing(history: History, ldap_url: str) -> Record:
    for record in history.records:
        stands = result_of(record) is Result.DONE and history.undone_by(record) is None
        if stands and record.head.ldap_url == ldap_url and record.head.undoes is None:
            return record
    next_step = "dcmcfg history lists what there was"
    if (undo := _standing_undo(history, ldap_url)) is not None:
        next_step = f"dcmcfg undo {undo.number} makes roll-out {undo.head.undoes} again; {next_step}"
    raise NotFound("no roll-out stands that could be taken back", on=ldap_url, next_step=next_step)


def _standing_undo(history: History, ldap_url: str) -> Record | None:
    """Return the newest roll-out there that took another back and was not taken back itself."""
    there = (each for each in history.records if each.head.ldap_url == ldap_url and each.head.undoes is not None)
    return next((each for each in there if result_of(each) is Result.DONE and not history.undone_by(each)), None)


def _said_where(record: Record) -> str:
    """Return the option that said which directory *record* was on: ``--profile`` where its command had one."""
    try:
        words = shlex.split(record.head.command)
    except ValueError:  # a damaged record: the URL is known
        words = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word == "--profile" and following:
            return f"--profile {shlex.quote(following)}"
        if word.startswith("--profile="):
            return shlex.quote(word)
    return f"--ldap-url {shlex.quote(record.head.ldap_url)}"


def _another_is_left(interrupted: Record, unfinished: Record) -> Refused:
    """Return the refusal to take *unfinished* for *interrupted*, which is settled."""
    nothing = result_of(interrupted) is Result.NOTHING
    became = "has changed nothing" if nothing else "is complete"
    return Refused(
        f"{_called(interrupted)} was interrupted and {became}; {not_finished(unfinished).what}",
        on=unfinished.head.ldap_url,
        next_step=two_ways(unfinished),
    )


def _called(record: Record) -> str:
    undoes = f", the undo of {record.head.undoes}," if record.head.undoes is not None else ""
    return f"roll-out {record.number}{undoes}"
