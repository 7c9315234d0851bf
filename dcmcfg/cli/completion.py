"""``dcmcfg completion``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.session.output import print_json

_VARIABLE = "_DCMCFG_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=UniqueOptionsCommand)
@click.argument("shell", type=click.Choice(_SHELLS))
@json_option
@output_option
@click.pass_context
def completion_command(ctx: click.Context, /, *, shell: str, as_json: bool) -> None:
    """Print the shell completion script.

    The script completes commands, options, and the names in the site's configuration: devices, AEs, attributes and
    values. For zsh, save the output as _dcmcfg in a folder of your $fpath.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click does not support completion for {shell}")
    script = kind(ctx.find_root().command, {}, "dcmcfg", _VARIABLE).source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
