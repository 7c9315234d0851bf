"""The examples in the help of commands are command lines that the commands understand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from dcmcfg.cli.help_pages.examples import EXAMPLES
from dcmcfg.cli.main import program
from tests.cli.conftest import Run

WIDEST = 80


def walk(command: click.Command, context: click.Context, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield each command that is not a group, with its words."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        inside = click.Context(found, parent=context, info_name=name)
        yield from walk(found, inside, f"{path} {name}".strip())


COMMANDS = dict(walk(program, click.Context(program, info_name="dcmcfg", **program.context_settings)))
LINES = [(path, purpose, line) for path, rows in EXAMPLES.items() for purpose, line in rows]


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_two_examples(path: str) -> None:
    assert len(EXAMPLES.get(path, ())) >= 2


def test_every_example_belongs_to_a_command() -> None:
    assert [path for path in EXAMPLES if path not in COMMANDS] == []


@pytest.mark.parametrize(("path", "purpose", "line"), LINES, ids=[line for _, _, line in LINES])
def test_an_example_is_understood(path: str, purpose: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])
    beginning = ["dcmcfg", *path.split()]
    assert words[: len(beginning)] == beginning
    arguments = words[len(beginning) :]
    with COMMANDS[path].make_context(path, arguments, help_option_names=["-h", "--help"]):  # click keeps the option
        pass
    assert purpose[0].isupper()
    assert purpose[-1] not in ".?"


@pytest.mark.parametrize("path", COMMANDS)
def test_the_lines_of_examples_fit(run: Run, path: str) -> None:
    shown = run(*path.split(), "--help").stdout.partition("\nExamples:\n")[2]
    assert [line for line in shown.splitlines() if len(line) > WIDEST] == []
    commands = [shlex.split(each.partition("\n")[2].replace("\\\n", "")) for each in shown.split("  # ")[1:]]
    assert commands == [shlex.split(line) for _, line in EXAMPLES[path]], "folded lines are the same command"


def test_the_help_ends_with_the_examples(run: Run) -> None:
    assert run("history", "--help").stdout.endswith(
        "Examples:\n  # List the changes\n  dcmcfg history\n  # Show one change in detail\n  dcmcfg history 12\n"
        "  # Write a report of one change\n  dcmcfg history 12 --format html -o change.html\n"
    )
