"""What the user says about carrying a plan out, as options."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.risks import PARAMETERS, risk_options
from dcmcfg.cli.telling import say
from dcmcfg.plan.server_schema import SERVER_SCHEMA

R = TypeVar("R")


@dataclass(frozen=True)
class Choices:
    """What the user said about carrying a plan out."""

    dry_run: bool
    yes: bool
    out: Path | None
    no_reload: bool
    as_json: bool
    #: Standard output holds something else, so the plan is shown on standard error.
    stdout_taken: bool = False
    #: Assert of each entry that nothing in it has changed.
    strict: bool = False
    #: One transaction or step by step, where the user says which.
    in_transaction: bool | None = None
    #: The risks that were named.
    forced: frozenset[str] = frozenset()

    def say(self, *lines: str) -> None:
        """Print *lines* where the plan is shown, the commands in them with this run's site."""
        say(*map(invocation.current().spoken, lines), on_stderr=self.stdout_taken)


def changing_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the options of a changing command added, to be called with ``choices=Choices``."""

    @functools.wraps(command)
    def with_choices(
        *,
        dry_run: bool,
        yes: bool,
        out: Path | None,
        no_reload: bool,
        as_json: bool,
        strict: bool,
        in_transaction: bool | None,
        **rest: Any,
    ) -> R:
        invocation.current().changes_directory = True
        forced = frozenset(risk for parameter, risk in PARAMETERS.items() if rest.pop(parameter))
        invocation.current().server_decides = SERVER_SCHEMA in forced
        choices = Choices(dry_run, yes, out, no_reload, as_json, as_json, strict, in_transaction, forced)
        return command(choices=choices, **rest)

    for option in reversed(
        (
            click.option("--dry-run", is_flag=True, help="Show the plan and stop."),
            click.option("--yes", "-y", is_flag=True, help="Do not ask."),
            click.option(
                "--out",
                type=click.Path(dir_okay=False, path_type=Path),
                metavar="PLAN",
                help="Also write the plan to a new file that 'dcmcfg apply' or ldapmodify carries out.",
            ),
            click.option(
                "--no-reload",
                is_flag=True,
                help="Change the directory only. The archive loads the change at its next start or reload, or by "
                "itself when a storage falls below its dcmStorageThreshold.",
            ),
            click.option("--strict", is_flag=True, help="Refuse when anything in an entry has changed meanwhile."),
            click.option(
                "--transaction/--step-by-step",
                "in_transaction",
                default=None,
                help="In one transaction, replicas or not, or refuse; or without. By default as the server allows it "
                "safely.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
            *risk_options(),
        )
    ):
        with_choices = option(with_choices)
    return with_choices
