"""``dcmcfg snapshot``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.output import STDOUT, refuse_existing, write_whole
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.errors import AnswerIsNo, LdifError, MalformedInput, Refused
from dcmcfg.render.check import print_findings
from dcmcfg.render.console import stdout_console
from dcmcfg.schema.findings import Finding
from dcmcfg.settings import Settings
from dcmcfg.snapshot.file import Snapshot, read_snapshot, snapshot_text
from dcmcfg.snapshot.proof import findings
from dcmcfg.snapshot.taking import take


@click.command("snapshot", cls=SiteCommand)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@site_options
@click.option("--check", "checking", is_flag=True, help="Prove that FILE is whole and would load; no server is asked.")
@click.option("--replace", "replacing", is_flag=True, help="Replace FILE when it exists.")
def snapshot_command(settings: Settings, *, file: Path, checking: bool, replacing: bool) -> None:
    """Save the whole configuration, with its secrets, in a file.

    The file is readable by you only, holds a checksum, and is LDIF: 'dcmcfg restore' makes the directory equal to it,
    slapadd or ldapadd load it into an empty server.

    With --check exit code 1 says that the file is damaged, or would not load.
    """
    if str(file) == STDOUT:
        raise click.UsageError("FILE is a file: a snapshot holds secrets")
    if checking and replacing:
        raise click.UsageError("--check and --replace exclude each other")
    if checking:
        _check(file)
        return
    if not replacing:
        refuse_existing(str(file))
    with open_directory(settings) as directory:
        snapshot = take(directory)
    write_whole(str(file), snapshot_text(snapshot), private=True, new=not replacing)
    click.echo(f"{file}: {_told(snapshot)}; it holds secrets")
    if _refused_by_a_server(findings(snapshot)):
        click.echo("warning: a server would not load it all: dcmcfg snapshot --check names what is wrong.", err=True)


def _check(file: Path) -> None:
    try:
        snapshot = read_snapshot(file)
        found = findings(snapshot)
    except (Refused, LdifError, MalformedInput) as refused:
        raise AnswerIsNo(refused.what, on=refused.on, next_step=refused.next_step) from refused
    if found:
        print_findings(stdout_console(), found, len(snapshot.tree.entries))
    if _refused_by_a_server(found):
        raise AnswerIsNo("a server would not load it", on=str(file))
    click.echo(f"{file}: whole and loadable: {_told(snapshot)}")


def _refused_by_a_server(found: tuple[Finding, ...]) -> bool:
    return any(finding.severity == "error" for finding in found)


def _told(snapshot: Snapshot) -> str:
    facts = snapshot.facts
    return f"{len(snapshot.tree.entries)} entries of {facts.base_dn} @ {facts.server}, {facts.taken}"
