"""``dcmcfg history``."""

from __future__ import annotations

import click

from dcmcfg.cli.options.arguments import RolloutNumber
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.session.output import print_json
from dcmcfg.render.history import history_json, print_history, print_rollout, rollout_json
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.rollout.history import History
from dcmcfg.settings.folders import get_state_folder


@click.command("history", cls=UniqueOptionsCommand)
@click.argument("number", required=False, type=RolloutNumber(), metavar="[N]")
@click.option("--mark-resolved", is_flag=True, help="Mark the interrupted change N as corrected by hand.")
@wide_option
@json_option
@output_option
def history_command(*, number: int | None, mark_resolved: bool, as_json: bool) -> None:
    """List the changes applied from this account.

    With N, show change N in detail, without secrets. To revert this change, run 'dcmcfg undo N'. The command contacts
    no server.

    The result "applied" means that the directory has the whole change. With N, the line "Reload" shows whether the
    archive reloaded after the change. The line is missing if the result of the reload was not recorded.
    """
    history = History(get_state_folder())
    if number is None:
        if mark_resolved:
            raise click.UsageError("--mark-resolved requires N")
        if as_json:
            print_json(history_json(history))
        else:
            print_history(make_stdout_console(), history)
        return
    record = history.get_rollout(number)
    if mark_resolved:
        history.close(record)
    if as_json:
        print_json(rollout_json(history, record, with_changes=True))
    else:
        print_rollout(make_stdout_console(), history, record)
