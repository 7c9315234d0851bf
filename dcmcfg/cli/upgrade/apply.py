"""``dcmcfg upgrade apply``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dcmcfg.archive.control import ArchiveStatus
from dcmcfg.cli import invocation
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.apply_files import apply_files
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import write_atomically
from dcmcfg.cli.upgrade.planning import open_site, plan_upgrade, read_releases
from dcmcfg.errors import ArchiveError, DcmcfgError, Refused
from dcmcfg.files.ldif import read_files
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.printable import escape_unprintable
from dcmcfg.private_folders import create_private_folder
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_subfolder
from dcmcfg.snapshot.file import format_snapshot
from dcmcfg.snapshot.snapshot import take_snapshot
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.plan_source import PlanSource, parse_plan_source

_HEAD_LENGTH, _MAX_NAMES = 64 * 1024, 5
_NOT_EMPTY = 1


@click.command("apply", short_help="Apply the plan of an upgrade.", cls=SiteCommand)
@click.argument("plan_file", metavar="PLAN", type=click.Path(dir_okay=False, path_type=Path))
@site_options
@changing_options
def apply_command(settings: Settings, options: ChangeOptions, *, plan_file: Path) -> int:
    """Apply the plan of an upgrade, and check the result.

    Before the change, the configuration is saved to a snapshot. The plan is applied like any plan ('dcmcfg apply'), and
    'dcmcfg undo' reverts it. Afterwards, the upgrade is planned again from the same releases: nothing must be left to
    change.

    Exit codes: 1 the user declined, or something is left to change.
    """
    source = _read_source(plan_file)
    records = read_files((plan_file,), allow_mixed=False)
    if not options.dry_run:
        _warn_if_archive_runs(settings)
        _save_snapshot(settings, options)
    apply_files(settings, options, (plan_file,), records)
    if options.dry_run:
        return 0
    left = _list_remaining_changes(settings, source)
    if left:
        print_message(
            escape_unprintable(
                f"warning: a new plan of the same upgrade would still change {join_limited(left, _MAX_NAMES)}. To see "
                "these changes: dcmcfg upgrade plan, with the same options"
            )
        )
    options.print_lines(
        "Next: install the new release of the archive and start it. Then list the remaining differences from a new "
        "installation, and prove the retrieval of a study:",
        f"  dcmcfg upgrade gap --to {source.target}",
        "  dcmcfg verify",
    )
    return _NOT_EMPTY if left else 0


def _read_source(plan_file: Path) -> PlanSource:
    try:
        with plan_file.open("rb") as file:
            source = parse_plan_source(file.read(_HEAD_LENGTH))
    except OSError as error:
        raise DcmcfgError(f"cannot read the file: {error.strerror}", subject=str(plan_file)) from error
    if source is None:
        raise Refused(
            "this file is not the plan of an upgrade",
            subject=str(plan_file),
            next_step="make one with dcmcfg upgrade plan --output; to apply any other file: dcmcfg apply FILE",
        )
    return source


def _warn_if_archive_runs(settings: Settings) -> None:
    status: ArchiveStatus | None
    try:
        status = make_control_service(settings).status()
    except ArchiveError:  # an archive that does not run is what an upgrade needs
        status = None
    if status is not None and status.started:
        print_message(
            "warning: the archive is started. Until the new release runs, the archive must not save its device: do not "
            "change its configuration in its web interface"
        )


def _save_snapshot(settings: Settings, options: ChangeOptions) -> None:
    folder = get_state_subfolder("snapshots")
    try:
        create_private_folder(folder)
    except OSError as error:
        raise DcmcfgError(f"the folder cannot be created ({error.strerror})", subject=str(folder)) from error
    path = folder / f"before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.ldif"
    with open_directory(settings) as directory:
        write_atomically(str(path), format_snapshot(take_snapshot(directory)), private=True, must_be_new=True)
    options.print_lines(f"snapshot: {path}")


def _list_remaining_changes(settings: Settings, source: PlanSource) -> list[str]:
    """Return the entries that the same upgrade would still change; empty, with a warning, if it cannot be planned."""
    try:
        with pause_garbage_collection():
            releases = read_releases(source)
            with open_site(settings, None) as site:
                upgrade = plan_upgrade(settings, source.without_answers(), releases, site)
    except DcmcfgError as error:
        run = invocation.current()
        message = f"the result was not checked: {error.full_message}"
        print_message(f"warning: {escape_unprintable(run.insert_site_options(message))}")
        return []
    return [str(each.dn) for each in upgrade.plan.changes]
