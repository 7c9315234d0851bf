"""The arguments and the examples in the help of one command."""

from __future__ import annotations

from dataclasses import dataclass

import click

from dcmcfg.cli.help_pages.arguments import ARGUMENTS
from dcmcfg.cli.help_pages.examples import EXAMPLES
from dcmcfg.wrapping import split_command_lines

_MAX_GROUP_EXAMPLES = 4


@dataclass(frozen=True)
class ArgumentHelp:
    """An argument as in the usage line, and the meaning of the argument (may be empty)."""

    metavar: str
    text: str


@dataclass(frozen=True)
class Example:
    """A command line to copy, and its purpose."""

    purpose: str
    command: str

    def format_lines(self, width: int) -> list[str]:
        """Return both as lines for a shell; a command that is wider than *width* is folded with backslashes."""
        first, *rest = split_command_lines(self.command, width - 2, indent="")
        return [f"# {self.purpose}", first, *(f"  {line}" for line in rest)]


def get_path(ctx: click.Context) -> str:
    """Return the words of the command of *ctx* after ``dcmcfg``, such as ``ae add``."""
    words: list[str] = []
    current: click.Context | None = ctx
    while current is not None and (current.parent is not None or current.command.name != "dcmcfg"):
        words.insert(0, current.command.name or "")
        current = current.parent
    return " ".join(words)


def list_arguments(command: click.Command, ctx: click.Context) -> list[ArgumentHelp]:
    """Return the arguments of *command*, in their order."""
    path = get_path(ctx)
    return [
        ArgumentHelp(each.make_metavar(ctx), ARGUMENTS.get(f"{path} {each.name}") or ARGUMENTS.get(each.name or "", ""))
        for each in command.params
        if isinstance(each, click.Argument)
    ]


def list_examples(command: click.Command, ctx: click.Context) -> list[Example]:
    """Return the examples of *command*; for a group, the first example of some of its commands."""
    path = get_path(ctx)
    if path and isinstance(command, click.Group):
        names = command.list_commands(ctx)
        rows = [EXAMPLES[f"{path} {name}"][0] for name in names if f"{path} {name}" in EXAMPLES][:_MAX_GROUP_EXAMPLES]
    else:
        rows = list(EXAMPLES.get(path, ()))
    return [Example(purpose, line) for purpose, line in rows]
