"""The state of one run of the program."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click

from dcmcfg.cli.commands import COMMANDS
from dcmcfg.cli.options.site_settings import FLAGS, SITE_SETTINGS

_SITE_COMMAND_NAMES = "|".join(name for name, command in COMMANDS.items() if command.uses_site)
_COMMAND = re.compile(rf"\bdcmcfg (?=(?:{_SITE_COMMAND_NAMES})\b)")

#: The options before the command that have a value.
_VALUE_OPTIONS = frozenset(
    {"--max", "--color", *(f"--{each.replace('_', '-')}" for each in SITE_SETTINGS if each not in FLAGS)}
)


@dataclass(kw_only=True)
class Invocation:
    """One run of the program.

    ``arguments`` are the arguments of the program. ``site_options`` has the site options before the command, by name;
    when the command runs, also those after it. ``may_have_changed`` is true from the first request that may change
    something: from then on, an unexpected failure has exit code 4, and 3 before. ``changes_directory`` is true in a
    command that can change the directory. ``skip_schema_check`` is true if only the server checks its schema.
    ``json_before_command`` is true if ``--json`` came before the command. ``json_printed`` is true after the JSON
    object of ``--json`` was printed. Until then ``partial_result``, if any, returns the fields known so far, for the
    JSON of a failure. ``printed_warnings`` are the warnings of a credential that is sent unencrypted, each printed
    once.
    """

    arguments: tuple[str, ...] = ()

    site_options: dict[str, str] = field(default_factory=dict)
    may_have_changed: bool = False
    changes_directory: bool = False
    json_before_command: bool = False
    skip_schema_check: bool = False
    json_printed: bool = False
    partial_result: Callable[[], dict[str, Any]] | None = None
    printed_warnings: set[str] = field(default_factory=set)

    @property
    def json_requested(self) -> bool:
        """Whether ``--json`` or ``--format json`` is among the arguments, also if they cannot be parsed."""
        # Words after `--` are arguments, not options.
        end = self.arguments.index("--") if "--" in self.arguments else len(self.arguments)
        arguments = self.arguments[:end]
        return (
            "--json" in arguments
            or "--format=json" in arguments
            or ("--format", "json") in itertools.pairwise(arguments)
        )

    @property
    def runs_plugin(self) -> bool:
        """Whether the command is ``monitor``, also if the arguments cannot be parsed.

        A monitoring system reads the exit codes 0 to 2 as a state of the site.
        """
        arguments = iter(self.arguments)
        for each in arguments:
            if each in COMMANDS:
                return each == "monitor"
            if each in _VALUE_OPTIONS:
                next(arguments, None)
        return False

    @property
    def command_line(self) -> str:
        """The command line of the run, quoted for a shell."""
        return shlex.join(("dcmcfg", *self.arguments))

    def insert_site_options(self, text: str) -> str:
        """Return *text* with the site options of this run in each suggested command line."""
        options = "".join(f"{_format_option(name, value)} " for name, value in self.site_options.items())
        return _COMMAND.sub(lambda _: f"dcmcfg {options}", text)


def _format_option(name: str, value: str) -> str:
    option = f"--{name.replace('_', '-')}"
    return option if name in FLAGS else f"{option} {shlex.quote(value)}"


def current() -> Invocation:
    """Return the current run; only valid while a command runs."""
    return click.get_current_context().ensure_object(Invocation)
