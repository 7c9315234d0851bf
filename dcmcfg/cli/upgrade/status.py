"""``dcmcfg upgrade status``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.upgrade.options import release_options
from dcmcfg.cli.upgrade.planning import open_site
from dcmcfg.files.release import read_release
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.upgrade import print_upgrade_status, upgrade_status_json
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
        with open_site(settings, tree_file) as (tree, _):
            pass
        status = find_status(UpgradeTree(tree.schema, tree.entries), target, archive=archive)
    if as_json:
        print_json(upgrade_status_json(status, len(tree.entries)) | {"schemas": schemas_json(schemas)})
    else:
        print_upgrade_status(make_stdout_console(), status, len(tree.entries))
