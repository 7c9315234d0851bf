"""Select the roll-out for ``undo`` and ``apply --resume``, after interrupted roll-outs were reconciled."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
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
    """Return the roll-out for ``dcmcfg undo``: *number*, or the unfinished one, or the newest one in effect.

    *interrupted* is the interrupted roll-out after it was reconciled; it is selected if no other one is unfinished. An
    undo is only selected by its number, so that two undos in a row revert two roll-outs. Raises :class:`NotFound` if
    there is none, and :class:`Refused` if there is nothing to revert, or another roll-out is unfinished.
    """
    record = _select_default_to_undo(history, ldap_url, interrupted) if number is None else history.get_rollout(number)
    if record.header.ldap_url != ldap_url:
        next_step = (
            f"select that directory: {_format_directory_option(record)}; if that directory no longer exists, for "
            "example that of a removed lab, the change requires no undo"
        )
        raise Refused(
            f"change {record.number} was made on {record.header.ldap_url}", subject=ldap_url, next_step=next_step
        )
    if undo := history.find_undo_of(record):
        _refuse_superseded(history, undo)
        next_step = _suggest_redo(history, undo)
        raise Refused(f"change {record.number} was reverted by {_describe_undo(undo)}", next_step=next_step)
    if determine_status(record) is RolloutStatus.NOTHING_CHANGED:
        message = f"change {record.number} has changed nothing"
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
    """Return the roll-out for ``dcmcfg apply --resume``: the unfinished one.

    *interrupted* is the interrupted roll-out after it was reconciled; it is selected if none is unfinished. Raises
    :class:`Refused` if there is none, or if *interrupted* has nothing left to resume while another roll-out is
    unfinished: the user cannot mean that one without knowing about it.
    """
    unfinished = history.find_unfinished(ldap_url)
    if interrupted is not None and unfinished is not None and interrupted.number != unfinished.number:
        raise _build_other_unfinished_error(interrupted, unfinished)
    if (found := unfinished or interrupted) is None:
        raise Refused(
            "there is no unfinished change on this directory",
            subject=ldap_url,
            next_step="to list all changes: dcmcfg history; "
            "if the archive has not loaded the last change: dcmcfg reload",
        )
    return found


def _select_default_to_undo(history: History, ldap_url: str, interrupted: RolloutRecord | None) -> RolloutRecord:
    """Return the roll-out for ``dcmcfg undo`` without a number."""
    if (unfinished := history.find_unfinished(ldap_url)) is not None:
        # If an interrupted undo has changed nothing, the roll-out that it was to revert is unfinished and is selected.
        if interrupted is not None and unfinished.number not in (interrupted.number, interrupted.header.undo_of):
            raise _build_other_unfinished_error(interrupted, unfinished)
        if unfinished.header.undo_of is not None:
            message = f"{_format_rollout(unfinished)} was also interrupted"
            raise Refused(message, subject=ldap_url, next_step=format_recovery_commands(unfinished))
        return unfinished
    if interrupted is None:
        return _find_newest_in_effect(history, ldap_url)
    if interrupted.header.undo_of is None:
        return interrupted
    if determine_status(interrupted) is RolloutStatus.NOTHING_CHANGED:
        return history.get_rollout(interrupted.header.undo_of)
    next_step = _suggest_redo(history, interrupted)
    raise Refused(
        f"{_format_rollout(interrupted)} was interrupted, but is now complete",
        subject=ldap_url,
        next_step=f"{next_step}; {_suggest_previous(history, interrupted)}",
    )


def _refuse_superseded(history: History, record: RolloutRecord) -> None:
    """Refuse to revert *record*, a redo of another roll-out, if that roll-out was reverted or resumed since.

    Otherwise, the undo that *record* has reverted would be in effect again, although another undo led to the current
    tree, or although it reverted only a part. The redone roll-out may be a redo itself, so it is checked in the same
    way.
    """
    redo: RolloutRecord | None = record
    while redo is not None:
        undone = history.find_rollout(redo.header.undo_of)
        first = history.find_rollout(undone.header.undo_of) if undone is not None else None
        if undone is None or first is None:
            return
        undo = history.find_undo_of(first)
        description = f"change {redo.number} has redone change {first.number}, but change {first.number}"
        if undo is not None and undo.number != undone.number:
            _refuse_superseded(history, undo)
            next_step = _suggest_redo(history, undo)
            raise Refused(
                f"{description} was later reverted by {_describe_undo(undo)}",
                subject=_get_url(redo),
                next_step=next_step,
            )
        reverted = undone.header.steps + undone.header.rejected_count
        if first.read_progress().ended and reverted != sum(first.header.undo_sizes[: first.read_progress().applied]):
            next_step = f"to revert all steps of change {first.number}: dcmcfg undo {first.number}"
            raise Refused(f"{description} was later resumed", subject=_get_url(redo), next_step=next_step)
        redo = first


def _describe_undo(undo: RolloutRecord) -> str:
    """Return the number of *undo*, with the number of omitted changes and the command to apply them."""
    rejected_count = undo.header.rejected_count
    if not rejected_count:
        return f"change {undo.number}"
    file = shlex.quote(undo.header.rejects or f"undo-{undo.header.undo_of}.rejects.ldif")
    return (
        f"change {undo.number}, except for {format_count(rejected_count, 'rejected step')} "
        f"(to revert this part too: dcmcfg apply {file})"
    )


def _get_url(record: RolloutRecord) -> str:
    return record.header.ldap_url


def _suggest_redo(history: History, undo: RolloutRecord) -> str:
    """Return the command that reverts *undo*, with a condition if a later change is in effect."""
    later = [each for each in _find_in_effect(history, _get_url(undo)) if each.number > undo.number]
    condition = f" (this may conflict with change {later[0].number})" if later else ""
    return f"to redo change {undo.header.undo_of}{condition}, revert its undo: dcmcfg undo {undo.number}"


def _suggest_previous(history: History, record: RolloutRecord) -> str:
    """Return the command that reverts the roll-out before *record*, of which nothing is left to revert."""
    try:
        newest = _find_newest_in_effect(history, record.header.ldap_url)
    except NotFound:
        return "to list all changes: dcmcfg history"
    return f"to revert the previous change: dcmcfg undo {newest.number}"


def _find_in_effect(history: History, ldap_url: str) -> Iterator[RolloutRecord]:
    """Yield the roll-outs on the directory at *ldap_url* that were applied and not reverted, the newest first."""
    for record in history.records:
        is_in_effect = determine_status(record) is RolloutStatus.APPLIED and history.find_undo_of(record) is None
        if is_in_effect and _get_url(record) == ldap_url and record.header.undo_of is None:
            yield record


def _find_newest_in_effect(history: History, ldap_url: str) -> RolloutRecord:
    if (newest := next(_find_in_effect(history, ldap_url), None)) is not None:
        return newest
    next_step = "to list all changes: dcmcfg history"
    if (undo := _find_newest_undo_in_effect(history, ldap_url)) is not None:
        next_step = f"{_suggest_redo(history, undo)}; {next_step}"
    raise NotFound("there is no change to revert", subject=ldap_url, next_step=next_step)


def _find_newest_undo_in_effect(history: History, ldap_url: str) -> RolloutRecord | None:
    """Return the newest undo on the directory at *ldap_url* that was not reverted itself, or None."""
    undos = (each for each in history.records if each.header.ldap_url == ldap_url and each.header.undo_of is not None)
    return next(
        (each for each in undos if determine_status(each) is RolloutStatus.APPLIED and not history.find_undo_of(each)),
        None,
    )


def _format_directory_option(record: RolloutRecord) -> str:
    """Return the option that selects the directory of *record*: ``--profile`` if its command had one, or the URL."""
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
    """Return the error for an unfinished roll-out *unfinished* other than *interrupted*, which is finished."""
    is_unchanged = determine_status(interrupted) is RolloutStatus.NOTHING_CHANGED
    outcome = "and has changed nothing" if is_unchanged else "but is now complete"
    return Refused(
        f"{_format_rollout(interrupted)} was interrupted {outcome}; {make_unfinished_error(unfinished).message}",
        subject=unfinished.header.ldap_url,
        next_step=format_recovery_commands(unfinished),
    )


def _format_rollout(record: RolloutRecord) -> str:
    undoes = f" (the undo of change {record.header.undo_of})" if record.header.undo_of is not None else ""
    return f"change {record.number}{undoes}"
