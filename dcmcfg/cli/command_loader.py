"""Load the module of a command only when that command runs.

Kept apart: a start that imports all commands would take a second.
"""

from __future__ import annotations

import importlib

import click

from dcmcfg.cli.commands import COMMANDS


def load_command(name: str) -> click.Command:
    """Import and return the command *name* of :data:`~dcmcfg.cli.commands.COMMANDS`."""
    row = COMMANDS[name]
    command = getattr(importlib.import_module(f"dcmcfg.cli.{row.module}"), row.attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{row.module}.{row.attribute} is not a click command")
    return command
