"""``dcmcfg completion``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dcmcfg.cli.options.unique_options import UniqueOptionsCommand

_VARIABLE = "_DCMCFG_COMPLETE"
#: Where each shell picks the script up.
_INSTALL = {
    "bash": "dcmcfg completion bash > ~/.local/share/bash-completion/completions/dcmcfg",
    "zsh": "dcmcfg completion zsh > a folder of your $fpath, as _dcmcfg",
    "fish": "dcmcfg completion fish > ~/.config/fish/completions/dcmcfg.fish",
}


@click.command(
    "completion",
    cls=UniqueOptionsCommand,
    epilog="\b\nInstall it with\n" + "\n".join(f"  {line}" for line in _INSTALL.values()),
)
@click.argument("shell", type=click.Choice(list(_INSTALL)))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the shell completion script."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "dcmcfg", _VARIABLE).source())
