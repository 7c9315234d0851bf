"""What the releases of an upgrade must be, and what is unusual about the site and the releases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dcmcfg.errors import Refused
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.release import Release, Version, format_version
from dcmcfg.upgrade.tree_status import TreeStatus

#: The first release whose update files are divided by component.
_OLDEST: Version = (5, 10)
_MANY_RELEASES, _MAX_DAMAGES = 5, 5


def require_upgrade(source: Release, target: Release, installed: Release) -> None:
    """Raise :class:`Refused` if *target* is not newer than *source*, has no update files, or a release is too old."""
    if source.version is not None and target.version is not None and target.version <= source.version:
        is_equal = target.version == source.version
        raise Refused(
            f"release {target.label} is not newer than release {source.label}",
            next_step="to list the differences from a new installation: dcmcfg upgrade gap --to FOLDER"
            if is_equal
            else "specify the present release with --from, and the new release with --to",
        )
    for each, option in ((source, "--from"), (installed, "--installed")):
        if each.version is not None and each.version < _OLDEST:
            raise Refused(
                f"release {each.label} is too old: dcmcfg can upgrade release {format_version(_OLDEST)} or newer",
                subject=each.name,
                next_step=f"upgrade to {format_version(_OLDEST)} as its release notes describe, then specify a later "
                f"release with {option}",
            )
    if source.version is not None and installed.version is not None and installed.version > source.version:
        raise Refused(
            f"--installed: release {installed.label} is newer than the present release {source.label}",
            next_step="specify the release of the first installation at the site",
        )
    if not target.updates:
        raise Refused(
            "the release has no update files, so its official changes are unknown",
            subject=target.name,
            next_step="specify the folder of the update files with --updates DIR",
        )


def is_at_target(status: TreeStatus, target: Release) -> bool:
    """Return whether the configuration matches the release *target* best."""
    match = status.match
    return match is not None and target.version is not None and match.first <= target.version <= match.last


def list_damages(target: Release, installed: Release) -> tuple[str, ...]:
    """Return what cannot be read of the update files that lead from *installed* to *target*."""
    files = target.list_updates(installed.version, target.version)
    return tuple(damage for each in files for damage in each.damages)


def find_missed_range(status: TreeStatus, installed: Release) -> tuple[Version, Version] | None:
    """Return the release of the tree and that of *installed*, if the latter is newer, or else None.

    The official changes after the first one, up to the second one, are not in the plan: the plan takes them for made.
    """
    match, version = status.match, installed.version
    return (match.last, version) if match is not None and version is not None and version > match.last else None


def list_warnings(status: TreeStatus, source: Release, target: Release, installed: Release) -> Iterator[str]:
    """Yield a sentence for each contradiction between the site, its software and the releases."""
    match, version = status.match, source.version
    if damages := list_damages(target, installed):
        yield (
            f"update files of release {target.label} are damaged, and their changes are missing in the plan: "
            f"{_join_damages(damages)}. Get the release again, and plan again"
        )
    if target.version is not None and target.updates and target.version not in _list_versions(target):
        newest = format_version(max(_list_versions(target)))
        yield (
            f"there are no update files for release {target.label}; the newest update files are for release {newest}. "
            f"If the distribution has a folder ldap/{target.label}, specify the folder ldap with --updates"
        )
    if is_at_target(status, target):
        pass  # nothing is left of the way from --from
    elif match is not None and version is not None and not match.first <= version <= match.last:
        between = {
            each.version
            for each in target.updates
            if min(match.last, version) < each.version <= max(match.last, version)
        }
        found = (
            f"the configuration matches release {format_version(match.last)} best, but --from specifies {source.label}"
        )
        if len(between) > _MANY_RELEASES:
            differing = (each for each in status.components if each.match.differs_from(match))
            parts = ", ".join(f"{each.name}: {format_version(each.match.last)}" for each in differing)
            found = f"{found}, which is {len(between)} releases away" + (f" ({parts})" if parts else "")
        missed = find_missed_range(status, installed)
        yield f"{found}. " + (
            "The plan starts from the release that the configuration matches best"
            if missed is None
            else _describe_missed_range(missed, may_be_older=status.may_be_older)
        )
    if match is not None and status.software is not None and status.software > match.last:
        yield (
            f"the archive's software is release {format_version(status.software)}, but the update files for releases "
            f"after {format_version(match.last)} have not been applied to the configuration"
        )
    if target.version is not None and status.software is not None and status.software > target.version:
        yield f"the archive's software is already newer than release {target.label}"


def describe_exchanged_titles(status: TreeStatus, installed: Release, titles: Mapping[str, str]) -> str:
    """Return a warning if AEs have the titles of each other, and update files have changed them; empty otherwise.

    *titles* are the titles of the default configuration → those at the site. A file that runs as shipped changes the AE
    that has the title now, which is another one than the file is for. Nothing shows which of its values these are.
    """
    exchanged = sorted(new for old, new in titles.items() if old != new and new in titles)
    missed = status.match is not None and installed.version is not None and status.match.first > installed.version
    if not exchanged or not missed:
        return ""
    return (
        f"the AEs {', '.join(exchanged)} have titles that other AEs have in the default configuration. The update "
        f"files after release {installed.label} use the titles of the default configuration. If you applied these "
        "files unmodified, the files changed the wrong AEs. The right AEs do not have these changes, and the plan does "
        "not contain them. Compare the capabilities and the view of these AEs with the release: dcmcfg upgrade gap "
        "--to FOLDER"
    )


def list_status_warnings(target: Release) -> Iterator[str]:
    """Yield a sentence if update files of *target*, which show the release of a tree, cannot be read."""
    if damages := [damage for each in target.list_updates(up_to=target.version) for damage in each.damages]:
        yield (
            f"update files of release {target.label} are damaged, so the release of the configuration is less certain: "
            f"{_join_damages(damages)}. Get the release again"
        )


def _join_damages(damages: Sequence[str]) -> str:
    return join_limited(damages, _MAX_DAMAGES, separator="; ")


def _list_versions(release: Release) -> frozenset[Version]:
    return frozenset(each.version for each in release.updates)


def _describe_missed_range(missed: tuple[Version, Version], *, may_be_older: bool) -> str:
    present, named = map(format_version, missed)
    folder = f"the site's release ({present} or older)" if may_be_older else f"release {present}"
    return (
        f"The changes of the releases after {present} up to {named} may be missing in the plan. If the configuration "
        f"does not have these changes yet, plan again and specify the folder of {folder} with --from or --installed"
    )
