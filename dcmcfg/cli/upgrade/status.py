"""``dcmcfg upgrade status``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.upgrade.options import release_options
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.files.release import read_release
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.tree import Tree
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.upgrade import print_upgrade_status, upgrade_status_json
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.settings import Settings
from dcmcfg.upgrade.preparation import find_status
from dcmcfg.upgrade.trees import UpgradeTree


@click.command("status", short_help="Show the release of the configuration.", cls=SiteCommand)
@site_options
@release_options
@json_option
def status_command(
    settings: Settings,
    *,
    target_folder: Path,
    update_folders: tuple[Path, ...],
    tree_file: Path | None,
    archive: str,
    as_json: bool,
) -> None:
    """Show the release of the configuration, as far as its entries and values show it.

    dcmcfg compares the configuration with the changes that each official update file makes. Parts that are at another
    release than the rest are listed: earlier updates have not reached these parts. --to names a release whose folder
    holds the update files.
    """
    with pause_garbage_collection():
        target = read_release(target_folder, update_folders)
        tree = _read_tree(settings, tree_file)
        status = find_status(UpgradeTree(tree.schema, tree.entries), target, archive=archive)
    if as_json:
        print_json(upgrade_status_json(status, len(tree.entries)))
    else:
        print_upgrade_status(make_stdout_console(), status, len(tree.entries))


def _read_tree(settings: Settings, tree_file: Path | None) -> Tree:
    if tree_file is not None:
        return read_ldif_tree(tree_file, load_bundled_schema())
    with open_directory(settings) as directory:
        return read_tree(directory)
