"""The number of a roll-out as an argument, which the shell completes."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.history import History
from dcmcfg.settings.folders import state_folder


class RollOutNumber(click.IntRange):
    """The number of a roll-out of this account, from 1 on."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number: int = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r}: a roll-out is named by its number; dcmcfg history lists them", param, ctx)
        return number

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 — click's signature
        """Return the numbers of roll-outs that begin with *incomplete*, the newest first, each with its command."""
        try:
            return [
                CompletionItem(str(record.number), help=record.head.command)
                for record in History(state_folder()).records
                if str(record.number).startswith(incomplete)
            ]
        except DcmcfgError:  # a record that cannot be read: nothing is said in the middle of a line
            return []
