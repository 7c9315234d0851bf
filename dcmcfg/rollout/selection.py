"""Which roll-out ``undo`` and ``apply --resume`` mean, once every interrupted one is settled."""

from __future__ import annotations

import shlex
from itertools import zip_longest

from dcmcfg.errors import NotFound, Refused
from dcmcfg.printable import format_count
from dcmcfg.rollout.history import (
    History,
    RolloutStatus,
    determine_status,
    format_recovery_commands,
    make_unfinished_error,
)
from dcmcfg.rollout.record import RolloutRecord


def select_rollout_to_undo(
    history: History, ldap_url: str, number: int | None, interrupted: RolloutRecord | None
) -> RolloutRecord:
    """Return the roll-out that ``dcmcfg undo`` means: *number*, else the unfinished one or the newest that stands.

    *interrupted* is the one that was cut off, as it was settled: it is meant where nothing else is unfinished. One that
    reverts another is meant only by its number, so that undoing twice goes back by two. Raises :class:`NotFound` when
    there is none, and :class:`Refused` when there is nothing to revert or another roll-out is unfinished.
    """
    record = _select_default_to_undo(history, ldap_url, interrupted) if number is None else history.get_rollout(number)
    if record.header.ldap_url != ldap_url:
        next_step = f"{_format_directory_option(record)} says which directory is meant"
        raise Refused(
            f"roll-out {record.number} was on {record.header.ldap_url}", subject=ldap_url, next_step=next_step
        )
    if undo := history.find_undo_of(record):
        _refuse_superseded(history, undo)
        next_step = f"dcmcfg undo {undo.number} makes it again"
        raise Refused(f"roll-out {record.number} was undone by {_describe_undo(undo)}", next_step=next_step)
    if determine_status(record) is RolloutStatus.NOTHING_CHANGED:
        message = f"roll-out {record.number} has changed nothing"
        if (unfinished := history.find_unfinished(ldap_url)) is not None:
            raise Refused(
                f"{message}; {make_unfinished_error(unfinished).message}",
                next_step=format_recovery_commands(unfinished),
            )
        raise Refused(message, next_step=_suggest_previous(history, record))
    if (unfinished := history.find_blocking(record)) is not None:
        raise make_unfinished_error(unfinished)
    _refuse_superseded(history, record)
    return record


def select_rollout_to_resume(history: History, ldap_url: str, interrupted: RolloutRecord | None) -> RolloutRecord:
    """Return the roll-out that ``dcmcfg apply --resume`` means: the unfinished one.

    *interrupted* is the one that was cut off, as it was settled. It is meant where nothing is unfinished. Raises
    :class:`Refused` when there is none, and when *interrupted* has nothing left to go on with while another roll-out is
    unfinished: the user cannot mean the other one before knowing of it.
    """
    unfinished = history.find_unfinished(ldap_url)
    if interrupted is not None and unfinished is not None and interrupted.number != unfinished.number:
        raise _build_other_unfinished_error(interrupted, unfinished)
    if (found := unfinished or interrupted) is None:
        raise Refused(
            "no roll-out on this directory is unfinished",
            subject=ldap_url,
            next_step="dcmcfg history lists what there was; dcmcfg reload, if the archive has not loaded it",
        )
    return found


def _select_default_to_undo(history: History, ldap_url: str, interrupted: RolloutRecord | None) -> RolloutRecord:
    """Return the roll-out that ``dcmcfg undo`` means without a number."""
    if (unfinished := history.find_unfinished(ldap_url)) is not None:
        if interrupted is not None and unfinished.number not in (interrupted.number, interrupted.header.undo_of):
            raise _build_other_unfinished_error(interrupted, unfinished)
        if unfinished.header.undo_of is not None:
            itself = f"{_format_rollout(unfinished)} was interrupted itself"
            raise Refused(itself, subject=ldap_url, next_step=format_recovery_commands(unfinished))
        return unfinished
    if interrupted is None:
        return _find_newest_in_effect(history, ldap_url)
    if interrupted.header.undo_of is None:
        return interrupted
    if determine_status(interrupted) is RolloutStatus.NOTHING_CHANGED:
        return history.get_rollout(interrupted.header.undo_of)
    next_step = f"dcmcfg undo {interrupted.number} makes roll-out {interrupted.header.undo_of} again"
    raise Refused(
        f"{_format_rollout(interrupted)} was interrupted and is complete",
        subject=ldap_url,
        next_step=f"{next_step}; {_suggest_previous(history, interrupted)}",
    )


