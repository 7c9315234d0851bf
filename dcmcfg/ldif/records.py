"""The two kinds of LDIF record: an entry as it is, or a change to make (RFC 2849)."""

from __future__ import annotations

from typing import NamedTuple

from dcmcfg.changes import Change
from dcmcfg.entry import Entry


class ContentRecord(NamedTuple):
    """A record without ``changetype``; ``line`` is that of its ``dn:`` line, from 1."""

    entry: Entry
    line: int


class ChangeRecord(NamedTuple):
    """A record with ``changetype``, its controls on the change; ``line`` is that of its ``dn:`` line, from 1."""

    change: Change
    line: int


Record = ContentRecord | ChangeRecord
