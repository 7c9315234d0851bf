"""``dcmcfg completion``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dcmcfg.cli.options.unique_options import UniqueOptionsCommand

_VARIABLE = "_DCMCFG_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=UniqueOptionsCommand)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the shell completion script.

    It completes commands, options, and the names in the site's configuration: devices, AEs, attributes and values. For
    zsh, save the output as _dcmcfg in a folder of your $fpath.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "dcmcfg", _VARIABLE).source())
