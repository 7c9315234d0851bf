"""``dcmcfg apply``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.changing import Choices, carry_out, changing_options
from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.directory.reading import read_tree
from dcmcfg.errors import Refused
from dcmcfg.ldif_files import file_doubts, read_files
from dcmcfg.plan.plan import make_plan
from dcmcfg.plan.wanted import wanted_of
from dcmcfg.render.history import taken_up
from dcmcfg.rollout.history import History
from dcmcfg.rollout.left import plan_left, settle
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import state_folder


@click.command("apply", cls=SiteCommand)
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option("--resume", is_flag=True, help="Finish the roll-out that was interrupted; without FILE.")
@changing_options
def apply_command(settings: Settings, choices: Choices, *, files: tuple[Path, ...], resume: bool) -> None:
    """Carry out LDIF files, undo files included.

    A FILE holds change records, or entries that do not exist yet; '-' is standard input. What the tree holds already
    is listed and passed over. A file with assertion controls (a plan, an undo) fits exactly as it is written,
    or is refused as a whole. Nothing is written unless every record of every file fits.
    """
    if bool(files) == resume:
        raise click.UsageError("--resume takes no FILE" if resume else "name a FILE, or say --resume")
    if resume:
        _resume(settings, choices)
        return
    records = read_files(files)
    with open_directory(settings) as directory:
        plan = make_plan(read_tree(directory), wanted_of(records))
        doubts = tuple(file_doubts(records, settings.ldap_url))
        undoes = History(state_folder()).owner_of(files)
        carry_out(settings, directory, plan, choices, doubts, undoes=undoes)


def _resume(settings: Settings, choices: Choices) -> None:
    with open_directory(settings) as directory:
        record = settle(state_folder(), directory)
        if record is None:
            raise Refused(
                "no roll-out on this directory is unfinished",
                on=settings.ldap_url,
                next_step="dcmcfg history lists what there was; dcmcfg reload, if the archive has not loaded it",
            )
        plan = plan_left(record, read_tree(directory))
        click.echo(taken_up(record), err=choices.stdout_taken)
        carry_out(settings, directory, plan, choices, resuming=record)
