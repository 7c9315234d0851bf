"""``dcmcfg upgrade status``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.schema_servers import read_comparisons
from dcmcfg.cli.upgrade.options import release_options, releases_option
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import NotFound
from dcmcfg.files.release import read_release
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.tree import Tree
from dcmcfg.render.schema_update import print_schemas, schemas_json
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.upgrade import print_upgrade_status, upgrade_status_json
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.settings import Settings
from dcmcfg.upgrade.tree_status import find_status
from dcmcfg.upgrade.trees import UpgradeTree


@click.command("status", short_help="Show the release of the configuration.", cls=SiteCommand)
@site_options
@release_options
@releases_option
@json_option
def status_command(
    settings: Settings,
    *,
    target_folder: Path,
    update_folders: tuple[Path, ...],
    tree_file: Path | None,
    archive: str,
    release_folders: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Show the release of the configuration, as far as its entries and values show it.

    dcmcfg compares the configuration with the changes that each official update file makes. Parts that are at another
    release than the rest are listed: earlier updates have not reached these parts. --to names a release whose folder
    holds the update files.

    The schema of the directory server is compared with the schema files of --to and of each --release.
    """
    with pause_garbage_collection():
        target = read_release(target_folder, update_folders)
        folders = (*release_folders, target_folder)
        tree, schemas = _read_file(tree_file) if tree_file is not None else _read_site(settings, folders)
        status = find_status(UpgradeTree(tree.schema, tree.entries), target, archive=archive)
    if as_json:
        print_json(upgrade_status_json(status, len(tree.entries)) | {"schemas": schemas_json(schemas)})
    else:
        console = make_stdout_console()
        print_upgrade_status(console, status, len(tree.entries))
        print_schemas(console, schemas)


def _read_file(path: Path) -> tuple[Tree, Sequence[ComparedServer]]:
    return read_ldif_tree(path, load_bundled_schema()), ()


def _read_site(settings: Settings, folders: Sequence[Path]) -> tuple[Tree, Sequence[ComparedServer]]:
    """Return the tree, and the schema of each server, compared with the releases in *folders* with schema files."""
    releases = []
    for folder in folders:
        with suppress(NotFound):
            releases.append(read_release_schema(folder))
    with open_directory(settings) as directory:
        return read_tree(directory), read_comparisons(settings, directory, releases) if releases else ()
