"""Find the renames that this account has made on a directory."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Rename
from dcmcfg.errors import DcmcfgError
from dcmcfg.plan.rename_hints import PastRename
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.timestamps import reformat_timestamp

#: The maximum number of roll-outs with renames that are read, from the newest.
_MAX_READ = 50


def find_past_renames(history: History, ldap_url: str) -> tuple[PastRename, ...]:
    """Return the renames in effect of roll-outs in *history* on the directory at *ldap_url*, the oldest first.

    A partly reverted roll-out and its partial undo are both included: in this order, they lead to the current names.
    Unreadable records are skipped.
    """
    found: list[RolloutRecord] = []
    for record in history.records:
        try:
            is_in_effect = (
                not history.is_fully_undone(record) and determine_status(record) is not RolloutStatus.NOTHING_CHANGED
            )
            # The counts in the header show whether the plan must be parsed.
            if record.header.ldap_url == ldap_url and record.header.counts.get("rename") and is_in_effect:
                found.append(record)
        except DcmcfgError:
            continue
    return tuple(each for record in reversed(found[:_MAX_READ]) for each in _iterate_renames(history, record))


def _iterate_renames(history: History, record: RolloutRecord) -> Iterator[PastRename]:
    try:
        changes = record.changes
    except DcmcfgError:
        return
    for change in changes:
        if isinstance(change, Rename):
            is_partly_undone = history.find_undo_of(record) is not None
            yield PastRename(
                change, record.number, reformat_timestamp(record.header.started_at), is_partly_undone=is_partly_undone
            )
