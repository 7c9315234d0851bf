"""``dcmcfg upgrade gap``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import file_option, json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.change import write_plan
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.upgrade.options import PLAN_FILE, gap_option, upgrade_options
from dcmcfg.cli.upgrade.planning import open_site, plan_upgrade, read_releases
from dcmcfg.errors import Refused
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.upgrade_commands import format_apply_command
from dcmcfg.render.upgrade_gap import format_gap_counts, gap_json, print_gap
from dcmcfg.settings import Settings
from dcmcfg.upgrade.fresh_comparison import compare_with_fresh
from dcmcfg.upgrade.options import ALL_KINDS, UpgradeOptions
from dcmcfg.upgrade.plan_source import PlanSource
from dcmcfg.upgrade.preparation import Upgrade


@click.command("gap", short_help="List differences from a new installation.", cls=SiteCommand)
@site_options
@upgrade_options(
    "Release that the site had before the upgrade. Without --from, the list also contains the site's own changes."
)
@gap_option(
    "Kinds of differences to list: corrections (changes that are missing because of errors in update files), additions "
    "(missing entries), values (missing values), removals (obsolete entries) or all. Default: all."
)
@json_option
@file_option(
    "PLAN",
    "Write a plan to the new file PLAN, for 'dcmcfg upgrade apply'. The plan removes the differences. Requires --from.",
    PLAN_FILE,
)
def gap_command(
    settings: Settings,
    *,
    source_folder: Path | None,
    target_folder: Path,
    update_folders: tuple[Path, ...],
    installed_folder: Path | None,
    tree_file: Path | None,
    archive: str,
    roles: dict[str, str],
    without: tuple[str, ...],
    gap: frozenset[str],
    as_json: bool,
    output: Path | None,
) -> int:
    """List what differs from a new installation of the release, after the upgrade. Nothing is changed.

    The default configuration of a new release also has differences that the official update files do not contain. With
    --from, the list omits the site's own changes. --gap selects kinds of differences for the list, the plan and the
    exit code.

    Exit codes: 0 there are no differences, 1 there are differences, 3 the release or the configuration cannot be used.
    """
    if output is not None and source_folder is None:
        raise click.UsageError(
            "--output requires --from: without --from, the plan would also revert the site's own changes"
        )
    options = UpgradeOptions(archive=archive, roles=roles, without=without, gap=gap or frozenset({ALL_KINDS}))
    source = PlanSource(
        source=source_folder, target=target_folder, installed=installed_folder, updates=update_folders, options=options
    )
    upgrade = None
    with pause_garbage_collection():
        releases = read_releases(source)
        with open_site(settings, tree_file) as (tree, directory):
            if releases.present is not None:
                upgrade = plan_upgrade(settings, source, releases, (tree, directory))
                _require_upgraded(upgrade)
                changes, warnings = upgrade.gap_changes, upgrade.warnings
            else:
                changes, warnings = compare_with_fresh(tree, releases.target, options), ()
    changes = tuple(each for each in changes if options.wants_gap(each.kind))
    if as_json:
        print_json(gap_json(changes, has_own_changes=upgrade is None, warnings=warnings))
    else:
        for each in warnings:
            print_message(f"warning: {escape_unprintable(each)}")
        print_gap(make_stdout_console(), changes, find_devices_dn(tree), has_own_changes=upgrade is None, kinds=gap)
    if output is not None and upgrade is not None:
        _write_gap_plan(settings, upgrade, output, source, as_json=as_json)
    return 1 if changes else 0


def _write_gap_plan(settings: Settings, upgrade: Upgrade, path: Path, source: PlanSource, *, as_json: bool) -> None:
    """Write the plan of *upgrade* to *path*, and print what is in it; a plan without changes is not written."""
    made = [each for each in upgrade.gap_changes if each.is_made]
    if not upgrade.plan.steps:
        if not as_json:
            print_output("plan: not written, because it would change nothing")
        return
    write_plan(
        settings, upgrade.plan, path, comments=replace(source, options=upgrade.options).format_comments(upgrade.roles)
    )
    if not as_json:
        print_output(f"plan: {path} ({format_gap_counts(made)})", f"To apply it: {format_apply_command(path, upgrade)}")


def _require_upgraded(upgrade: Upgrade) -> None:
    if upgrade.official_entries:
        count = format_count(len(upgrade.official_entries), "entry", "entries", grouped=True)
        raise Refused(
            f"the site does not have all official changes of {upgrade.target.label} yet: {count} must still change",
            next_step="plan and apply these changes first: dcmcfg upgrade plan",
        )
