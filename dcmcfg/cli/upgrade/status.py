"""``dcmcfg upgrade status``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.schema_servers import read_comparisons
from dcmcfg.cli.session.unfinished_change import warn_of_unfinished_change
from dcmcfg.cli.upgrade.options import release_options, releases_option
from dcmcfg.cli.upgrade.planning import open_site
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.errors import NotFound
from dcmcfg.files.named_release import read_named_release, read_named_schema
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.schema_update import print_schemas, schemas_json
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.upgrade import print_upgrade_status
from dcmcfg.render.upgrade_installed import installed_json, print_installed
from dcmcfg.render.upgrade_json import upgrade_status_json
from dcmcfg.settings import Settings
from dcmcfg.upgrade.installed_search import choose_present, rank_installed
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.prerequisites import list_status_warnings
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.schema.release_schema import ComparedServer
from dcmcfg.upgrade.tree_status import find_status
from dcmcfg.upgrade.trees import UpgradeTree


@click.command("status", short_help="Show the release of the configuration.", cls=SiteCommand)
@site_options
@release_options(target_required=False)
@releases_option
@json_option
def status_command(
    settings: Settings,
    *,
    target_folder: Path | None,
    release_folders: tuple[Path, ...],
    update_folders: tuple[Path, ...],
    tree_file: Path | None,
    archive: str,
    as_json: bool,
) -> None:
    """Show the release of the configuration, according to its entries and values.

    dcmcfg compares the configuration with the changes of each official update file. Earlier updates can have missed
    some parts of the configuration. dcmcfg lists these parts and their release. --to specifies a release with update
    files. Default: the newest release of --releases.

    With --releases, dcmcfg also shows which of these releases was probably installed first, for 'dcmcfg upgrade plan
    --installed'. dcmcfg compares the schema of the directory server with the schema files of --to and --releases.
    """
    if target_folder is None and not release_folders:
        raise click.UsageError("Specify --to or --releases")
    with pause_garbage_collection():
        releases = _read_releases(release_folders, update_folders)
        if target_folder is not None:
            target = read_named_release(target_folder, update_folders)
        else:
            target = max(releases, key=lambda each: each.version or (), default=None) or read_named_release(
                release_folders[0]
            )
        folders = release_folders if target_folder is None else (*release_folders, target_folder)
        with open_site(settings, tree_file) as (tree, directory):
            if directory is not None:
                warn_of_unfinished_change(directory.server.url)
            schemas = _compare_schemas(settings, directory, folders) if directory is not None else ()
            status = find_status(UpgradeTree(tree.schema, tree.entries), target, archive=archive, others=releases)
        present = choose_present(releases, status.match) if status.match is not None else None
        candidates = (
            rank_installed(tree, releases, present, target, options=UpgradeOptions(archive=archive))
            if present is not None
            else ()
        )
    warnings = tuple(list_status_warnings(target))
    if as_json:
        print_json(
            {
                **upgrade_status_json(status, len(tree.entries)),
                "warnings": list(warnings),
                "installed": installed_json(candidates),
                "schemas": schemas_json(schemas),
            }
        )
    else:
        console = make_stdout_console()
        print_upgrade_status(console, status, len(tree.entries))
        print_installed(console, candidates)
        print_schemas(console, schemas)
        for each in warnings:
            print_message(f"warning: {escape_unprintable(each)}")


def _read_releases(folders: Sequence[Path], update_folders: Sequence[Path]) -> list[Release]:
    """Return the releases in *folders*; a folder with schema files only is left out."""
    releases = []
    for folder in folders:
        if not folder.exists():
            read_named_release(folder)
        with suppress(NotFound):
            releases.append(read_named_release(folder, update_folders))
    return releases


def _compare_schemas(settings: Settings, directory: LdapDirectory, folders: Sequence[Path]) -> Sequence[ComparedServer]:
    """Return the schema of each server, compared with the releases in *folders* with schema files."""
    releases = []
    for folder in folders:
        with suppress(NotFound):
            releases.append(read_named_schema(folder))
    return read_comparisons(settings, directory, releases) if releases else ()
