"""The user's choices for an upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dcmcfg.upgrade.vendor_data import Side

#: The kinds of differences from a new installation that a plan can also remove, in the order of reports:
#:
#: ``corrections``: an official record failed, was never run, or addresses another AE than that of its file.
#: ``additions``, ``values``: entries and values of a new installation that no official record makes.
#: ``removals``: entries that a new installation no longer has.
GAP_KINDS = ("corrections", "additions", "values", "removals")
ALL_KINDS = "all"


@dataclass(frozen=True, kw_only=True)
class UpgradeOptions:
    """The user's choices.

    ``archive`` is the name of the archive's device; ``roles`` are answers (role → name, or ``-``); ``without`` are new
    devices of the release that the site does not want; ``also`` are clones that get the changes of the AE that they
    resemble; ``gap`` are the kinds of gap changes that are made; ``take`` are the decisions in which the release wins,
    and ``keep`` those in which the site's state stays, by number or place; ``vendor`` answers conflicts of vendor data.
    """

    archive: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    gap: frozenset[str] = frozenset()
    take: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    vendor: Side | None = None

    def wants_gap(self, kind: str) -> bool:
        """Return whether the plan makes the gap changes of *kind*."""
        return kind in self.gap or ALL_KINDS in self.gap


#: The defaults: the official changes, no gap, no clones.
DEFAULT_OPTIONS = UpgradeOptions()
