"""The two kinds of LDIF records: entries and changes (RFC 2849).

Kept apart: plans use records and load neither the reader nor the writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dcmcfg.changes import Add, Change
from dcmcfg.entry import Entry


class ContentRecord(NamedTuple):
    """A record without ``changetype``; ``line`` is the number of its ``dn:`` line, from 1."""

    entry: Entry
    line: int


class ChangeRecord(NamedTuple):
    """A record with ``changetype``; ``change`` includes the controls, ``line`` is the number of the ``dn:`` line."""

    change: Change
    line: int


#: A content record or a change record.
Record = ContentRecord | ChangeRecord


def has_changes(records: Sequence[Record]) -> bool:
    """Return whether one of *records* changes an existing entry: a delete, modify or rename."""
    return any(isinstance(record, ChangeRecord) and not isinstance(record.change, Add) for record in records)
