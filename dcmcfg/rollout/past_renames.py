"""The renames that this account has made on a directory."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.changes import Rename
from dcmcfg.errors import DcmcfgError
from dcmcfg.plan.rename_hints import PastRename
from dcmcfg.rollout.history import History, RolloutStatus, determine_status
from dcmcfg.rollout.record import RolloutRecord
from dcmcfg.timestamps import reformat_timestamp

#: Of roll-outs with renames, so many are read, the newest ones.
_MAX_READ = 50


def find_past_renames(history: History, ldap_url: str) -> tuple[PastRename, ...]:
    """Return the renames of the roll-outs in *history* on the directory at *ldap_url* that stand, the oldest first.

    A roll-out that was undone but for some changes stands, as does what undid it: in this order they lead to the names
    there are. A record that cannot be read is passed over.
    """
    found: list[RolloutRecord] = []
    for record in history.records:
        try:
            is_in_effect = (
                not history.is_fully_undone(record) and determine_status(record) is not RolloutStatus.NOTHING_CHANGED
            )
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
