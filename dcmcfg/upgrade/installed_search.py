"""Find the release that a site was first installed with: with it as the base, an upgrade has the fewest decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dcmcfg.errors import Refused
from dcmcfg.model.tree import Tree
from dcmcfg.upgrade.options import DEFAULT_OPTIONS, UpgradeOptions
from dcmcfg.upgrade.preparation import prepare_upgrade
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.signs import ReleaseMatch


@dataclass(frozen=True, kw_only=True)
class InstalledCandidate:
    """A release that the site may have been installed with.

    ``decision_count`` and ``dropped_count`` are those of an upgrade from it; ``behind`` are the components that earlier
    updates have not reached.
    """

    release: Release
    decision_count: int
    dropped_count: int
    behind: tuple[str, ...]

    @property
    def unsolved_count(self) -> int:
        """The number of decisions and of changes that are not made, by which candidates are compared."""
        return self.decision_count + self.dropped_count


def choose_present(releases: Sequence[Release], match: ReleaseMatch) -> Release | None:
    """Return the newest of *releases* that the tree of *match* can be at, or None."""
    known = [each for each in releases if each.version is not None and each.version <= match.last]
    return max(known, key=lambda each: each.version or (), default=None)


def rank_installed(
    tree: Tree,
    releases: Sequence[Release],
    present: Release,
    target: Release,
    *,
    options: UpgradeOptions = DEFAULT_OPTIONS,
) -> tuple[InstalledCandidate, ...]:
    """Return those of *releases* up to *present* by the unsolved changes of an upgrade to *target*, the fewest first.

    Of equal ones, the newest is first. A release is left out if the roles are uncertain with it.
    """
    found = list(_iterate_candidates(tree, releases, present, (target, options)))
    found.sort(key=lambda each: each.release.version or (), reverse=True)
    return tuple(sorted(found, key=lambda each: each.unsolved_count))


def _iterate_candidates(
    tree: Tree, releases: Sequence[Release], present: Release, aim: tuple[Release, UpgradeOptions]
) -> Iterator[InstalledCandidate]:
    target, options = aim
    for each in releases:
        if each.version is None or present.version is None or each.version > present.version:
            continue
        try:
            upgrade = prepare_upgrade(tree, present, target, each, options=options)
        except Refused:
            continue
        yield InstalledCandidate(
            release=each,
            decision_count=len(upgrade.decisions),
            dropped_count=len(upgrade.dropped),
            behind=upgrade.reconstructed.behind,
        )
