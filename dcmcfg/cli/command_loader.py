"""Load the module of a command only when that command runs.

Kept apart: to import all commands at start-up would take a second.
"""

from __future__ import annotations

import importlib

import click

from dcmcfg.cli.commands import COMMANDS, SUBCOMMANDS, Command
from dcmcfg.cli.options.help_page import CommandGroup


def load_command(name: str) -> click.Command:
    """Import and return the command *name* of :data:`~dcmcfg.cli.commands.COMMANDS`."""
    return _load(COMMANDS[name])


class LazyGroup(CommandGroup):
    """A group whose commands are the rows for its name in :data:`~dcmcfg.cli.commands.SUBCOMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature, as below
        return list(self._rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        row = self._rows.get(cmd_name)
        return None if row is None else _load(row)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table, so that ``--help`` loads no command."""
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
