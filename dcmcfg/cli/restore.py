"""``dcmcfg restore``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.settings import Settings
from dcmcfg.snapshot.file import read_snapshot
from dcmcfg.snapshot.restore import find_restore_warnings, make_restore_plan, require_base_dn


@click.command("restore", cls=SiteCommand)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@site_options
@changing_options
def restore_command(settings: Settings, options: ChangeOptions, *, file: Path) -> None:
    """Make the configuration equal to a snapshot.

    All entries below the root of the configuration are restored, with their secrets. Entries that are not in the
    snapshot are deleted. Two kinds of data are skipped: values that this server stores in its own format, and entries
    on other servers (referrals). dcmcfg refuses a snapshot that is damaged or has another base DN.
    """
    snapshot = read_snapshot(file)
    require_base_dn(snapshot, settings.base_dn, str(file))
    with open_directory(settings) as directory:
        plan = make_restore_plan(directory, snapshot)
        warnings = tuple(find_restore_warnings(directory, plan.before, snapshot, str(file)))
        apply_plan(settings, directory, plan, options=options, warnings=warnings, is_restore=True)
