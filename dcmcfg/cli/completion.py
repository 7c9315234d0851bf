"""``dcmcfg completion``. Kept apart: each command is a module of its own, loaded only when the command runs."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.session.output import print_json

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
@json_option
@output_option
@click.pass_context
def completion_command(ctx: click.Context, /, *, shell: str, as_json: bool) -> None:
    """Print the shell completion script."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    script = kind(ctx.find_root().command, {}, "dcmcfg", _VARIABLE).source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)
