"""``dcmcfg snapshot``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, require_new_file, write_atomically
from dcmcfg.cli.session.unfinished_change import warn_of_unfinished_change
from dcmcfg.errors import LdifError, MalformedInput, NegativeResult, Refused
from dcmcfg.render.check import print_findings
from dcmcfg.render.snapshot import format_snapshot_summary, snapshot_json
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.settings import Settings
from dcmcfg.snapshot.file import format_snapshot, read_snapshot
from dcmcfg.snapshot.snapshot import find_snapshot_problems, is_loadable, take_snapshot


@click.command("snapshot", cls=SiteCommand)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@site_options
@click.option(
    "--check",
    "checking",
    is_flag=True,
    help="Only check that FILE is complete and can be loaded. The check requires no server.",
)
@click.option("--replace", "replacing", is_flag=True, help="Replace an existing FILE.")
@json_option
def snapshot_command(settings: Settings, *, file: Path, checking: bool, replacing: bool, as_json: bool) -> None:
    """Save the configuration with its secrets to a file.

    The file is LDIF with a checksum, and only your account can read the file. 'dcmcfg restore' makes the directory
    equal to the snapshot. To load the file into an empty server, use slapadd or ldapadd.

    Exit codes: with --check, 1 the file is damaged, or a directory server cannot load the file.
    """
    if str(file) == STDOUT:
        raise click.UsageError("FILE must not be standard output (-), because a snapshot contains secrets")
    if checking and replacing:
        raise click.UsageError("--check and --replace cannot be used together")
    if checking:
        _check_snapshot(file, as_json=as_json)
    else:
        _take_snapshot(settings, file, replacing=replacing, as_json=as_json)


def _take_snapshot(settings: Settings, file: Path, *, replacing: bool, as_json: bool) -> None:
    if not replacing:  # report an existing file before the directory is read
        require_new_file(str(file))
    with open_directory(settings) as directory:
        snapshot = take_snapshot(directory)
    write_atomically(str(file), format_snapshot(snapshot), private=True, must_be_new=not replacing)
    problems = find_snapshot_problems(snapshot)
    if as_json:
        print_json(snapshot_json(str(file), snapshot, problems))
    else:
        print_output(f"{file}: {format_snapshot_summary(snapshot)}; contains secrets")
    warn_of_unfinished_change(settings.ldap_url, effect="the snapshot might contain only a part of this change")
    if not is_loadable(problems):
        print_message(
            "warning: a directory server cannot load the whole snapshot. To list the problems: dcmcfg snapshot FILE "
            "--check"
        )


def _check_snapshot(file: Path, *, as_json: bool) -> None:
    try:
        snapshot = read_snapshot(file)
        problems = find_snapshot_problems(snapshot)
    except (Refused, LdifError, MalformedInput) as error:  # a damaged file is a result of the check: exit code 1
        raise NegativeResult(
            error.message, subject=error.subject, next_step=error.next_step, details=error.details
        ) from error
    invocation.current().partial_result = partial(snapshot_json, str(file), snapshot, problems)
    if problems and not as_json:
        print_findings(make_stdout_console(), problems, len(snapshot.tree.entries))
    if not is_loadable(problems):
        raise NegativeResult("a directory server cannot load the whole snapshot", subject=str(file))
    if as_json:
        print_json(snapshot_json(str(file), snapshot, problems))
    else:
        print_output(f"{file}: complete and loadable: {format_snapshot_summary(snapshot)}")
