"""``dcmcfg undo``."""

from __future__ import annotations

from pathlib import Path

import click

from dcmcfg.cli.options.arguments import RollOutNumber
from dcmcfg.cli.options.change_options import Choices, changing_options
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import say
from dcmcfg.cli.session.change import carry_out, server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import Rejects
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.render.history import taken_back, taken_back_in_part
from dcmcfg.rollout.history import History
from dcmcfg.rollout.partial_undo import nothing_fits, plan_what_fits, settle_where_possible
from dcmcfg.rollout.preconditions import telling_who, told_who
from dcmcfg.rollout.record import Record
from dcmcfg.rollout.selection import to_take_back
from dcmcfg.rollout.unfinished import plan_back, settle
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import state_folder

_REJECTED = 1


@click.command(
    "undo",
    cls=SiteCommand,
    epilog=examples(
        ("Revert the newest roll-out", "dcmcfg undo"),
        ("Revert roll-out 12, except for what others have changed since", "dcmcfg undo 12 --what-fits"),
    ),
)
@click.argument("number", required=False, type=RollOutNumber(), metavar="[N]")
@site_options
@click.option(
    "--what-fits",
    is_flag=True,
    help="Revert only the steps that still fit, and list the others; exit code 1 then.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="Where --what-fits writes the steps that do not fit; undo-N.rejects.ldif by default.",
)
@changing_options
def undo_command(
    settings: Settings, choices: Choices, *, number: int | None, what_fits: bool, rejects: Path | None
) -> int:
    """Take a roll-out back.

    It is planned, shown and asked for as any other change is. Without N it is the one that was interrupted, else the
    newest that stands on this directory. An undo is a roll-out too: 'dcmcfg undo N' with its own number makes again
    what it took back. What was changed since is not overwritten: the undo is refused then, naming what has moved, or
    with --what-fits leaves those steps out.
    """
    if rejects is not None and not what_fits:
        raise click.UsageError("--rejects goes with --what-fits")
    with open_directory(settings) as directory:
        settled = (settle_where_possible if what_fits else settle)(state_folder(), directory)
        history = History(state_folder())
        record = to_take_back(history, settings.ldap_url, number, settled)
        if what_fits:
            return _take_back_what_fits(settings, directory, record, choices, rejects)
        tree = read_tree(directory)
        rules = server_rules(directory, tree)
        with telling_who(directory):
            plan = plan_back(record, tree, history.standing_since(record), rules)
        say(taken_back(record), on_stderr=choices.stdout_taken)
        carry_out(settings, directory, plan, choices, undoes=record.number, rules=rules)
    return 0


def _take_back_what_fits(
    settings: Settings, directory: Directory, record: Record, choices: Choices, named: Path | None
) -> int:
    tree = read_tree(directory)
    rules = server_rules(directory, tree)
    plan, misfits = plan_what_fits(record, tree, rules.refusal)
    path = named or Path(f"undo-{record.number}.rejects.ldif")
    rejects = Rejects.of_records(path, told_who(directory, misfits))
    warnings = () if plan.steps else (nothing_fits(record),)
    say(taken_back_in_part(record), on_stderr=choices.stdout_taken)
    carry_out(settings, directory, plan, choices, warnings, undoes=record.number, rejects=rejects, rules=rules)
    return _REJECTED if misfits and not choices.dry_run else 0
