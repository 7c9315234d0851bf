"""``dcmcfg undo``."""

from __future__ import annotations

import click

from dcmcfg.cli.changing import carry_out
from dcmcfg.cli.choices import Choices, changing_options
from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.roll_out_number import RollOutNumber
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.cli.telling import say
from dcmcfg.directory.reading import read_tree
from dcmcfg.render.history import taken_back
from dcmcfg.rollout.history import History
from dcmcfg.rollout.last_change import telling_who
from dcmcfg.rollout.left import plan_back, settle
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import state_folder


@click.command("undo", cls=SiteCommand)
@click.argument("number", required=False, type=RollOutNumber(), metavar="[N]")
@site_options
@changing_options
def undo_command(settings: Settings, choices: Choices, *, number: int | None) -> None:
    """Take a roll-out back.

    It is planned, shown and asked for as any other change is. Without N it is the one that was interrupted, else the
    newest that stands on this directory. An undo is a roll-out too: 'dcmcfg undo N' with its own number makes again
    what it took back. What was changed since is not overwritten: the undo is refused then, naming what has moved.
    """
    with open_directory(settings) as directory:
        interrupted = settle(state_folder(), directory)
        history = History(state_folder())
        record = history.to_take_back(settings.ldap_url, number, interrupted)
        with telling_who(directory):
            plan = plan_back(record, read_tree(directory), history.standing_since(record))
        say(taken_back(record), on_stderr=choices.stdout_taken)
        carry_out(settings, directory, plan, choices, undoes=record.number)
