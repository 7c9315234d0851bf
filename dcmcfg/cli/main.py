"""The program ``dcmcfg``: its commands by name, each loaded only when it runs."""

from __future__ import annotations

import functools
import gc
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any

import click
from click.shell_completion import CompletionItem

from dcmcfg import __version__
from dcmcfg.cli import bash_completion, invocation
from dcmcfg.cli.command_loader import load_command
from dcmcfg.cli.commands import COMMANDS, SECTIONS, expand_alias
from dcmcfg.cli.options.limit_option import limit_option
from dcmcfg.cli.options.site_settings import add_site_options
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.failures import OutputClosed, run_and_exit
from dcmcfg.cli.topics import TOPIC_LIST, TOPICS
from dcmcfg.cli.usage_errors import require_known_command

#: Trees and plans are large and have no cycles. Python's default, a collection after 700 new objects, would take a
#: third of the time of a large roll-out and find nothing.
_GC_THRESHOLD = 100_000


class Program(UniqueOptionsCommand, click.Group):
    """The group of all commands in :data:`COMMANDS`."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run as click does; :func:`run_and_exit` reports every failure."""
        bash_completion.install()
        arguments = list(sys.argv[1:] if args is None else args)
        run = invocation.Invocation(arguments=tuple(arguments))
        run_click = functools.partial(super().main, arguments, *rest, **extra | {"standalone_mode": False, "obj": run})
        return run_and_exit(run_click, run)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises :class:`OutputClosed` for a closed pipe.

        click would convert it to exit code 1, which means a negative result here.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise OutputClosed from None
        return result

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature, as below
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, also by an alias. The error for an unknown command lists similar names."""
        args = expand_alias(args)
        require_known_command(ctx, args, COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, COMMANDS))
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), command.help) for name, command in commands.items()])
        with formatter.section("Help topics (dcmcfg help TOPIC)"):
            # One line for each would make the page longer than a window.
            names = ", ".join(name for name in TOPICS if name != TOPIC_LIST)
            formatter.write_text(f"{names}. For a description of each topic: dcmcfg help {TOPIC_LIST}")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # From the table: click would load each command for its help text.
        names = [
            CompletionItem(name, help=command.help) for name, command in COMMANDS.items() if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001 — click's signature
    if value and not ctx.resilient_parsing:
        # --version is processed before --json, so look at the arguments themselves.
        if ctx.ensure_object(invocation.Invocation).json_requested:
            from dcmcfg.cli.version import print_versions

            print_versions()
        else:
            print_output(f"dcmcfg {__version__}")
        ctx.exit()


@click.command("dcmcfg", cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@add_site_options
@limit_option
@click.option("--json", "as_json", is_flag=True, help="Print the result of any command as JSON.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version; with --json, also libraries.",
)
@click.pass_context
def program(ctx: click.Context, /, *, as_json: bool, **site: str | None) -> None:
    """Configure a dcm4chee-arc archive, and prove with a C-MOVE that it works.

    Run 'dcmcfg help COMMAND' for arguments, options and examples.
    """
    options = {name: value for name, value in site.items() if value is not None}
    run = ctx.ensure_object(invocation.Invocation)
    run.site_options.update(options)
    run.json_before_command = as_json


def main() -> None:
    """Run the program on the command line's arguments, and exit.

    A character that the locale cannot encode is written as an escape sequence, so that the output is not lost.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    gc.set_threshold(_GC_THRESHOLD, 50, 50)
    try:
        program(prog_name="dcmcfg")
    finally:
        # Ignore Ctrl-C from here on: the output is complete, and an interrupt would only change the exit code.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Leave a large tree to the end of the process: to free its objects one by one would take longer.
        gc.freeze()
