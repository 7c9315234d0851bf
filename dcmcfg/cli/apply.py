"""``dcmcfg apply``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.changing import Choices, carry_out, changing_options
from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.directory.reading import read_tree
from dcmcfg.ldif_files import file_doubts, read_files
from dcmcfg.plan.plan import make_plan
from dcmcfg.plan.wanted import wanted_of
from dcmcfg.settings import Settings


@click.command("apply", cls=SiteCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@changing_options
def apply_command(settings: Settings, choices: Choices, *, files: tuple[Path, ...]) -> None:
    """Carry out LDIF files, undo files included.

    A FILE holds change records, or entries that do not exist yet; '-' is standard input. What the tree holds already
    is listed and passed over. A file with assertion controls (a plan, an undo) fits exactly as it is written,
    or is refused as a whole. Nothing is written unless every record of every file fits.
    """
    records = read_files(files)
    with open_directory(settings) as directory:
        plan = make_plan(read_tree(directory), wanted_of(records))
        carry_out(settings, directory, plan, choices, tuple(file_doubts(records, settings.ldap_url)))
