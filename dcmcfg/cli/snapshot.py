"""``dcmcfg snapshot``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import say, tell
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, refuse_existing, write_whole
from dcmcfg.errors import AnswerIsNo, LdifError, MalformedInput, Refused
from dcmcfg.render.check import print_findings
from dcmcfg.render.snapshot import snapshot_json, snapshot_line
from dcmcfg.render.terminal.console import stdout_console
from dcmcfg.settings import Settings
from dcmcfg.snapshot.file import read_snapshot, snapshot_text
from dcmcfg.snapshot.snapshot import findings, loadable, take


@click.command("snapshot", cls=SiteCommand)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@site_options
@click.option("--check", "checking", is_flag=True, help="Prove that FILE is whole and would load; no server is asked.")
@click.option("--replace", "replacing", is_flag=True, help="Replace FILE when it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def snapshot_command(settings: Settings, *, file: Path, checking: bool, replacing: bool, as_json: bool) -> None:
    """Save the configuration, secrets included, in a file.

    The file is readable by you only, holds a checksum, and is LDIF: 'dcmcfg restore' makes the directory equal to it,
    slapadd or ldapadd load it into an empty server.

    With --check exit code 1 says that the file is damaged, or would not load.
    """
    if str(file) == STDOUT:
        raise click.UsageError("FILE is a file: a snapshot holds secrets")
    if checking and replacing:
        raise click.UsageError("--check and --replace exclude each other")
    if checking:
        _check(file, as_json=as_json)
    else:
        _take(settings, file, replacing=replacing, as_json=as_json)


def _take(settings: Settings, file: Path, *, replacing: bool, as_json: bool) -> None:
    if not replacing:
        refuse_existing(str(file))
    with open_directory(settings) as directory:
        snapshot = take(directory)
    write_whole(str(file), snapshot_text(snapshot), private=True, new=not replacing)
    found = findings(snapshot)
    if as_json:
        print_json(snapshot_json(str(file), snapshot, found))
    else:
        say(f"{file}: {snapshot_line(snapshot)}; it holds secrets")
    if not loadable(found):
        tell("warning: a server would not load it all: dcmcfg snapshot --check names what is wrong.")


def _check(file: Path, *, as_json: bool) -> None:
    try:
        snapshot = read_snapshot(file)
        found = findings(snapshot)
    except (Refused, LdifError, MalformedInput) as refused:
        raise AnswerIsNo(refused.what, on=refused.on, next_step=refused.next_step, details=refused.details) from refused
    invocation.current().so_far = partial(snapshot_json, str(file), snapshot, found)
    if found and not as_json:
        print_findings(stdout_console(), found, len(snapshot.tree.entries))
    if not loadable(found):
        raise AnswerIsNo("a server would not load it", on=str(file))
    if as_json:
        print_json(snapshot_json(str(file), snapshot, found))
    else:
        say(f"{file}: whole and loadable: {snapshot_line(snapshot)}")
