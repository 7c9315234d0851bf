"""Find the plans that this account has applied to a directory.

Kept apart: only the commands of ``dcmcfg upgrade`` read the comments of earlier plans.
"""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.history import History, RolloutStatus, determine_status

#: The maximum number of roll-outs that are read, from the newest.
_MAX_READ = 200


def iterate_plan_heads(history: History, ldap_url: str) -> Iterator[bytes]:
    """Yield the first octets, with the comments, of the plans of roll-outs in effect at *ldap_url*, the newest first.

    Unreadable records are skipped.
    """
    for record in history.records[:_MAX_READ]:
        try:
            if (
                record.header.ldap_url == ldap_url
                and record.header.undo_of is None
                and not history.is_fully_undone(record)
                and determine_status(record) is not RolloutStatus.NOTHING_CHANGED
            ):
                yield record.read_plan_head()
        except DcmcfgError:
            continue
