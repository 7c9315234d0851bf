"""The two kinds of LDIF record: an entry as it is, or a change to make (RFC 2849)."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.changes import Change
from dcmcfg.entry import Entry


@dataclass(frozen=True)
class ContentRecord:
    """A record without ``changetype``; ``line`` is that of its ``dn:`` line, from 1."""

    entry: Entry
    line: int


@dataclass(frozen=True)
class ChangeRecord:
    """A record with ``changetype``, its controls on the change; ``line`` is that of its ``dn:`` line, from 1."""

    change: Change
    line: int


Record = ContentRecord | ChangeRecord
