"""What an intent comes to: the changes it wants, with what the user should know before."""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.changes import Change


@dataclass(frozen=True)
class Edit:
    """The wanted ``changes``, in the form that is right in each state of the tree, with ``warnings`` as sentences."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
