"""``dcmcfg history``."""

from __future__ import annotations

import click

from dcmcfg.cli.options.arguments import RollOutNumber
from dcmcfg.cli.options.unique_options import GivenOnce
from dcmcfg.cli.session.output import print_json
from dcmcfg.render.history import history_json, print_history, print_roll_out, roll_out_json
from dcmcfg.render.terminal.console import stdout_console
from dcmcfg.rollout.history import History
from dcmcfg.settings.folders import state_folder


@click.command("history", cls=GivenOnce)
@click.argument("number", required=False, type=RollOutNumber(), metavar="[N]")
@click.option("--close", is_flag=True, help="Note that the tree was put right by hand after N, which was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def history_command(*, number: int | None, close: bool, as_json: bool) -> None:
    """List what was rolled out from this account.

    With N, that roll-out with its changes; secrets are left out. 'dcmcfg undo N' takes one back. No server is asked.

    The result "written" (with --json "done") means that all changes are in the directory. Whether the archive reloaded
    is not recorded.
    """
    history = History(state_folder())
    if number is None:
        if close:
            raise click.UsageError("--close needs N")
        if as_json:
            print_json(history_json(history))
        else:
            print_history(stdout_console(), history)
        return
    record = history.numbered(number)
    if close:
        history.close(record)
    if as_json:
        print_json(roll_out_json(history, record, with_changes=True))
    else:
        print_roll_out(stdout_console(), history, record)
