"""``dcmcfg upgrade apply``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from dcmcfg.archive.control import ArchiveStatus
from dcmcfg.cli import invocation
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.failures import INTERRUPTED_EXIT_CODE
from dcmcfg.cli.session.output import write_atomically
from dcmcfg.cli.upgrade.application import NEW_PLAN, UpgradePlanFile, apply_upgrade
from dcmcfg.cli.upgrade.planning import open_site, plan_upgrade, read_releases
from dcmcfg.directory.server import Directory
from dcmcfg.errors import ArchiveError, DcmcfgError, Refused
from dcmcfg.files.ldif import read_files
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.garbage_collection import pause_garbage_collection
from dcmcfg.printable import escape_unprintable
from dcmcfg.private_folders import create_private_folder
from dcmcfg.render.terminal.console import make_console, print_line
from dcmcfg.render.upgrade_check import RESULT_CHECK_KEY, UpgradeCheck, upgrade_check_json
from dcmcfg.render.upgrade_commands import VERIFY_COMMAND, format_gap_command, format_plan_command
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_subfolder
from dcmcfg.snapshot.file import format_snapshot
from dcmcfg.snapshot.snapshot import take_snapshot
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.plan_source import PlanSource, find_source_comment, parse_plan_source

_HEAD_LENGTH, _MAX_NAMES = 64 * 1024, 5
_NOT_EMPTY = 1
_OPEN_DECISIONS = re.compile(rb"^# Open decisions: ([0-9]{1,9})\b", re.MULTILINE)


@click.command("apply", short_help="Apply the plan of an upgrade.", cls=SiteCommand)
@click.argument("plan_file", metavar="PLAN", type=click.Path(dir_okay=False, path_type=Path))
@site_options
@changing_options
def apply_command(settings: Settings, options: ChangeOptions, *, plan_file: Path) -> int:
    """Apply the plan of an upgrade, and check the result.

    First, dcmcfg saves the configuration to a snapshot. Then dcmcfg applies the plan, as 'dcmcfg apply' does. 'dcmcfg
    undo' reverts the change. At the end, dcmcfg plans the upgrade again from the same releases, and reports what is
    left to change. dcmcfg refuses a plan that was already applied.

    Exit codes: 1 the user declined, or something is left to change, 130 the check was interrupted.
    """
    file = _read_plan(plan_file)
    if not options.dry_run:
        _warn_if_archive_runs(settings)
    check = _ResultCheck(settings, file.source)
    apply_upgrade(
        settings,
        options,
        file,
        save=lambda directory: _save_snapshot(directory, options),
        check=lambda: {RESULT_CHECK_KEY: check.run()},
    )
    if options.dry_run:
        return 0
    return check.report(options)


class _ResultCheck:
    """The check of an applied upgrade: the same upgrade is planned again."""

    def __init__(self, settings: Settings, source: PlanSource) -> None:
        self._settings, self._source = settings, source
        self._command = format_plan_command(source.without_answers())
        self._result = UpgradeCheck("interrupted")

    def run(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        try:
            remaining = _list_remaining_changes(self._settings, self._source)
        except (KeyboardInterrupt, click.Abort):
            pass
        except DcmcfgError as error:
            self._result = UpgradeCheck("impossible", problem=str(error))
        else:
            self._result = UpgradeCheck("incomplete" if remaining else "complete", remaining=tuple(remaining))
        return upgrade_check_json(self._result, "" if self._result.outcome == "complete" else self._command)

    def report(self, options: ChangeOptions) -> int:
        """Print the result, and return the exit code of the command."""
        result, command = self._result, self._command
        match result.outcome:
            case "interrupted":
                _warn(
                    "the change is applied, but the check of the result was interrupted. To repeat the "
                    f"check: {command}"
                )
                return INTERRUPTED_EXIT_CODE
            case "impossible":
                _warn(
                    f"the change is applied, but the result could not be checked: {result.problem}. To "
                    f"repeat the check: {command}"
                )
            case "incomplete":
                _warn(
                    "the upgrade is not complete: a new plan of this upgrade would change "
                    f"{join_limited(result.remaining, _MAX_NAMES)}. To see these changes: {command}"
                )
                options.print_lines(
                    "Next: plan the changes that are left, and apply the new plan before you start the new release:",
                    f"  {format_plan_command(self._source.without_answers(), output=NEW_PLAN)}",
                )
                return _NOT_EMPTY
            case "complete":
                options.print_lines("Checked: a new plan of the same upgrade changes nothing.")
        options.print_lines(
            "Next: install the new release of the archive and start it. Then list the remaining differences from a new "
            "installation, and verify that a study can be retrieved:",
            f"  {format_gap_command(self._source)}",
            f"  {VERIFY_COMMAND}",
        )
        return 0


def _warn(text: str) -> None:
    print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(text))}")


def _read_plan(path: Path) -> UpgradePlanFile:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_LENGTH)
    except OSError as error:
        raise build_read_failure(error, path, DcmcfgError) from error
    source = parse_plan_source(head)
    if source is None:
        raise Refused(
            "this file is not the plan of an upgrade",
            subject=str(path),
            next_step=(
                "to make such a plan: dcmcfg upgrade plan --output PLAN; to apply another file: dcmcfg apply FILE"
            ),
        )
    found = _OPEN_DECISIONS.search(head)
    return UpgradePlanFile(
        source,
        read_files((path,), allow_mixed=False),
        open_count=int(found[1]) if found is not None else 0,
        comment=find_source_comment(head),
    )


def _warn_if_archive_runs(settings: Settings) -> None:
    status: ArchiveStatus | None
    try:
        status = make_control_service(settings).status()
    except ArchiveError:  # an archive that does not run is what an upgrade needs
        status = None
    if status is not None and status.started:
        print_message(
            "warning: the archive is running. Until the new release runs, do not change the "
            "configuration in the web interface of the archive"
        )


def _save_snapshot(directory: Directory, options: ChangeOptions) -> None:
    folder = get_state_subfolder("snapshots")
    try:
        create_private_folder(folder)
    except OSError as error:
        raise DcmcfgError(f"the folder cannot be created ({error.strerror})", subject=str(folder)) from error
    path = folder / f"before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.ldif"
    write_atomically(str(path), format_snapshot(take_snapshot(directory)), private=True, must_be_new=True)
    print_line(make_console(on_stderr=options.stdout_reserved), f"snapshot: {path}")


def _list_remaining_changes(settings: Settings, source: PlanSource) -> list[str]:
    """Return the entries that the same upgrade would still change; raises the errors of :func:`plan_upgrade`."""
    with pause_garbage_collection():
        releases = read_releases(source)
        with open_site(settings, None) as site:
            upgrade = plan_upgrade(settings, source.without_answers(), releases, site)
    return [str(each.dn) for each in upgrade.plan.changes]
