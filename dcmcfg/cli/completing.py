"""What the shell completes from what this account has done."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.history import History
from dcmcfg.settings.folders import state_folder


def roll_out_numbers(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    """Return the numbers of roll-outs that begin with *incomplete*, the newest first, each with its command."""
    try:
        return [
            CompletionItem(str(record.number), help=record.head.command)
            for record in History(state_folder()).records
            if str(record.number).startswith(incomplete)
        ]
    except DcmcfgError:  # a record that cannot be read: nothing is said in the middle of a line
        return []
