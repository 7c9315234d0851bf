"""Load the module of a command only when that command runs.

Kept apart: to import all commands at start-up would take a second.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Sequence

import click

from dcmcfg.cli.commands import COMMANDS, SUBCOMMANDS, Command
from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.suggestions import suggest_names


def load_command(name: str) -> click.Command:
    """Import and return the command *name* of :data:`~dcmcfg.cli.commands.COMMANDS`."""
    return _load(COMMANDS[name])


def require_known_command(ctx: click.Context, args: Sequence[str], known: Collection[str]) -> None:
    """Raise a usage error with similar names if *args* begin with a command that is not in *known*."""
    if ctx.resilient_parsing or not args or args[0].startswith("-") or args[0] in known:
        return
    similar_names = suggest_names(args[0], known)
    ctx.fail(
        f"No such command {args[0]!r}." + (f" Did you mean {' or '.join(similar_names)}?" if similar_names else "")
    )


class LazyGroup(CommandGroup):
    """A group whose commands are the rows for its name in :data:`~dcmcfg.cli.commands.SUBCOMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature, as below
        return list(self._rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        row = self._rows.get(cmd_name)
        return None if row is None else _load(row)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. The error suggests similar names; click does this only in groups with loaded commands."""
        require_known_command(ctx, args, self._rows)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table, so that ``--help`` loads none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.help) for name, row in self._rows.items()])

    @property
    def _rows(self) -> dict[str, Command]:
        return SUBCOMMANDS[self.name or ""]


def _load(row: Command) -> click.Command:
    command = getattr(importlib.import_module(f"dcmcfg.cli.{row.module}"), row.attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{row.module}.{row.attribute} is not a click command")
    return command
