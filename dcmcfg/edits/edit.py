"""The result of an edit: the desired changes, with warnings for the user.

Kept apart: all modules of edits return it and do not load each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.changes import Change
from dcmcfg.dn import DN
from dcmcfg.model.references.index import Reference


@dataclass(frozen=True)
class Referrer:
    """A reference of a remaining entry to the removed entry ``target``."""

    reference: Reference
    target: DN


@dataclass(frozen=True)
class Edit:
    """The desired ``changes``, which are correct for any state of the tree, with ``warnings`` as sentences.

    ``referrers`` are the references to entries that a removal deletes; None if the edit is not a removal.
    """

    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()
    referrers: tuple[Referrer, ...] | None = None
