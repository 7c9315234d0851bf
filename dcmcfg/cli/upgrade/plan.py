"""``dcmcfg upgrade plan``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import (
    TEXT,
    details_option,
    file_option,
    format_option,
    require_details_form,
)
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.change import write_plan
from dcmcfg.cli.session.output import make_folder, write_octets
from dcmcfg.cli.session.unfinished_change import warn_of_unfinished_change
from dcmcfg.cli.upgrade.options import FOLDER, PLAN_FILE, gap_option, parse_names, upgrade_options
from dcmcfg.cli.upgrade.planning import open_site, plan_upgrade, read_releases
from dcmcfg.cli.upgrade.report_output import (
    FORMS,
    print_report,
    report_file_option,
    require_new_report_files,
    write_report_files,
)
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.model.devices import find_devices_dn
from dcmcfg.render.upgrade_commands import format_apply_command
from dcmcfg.settings import Settings
from dcmcfg.settings.site import format_site_headline
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.plan_source import PlanSource
from dcmcfg.upgrade.report import UpgradeReport, list_planned_changes
from dcmcfg.upgrade.vendor_data import Side, VendorMerge, list_conflict_files

_NEEDS_ATTENTION = 1


@click.command("plan", short_help="Plan the upgrade to a release, and change nothing.", cls=SiteCommand)
@site_options
@upgrade_options("Release that the site has now.")
@click.option(
    "--also",
    metavar="AET,…",
    multiple=True,
    callback=parse_names,
    help="Copies of an AE at the site. The plan changes the copies in the same way as the AE.",
)
@gap_option(
    "Kinds of differences between the site and a new installation: corrections, additions, values, removals or all. "
    "The plan also removes the differences of these kinds."
)
@click.option(
    "--take",
    metavar="PLACE",
    multiple=True,
    help="For this decision, use the values of the release. Specify the number of the decision, or its entry and "
    "attribute as printed. Can be repeated.",
)
@click.option(
    "--keep",
    metavar="PLACE",
    multiple=True,
    help="For this decision, keep the values of the site. Can be repeated.",
)
@click.option(
    "--vendor",
    type=click.Choice(["site", "release"]),
    help=(
        "Which file to use if both the site and the release have changed a file of the vendor "
        "data: that of the site, or that of the release."
    ),
)
@click.option(
    "--out-dir",
    metavar="FOLDER",
    type=FOLDER,
    help=(
        "Write files to FOLDER: each file of the vendor data that both the site and the release "
        "have changed. The names are NAME.base, NAME.site and NAME.release."
    ),
)
@format_option(*FORMS)
@details_option
@report_file_option
@file_option(
    "PLAN",
    "Write the plan to the new file PLAN, for 'dcmcfg upgrade apply'.",
    PLAN_FILE,
)
def plan_command(
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
    also: tuple[str, ...],
    gap: frozenset[str],
    take: tuple[str, ...],
    keep: tuple[str, ...],
    vendor: Side | None,
    out_dir: Path | None,
    form: str,
    details: bool,
    report_files: tuple[Path, ...],
    output: Path | None,
) -> int:
    """Plan the upgrade of the configuration to a release. Nothing is changed.

    The plan makes the changes of the official update files, with the names of this site. If the site has changed a
    value that the release also changes, the plan keeps the value of the site, and lists the value as a decision that
    you must make. The plan does not add parts that the site has removed.

    To apply the plan, run 'dcmcfg upgrade apply PLAN'. To revert the upgrade, run 'dcmcfg undo'. dcmcfg refuses the
    plan if the schema of the directory server does not have the attributes of the release.

    Exit codes: 0 nothing is left to decide, 1 there are decisions, or a warning shows that changes might be missing, 2
    dcmcfg cannot find out which AEs correspond, 3 the release or the configuration cannot be used.
    """
    require_details_form(form, details=details)
    require_new_report_files(report_files, output)
    options = UpgradeOptions(
        archive=archive,
        roles=roles,
        without=without,
        also=also,
        gap=gap,
        take=take,
        keep=keep,
        vendor=vendor,
    )
    source = PlanSource(
        source=source_folder, target=target_folder, installed=installed_folder, updates=update_folders, options=options
    )
    with pause_garbage_collection():
        releases = read_releases(source)
        with open_site(settings, tree_file) as (tree, directory):
            if directory is not None:
                warn_of_unfinished_change(directory.server.url)
            upgrade = plan_upgrade(settings, source, releases, (tree, directory))
        report = UpgradeReport(
            upgrade=upgrade,
            changes=list_planned_changes(upgrade),
            subject=str(tree_file) if tree_file is not None else format_site_headline(settings),
            created=datetime.now(UTC),
            source=source,
            plan_file=str(output) if output is not None else "",
            has_schema=directory is not None,
        )
    if out_dir is not None:
        _write_conflicts(out_dir, upgrade.vendor)
    base = find_devices_dn(tree)
    print_report(report, base, form=form, details=details)
    write_report_files(report, base, report_files)
    if output is not None:
        comments = replace(source, options=upgrade.lasting_options).format_comments(upgrade.roles)
        write_plan(settings, upgrade.plan, output, comments=(*comments, f"Open decisions: {report.open_count}"))
    if form == TEXT:
        print_output(*(f"report: {each}" for each in report_files))
        if output is not None:
            print_output(f"plan: {output}", f"To apply it: {format_apply_command(output, upgrade)}")
    return _NEEDS_ATTENTION if upgrade.needs_attention else 0


def _write_conflicts(folder: Path, vendor: VendorMerge) -> None:
    """Write the versions of each file in conflict to new files in *folder*."""
    make_folder(str(folder))
    for name, octets in list_conflict_files(vendor):
        write_octets(str(folder / name), octets)
