"""The table of commands: aliases run the command that they stand for, and are listed nowhere."""

from __future__ import annotations

import click
import pytest
from click.shell_completion import ShellComplete

from dcmcfg.cli.commands import ALIASES, COMMANDS, expand_alias
from dcmcfg.cli.main import program
from tests.cli.conftest import Run


def complete(*words: str) -> list[str]:
    """Return the completions of the last of *words*."""
    completion = ShellComplete(program, {}, "dcmcfg", "_DCMCFG_COMPLETE")
    return [item.value for item in completion.get_completions(list(words[:-1]), words[-1])]


def test_an_alias_is_replaced_at_the_beginning_only() -> None:
    assert expand_alias(["aes", "ST*", "--json"]) == ["ae", "list", "ST*", "--json"]
    assert expand_alias(("get", "aes")) == ["get", "aes"]
    assert expand_alias(["aesx"]) == ["aesx"]
    assert expand_alias([]) == []


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_has_the_help_of_its_command(run: Run, alias: str) -> None:
    command = ALIASES[alias].split()
    result = run(*alias.split(), "--help")
    assert (result.exit_code, result.stdout) == (0, run(*command, "--help").stdout)
    words = [word for word in command if not word.startswith("-")]
    assert result.stdout.startswith(f"Usage: {' '.join(('dcmcfg', *words))} ")


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_is_in_no_list(run: Run, alias: str) -> None:
    *group, name = alias.split()
    assert alias not in COMMANDS
    assert f"\n  {name} " not in run(*group, "--help").stdout
    assert name not in complete(*group, name)


@pytest.mark.parametrize("alias", ALIASES)
def test_options_are_completed_after_an_alias(alias: str) -> None:
    offered = complete(*alias.split(), "--ldap")
    assert offered == complete(*ALIASES[alias].split(), "--ldap")
    assert offered == ["--ldap-url"]


def test_an_alias_follows_the_options_of_the_program(run: Run) -> None:
    result = run("--ldap-url", "nonsense", "aes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nonsense" in result.stderr


def test_no_alias_hides_a_command() -> None:
    context = click.Context(program, info_name="dcmcfg")
    for alias in ALIASES:
        first, *rest = alias.split()
        command = program.get_command(context, first) if first in COMMANDS else None
        if command is not None:
            assert isinstance(command, click.Group)
            assert rest[0] not in command.list_commands(context)
