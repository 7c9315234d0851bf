"""The two kinds of LDIF record: an entry as it is, or a change to make (RFC 2849).

Kept apart: plans use records and load neither the reader nor the writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dcmcfg.changes import Add, Change
from dcmcfg.entry import Entry


class ContentRecord(NamedTuple):
    """A record without ``changetype``; ``line`` is that of its ``dn:`` line, from 1."""

    entry: Entry
    line: int


class ChangeRecord(NamedTuple):
    """A record with ``changetype``, its controls on the change; ``line`` is that of its ``dn:`` line, from 1."""

    change: Change
    line: int


#: A record of either kind.
Record = ContentRecord | ChangeRecord


def has_changes(records: Sequence[Record]) -> bool:
    """Return whether one of *records* changes an entry that exists: a delete, a modify or a rename."""
    return any(isinstance(record, ChangeRecord) and not isinstance(record.change, Add) for record in records)
