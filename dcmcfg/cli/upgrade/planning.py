"""Read the releases and the configuration, and prepare an upgrade: the common part of ``upgrade plan|gap|apply``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from dcmcfg.changes import Rename
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.schema_servers import require_schema
from dcmcfg.directory.hidden_entries import iterate_hidden
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.directory.subordinates import read_child_counts
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import MalformedInput, NotFound
from dcmcfg.files.distribution import read_distribution
from dcmcfg.files.named_release import read_named_release, read_named_schema
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.model.tree import Tree
from dcmcfg.rollout.history import History
from dcmcfg.rollout.past_renames import find_past_renames
from dcmcfg.rollout.past_upgrades import iterate_plan_heads
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.upgrade.checklist import NO_CHECKLIST, Checklist, make_checklist
from dcmcfg.upgrade.completeness import list_missing, list_missing_aes, require_complete, require_visible
from dcmcfg.upgrade.new_problems import find_new_problems
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.plan_source import PlanSource, parse_plan_source
from dcmcfg.upgrade.preparation import OpenQuestion, Upgrade, prepare_upgrade
from dcmcfg.upgrade.release import Release, format_version
from dcmcfg.upgrade.schema.release_schema import ReleaseSchema
from dcmcfg.upgrade.tree_status import find_status
from dcmcfg.upgrade.trees import UpgradeTree

_REPOSITORY = "https://github.com/dcm4che/dcm4chee-arc-light"
_FOLDER = "dcm4chee-arc-assembly/src/main/resources/ldap"


@contextmanager
def open_site(settings: Settings, tree_file: Path | None) -> Iterator[tuple[Tree, LdapDirectory | None]]:
    """Yield the configuration, and the directory that it comes from; None for one that is read from *tree_file*.

    Raises :class:`~dcmcfg.errors.Refused` if the bind DN cannot see all of it.
    """
    if tree_file is not None:
        yield read_ldif_tree(tree_file, load_bundled_schema()), None
        return
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        require_complete(tree, read_child_counts(directory))
        yield tree, directory


@dataclass(frozen=True)
class Releases:
    """The releases of an upgrade; ``present`` and ``installed`` are None if the user has not named the present one.

    ``schema`` is that of the target, None if its folder has none.
    """

    target: Release
    present: Release | None
    installed: Release | None
    _: KW_ONLY
    checklist: Checklist = NO_CHECKLIST
    schema: ReleaseSchema | None = None


def read_releases(source: PlanSource) -> Releases:
    """Return the releases that *source* names; raises the errors of :func:`read_named_release`."""
    target = read_named_release(source.target, source.updates)
    present = read_named_release(source.source, source.updates) if source.source is not None else None
    installed = read_named_release(source.installed, source.updates) if source.installed is not None else present
    if present is None or source.source is None:
        return Releases(target, present, installed)
    before, after = (read_distribution(each) for each in (source.source, source.target))
    checklist = make_checklist(before, after, present.version, target.version)
    return Releases(target, present, installed, checklist=checklist, schema=_read_schema(source.target))


def _read_schema(folder: Path) -> ReleaseSchema | None:
    try:
        return read_named_schema(folder)
    except NotFound:
        return None


def plan_upgrade(
    settings: Settings, source: PlanSource, releases: Releases, site: tuple[Tree, LdapDirectory | None]
) -> Upgrade:
    """Return the upgrade of the configuration of *site* (:func:`open_site`), with the new problems of its result.

    Raises :class:`~dcmcfg.errors.NotFound` without the present release, the errors of
    :func:`~dcmcfg.upgrade.preparation.prepare_upgrade`, :class:`~dcmcfg.errors.Refused` if entries that seem to be
    removed are only hidden, and :class:`~dcmcfg.errors.DoesNotApply` if the schema of a directory server does not allow
    the result.
    """
    (tree, directory), options = site, source.options
    if releases.present is None:
        raise _build_missing_source_error(tree, releases.target, options)
    installed = releases.installed if releases.installed is not None else releases.present
    past, earlier_roles = _find_past(directory)
    try:
        upgrade = prepare_upgrade(
            tree,
            releases.present,
            releases.target,
            installed,
            options=options,
            renames=past,
            earlier_roles=earlier_roles,
        )
    except OpenQuestion:
        if directory is not None:
            # An AE that cannot be seen is no question.
            require_visible(tuple(iterate_hidden(directory, list_missing_aes(tree, installed.entries))))
        raise
    if directory is not None:
        require_visible(tuple(iterate_hidden(directory, list_missing(tree, upgrade.reconstructed.base))))
        require_schema(settings, directory, upgrade.plan, source.target)
    problems = find_new_problems(upgrade.plan, datetime.now(UTC), releases.schema)
    return replace(upgrade, new_problems=problems, checklist=releases.checklist)


def _find_past(directory: LdapDirectory | None) -> tuple[tuple[Rename, ...], Mapping[str, str]]:
    """Return the renames in the history of *directory*, and the roles of the last upgrade that was applied to it."""
    if directory is None:
        return (), {}
    history, url = History(get_state_folder()), directory.server.url
    renames = tuple(each.rename for each in find_past_renames(history, url))
    for head in iterate_plan_heads(history, url):
        with suppress(MalformedInput):
            if (source := parse_plan_source(head)) is not None:
                return renames, source.options.roles
    return renames, {}


def _build_missing_source_error(tree: Tree, target: Release, options: UpgradeOptions) -> NotFound:
    status = find_status(UpgradeTree(tree.schema, tree.entries), target, archive=options.archive)
    match = status.match
    found = format_version(match.last) if match is not None else ""
    # The releases before the oldest update file look the same.
    version = found if found and not status.may_be_older else "VERSION"
    return NotFound(
        ("--from is missing: to find the site's own changes, dcmcfg needs the release that the site has now")
        + (f" (according to the configuration: {found}{' or older' if status.may_be_older else ''})" if found else ""),
        next_step=f"specify the distribution dcm4chee-arc-{version} with --from: the ZIP file, or the folder {_FOLDER} "
        f"of {_REPOSITORY} at tag {version}",
    )