def _refuse_superseded(history: History, record: RolloutRecord) -> None:
    """Refuse to revert *record*, which has made a roll-out again, where that roll-out has since gone another way.

    It was reverted by another undo, or it was resumed. Then the undo which *record* has reverted would be in force
    again, although it is not what led to the present tree, or reverted a part of it only. The same is asked of the
    roll-out itself, which may have made yet another one again.
    """
    redo: RolloutRecord | None = record
    while redo is not None:
        undone = history.find_rollout(redo.header.undo_of)
        first = history.find_rollout(undone.header.undo_of) if undone is not None else None
        if undone is None or first is None:
            return
        undo = history.find_undo_of(first)
        description = f"roll-out {first.number}, which roll-out {redo.number} made again,"
        if undo is not None and undo.number != undone.number:
            _refuse_superseded(history, undo)
            next_step = f"dcmcfg undo {undo.number} makes it again"
            raise Refused(
                f"{description} was undone by {_describe_undo(undo)}", subject=_get_url(redo), next_step=next_step
            )
        reverted = undone.header.steps + undone.header.rejected_count
        if first.read_progress().ended and reverted != sum(first.header.undo_sizes[: first.read_progress().applied]):
            next_step = f"dcmcfg undo {first.number} reverts all of it"
            raise Refused(f"{description} was resumed since", subject=_get_url(redo), next_step=next_step)
        redo = first


def _describe_undo(undo: RolloutRecord) -> str:
    """Return the number of *undo*, and what it left out of what it reverted, with the command for that."""
    rejected_count = undo.header.rejected_count
    if not rejected_count:
        return f"roll-out {undo.number}"
    file = shlex.quote(undo.header.rejects or f"undo-{undo.header.undo_of}.rejects.ldif")
    return f"roll-out {undo.number}, but for {format_count(rejected_count, 'change')}: dcmcfg apply {file}"


def _get_url(record: RolloutRecord) -> str:
    return record.header.ldap_url


def _suggest_previous(history: History, record: RolloutRecord) -> str:
    """Return how to go back by one more than *record*, of which nothing is left to revert."""
    try:
        newest = _find_newest_in_effect(history, record.header.ldap_url)
    except NotFound:
        return "dcmcfg history lists what there was"
    return f"dcmcfg undo {newest.number} reverts the roll-out before it"


def _find_newest_in_effect(history: History, ldap_url: str) -> RolloutRecord:
    for record in history.records:
        is_in_effect = determine_status(record) is RolloutStatus.APPLIED and history.find_undo_of(record) is None
        if is_in_effect and record.header.ldap_url == ldap_url and record.header.undo_of is None:
            return record
    next_step = "dcmcfg history lists what there was"
    if (undo := _find_newest_undo_in_effect(history, ldap_url)) is not None:
        next_step = f"dcmcfg undo {undo.number} makes roll-out {undo.header.undo_of} again; {next_step}"
    raise NotFound("no roll-out stands that could be taken back", subject=ldap_url, next_step=next_step)


def _find_newest_undo_in_effect(history: History, ldap_url: str) -> RolloutRecord | None:
    """Return the newest roll-out there that reverted another one and was not reverted itself."""
    undos = (each for each in history.records if each.header.ldap_url == ldap_url and each.header.undo_of is not None)
    return next(
        (each for each in undos if determine_status(each) is RolloutStatus.APPLIED and not history.find_undo_of(each)),
        None,
    )


def _format_directory_option(record: RolloutRecord) -> str:
    """Return the option that said which directory *record* was on: ``--profile`` where its command had one."""
    try:
        words = shlex.split(record.header.command)
    except ValueError:  # a damaged record: the URL is known
        words = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word == "--profile" and following:
            return f"--profile {shlex.quote(following)}"
        if word.startswith("--profile="):
            return shlex.quote(word)
    return f"--ldap-url {shlex.quote(record.header.ldap_url)}"


def _build_other_unfinished_error(interrupted: RolloutRecord, unfinished: RolloutRecord) -> Refused:
    """Return the refusal to take *unfinished* for *interrupted*, which is settled."""
    is_unchanged = determine_status(interrupted) is RolloutStatus.NOTHING_CHANGED
    outcome = "has changed nothing" if is_unchanged else "is complete"
    return Refused(
        f"{_format_rollout(interrupted)} was interrupted and {outcome}; {make_unfinished_error(unfinished).message}",
        subject=unfinished.header.ldap_url,
        next_step=format_recovery_commands(unfinished),
    )


def _format_rollout(record: RolloutRecord) -> str:
    undoes = f", the undo of {record.header.undo_of}," if record.header.undo_of is not None else ""
    return f"roll-out {record.number}{undoes}"
