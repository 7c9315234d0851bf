"""An option with one value is given once: the last of two would be a guess."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dcmcfg.cli.command_loader import load_command
from dcmcfg.cli.commands import COMMANDS
from dcmcfg.cli.main import program
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from tests.cli.conftest import Run


def commands(name: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command, **program.context_settings)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from commands((*name, each), below)
    else:
        yield name, command


EVERY = [found for name in COMMANDS for found in commands((name,), load_command(name))]


@pytest.mark.parametrize(("name", "command"), EVERY, ids=[" ".join(name) for name, _ in EVERY])
def test_each_option_of_each_command_is_refused_twice_or_takes_several_values(
    run: Run, name: tuple[str, ...], command: click.Command
) -> None:
    assert isinstance(command, UniqueOptionsCommand)
    for option in command.params:
        if not isinstance(option, click.Option) or option.is_flag or option.multiple or option.count:
            continue
        result = run(*name, *[option.opts[-1], *["x"] * option.nargs] * 2)
        names = "/".join(option.opts)
        # For a monitoring system, 2 is a state of the site.
        assert result.exit_code == (3 if name == ("monitor",) else 2)
        assert f"{names} is given 2 times, but can be given only once" in result.output


def test_site_options_before_the_command_too(run: Run) -> None:
    result = run("--archive-url", "http://a", "--archive-url", "http://b", "reload")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--archive-url is given 2 times, but can be given only once" in result.stderr


def test_flags_that_contradict_each_other_are_refused(run: Run) -> None:
    assert "--ldif and --json cannot be used together" in run("diff", "--ldif", "--json", "a.ldif").stderr
    twice = run("apply", "--transaction", "--step-by-step", "a.ldif")
    assert (twice.exit_code, twice.stdout) == (2, "")
    assert "--transaction/--step-by-step is given 2 times, but can be given only once" in twice.stderr


def test_a_flag_and_an_option_with_several_values_may_be_repeated(run: Run) -> None:
    result = run("diff", "--with-secrets", "--with-secrets", "--ignore", "a", "--ignore", "b", "gone.ldif", "gone.ldif")
    assert (result.exit_code, result.stderr) == (
        3,
        "dcmcfg: gone.ldif: cannot read the file (No such file or directory)\n"
        f"  next: check the path: the folder {Path.cwd()} has no such file\n",
    )


def test_the_program_and_its_commands_are_all_of_that_kind() -> None:
    assert isinstance(program, UniqueOptionsCommand)
    assert len(EVERY) > len(COMMANDS)
