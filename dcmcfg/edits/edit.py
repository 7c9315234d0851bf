"""What an intent comes to: the changes it wants, with what the user should know before.

Kept apart: all edits return it and do not load one another.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.model.references.index import Reference


@dataclass(frozen=True)
class Referrer:
    """A reference of an entry that stays to one that goes, ``target``."""

    reference: Reference
    target: DN


@dataclass(frozen=True)
class Edit:
    """The desired ``changes``, in the form that is right in each state of the tree, with ``warnings`` as sentences.

    ``referrers`` are what refers to the entries that a removal deletes; None where the edit is none.
    """

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    referrers: tuple[Referrer, ...] | None = None
