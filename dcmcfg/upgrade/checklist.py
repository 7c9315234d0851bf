"""The steps of an upgrade outside the configuration: files of the distribution that dcmcfg does not apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dcmcfg.upgrade.release import Version, is_update_name, parse_version


@dataclass(frozen=True, kw_only=True)
class DistributionFiles:
    """The files beside the LDAP folder of a release, by their path in the distribution.

    ``configuration`` maps the paths of WildFly's configuration files to a digest of their content.
    """

    sql: tuple[str, ...] = ()
    cli: tuple[str, ...] = ()
    configuration: Mapping[str, str] = field(default_factory=dict)
    updates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Checklist:
    """The files for the administrator: of the database, of WildFly, and update files that dcmcfg does not use.

    ``sql`` are in the order of application for each database. ``configuration`` are those that differ between the two
    distributions, or are new.
    """

    sql: tuple[str, ...] = ()
    cli: tuple[str, ...] = ()
    configuration: tuple[str, ...] = ()
    unused_updates: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the distribution has no such files."""
        return not (self.sql or self.cli or self.configuration or self.unused_updates)


#: Nothing is left to do.
NO_CHECKLIST = Checklist()


def make_checklist(
    source: DistributionFiles, target: DistributionFiles, after: Version | None, up_to: Version | None
) -> Checklist:
    """Return what is left to do outside the configuration, for the versions after *after* and up to *up_to*."""
    return Checklist(
        sql=tuple(_select_versions(target.sql, after, up_to)),
        cli=tuple(sorted(target.cli)),
        configuration=tuple(
            sorted(path for path, digest in target.configuration.items() if source.configuration.get(path) != digest)
        )
        if source.configuration
        else (),
        unused_updates=tuple(_select_versions((each for each in target.updates if _is_unused(each)), after, up_to)),
    )


def _is_unused(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("update-") and name.endswith(".ldif") and not is_update_name(name)


def _select_versions(
    paths: Iterator[str] | tuple[str, ...], after: Version | None, up_to: Version | None
) -> Iterator[str]:
    """Yield *paths* whose name has a version in the range, by folder and version."""
    found = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        version = parse_version(name)
        if version is not None and (after is None or version > after) and (up_to is None or version <= up_to):
            # The update files of each version are in a folder of their own.
            database = folder if path.startswith("sql/") else ""
            found.append((database, version, path))
    yield from (path for _, _, path in sorted(found))
