"""The table of commands: aliases run the command that they stand for, and are listed nowhere."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from dcmcfg.cli.commands import ALIASES, COMMANDS, SUBCOMMANDS, expand_alias
from dcmcfg.cli.main import program
from tests.cli.conftest import Run


def complete(*words: str) -> list[str]:
    """Return the completions of the last of *words*."""
    completion = ShellComplete(program, {}, "dcmcfg", "_DCMCFG_COMPLETE")
    return [item.value for item in completion.get_completions(list(words[:-1]), words[-1])]


def test_an_alias_is_replaced_at_the_beginning_only() -> None:
    assert expand_alias(["aes", "ST*", "--json"]) == ["ae", "list", "ST*", "--json"]
    assert expand_alias(("get", "aes")) == ["get", "aes"]
    assert expand_alias(["aes", "list", "ST*"]) == ["ae", "list", "ST*"]
    assert expand_alias(["aes", "set", "X", "a=b"]) == ["ae", "set", "X", "a=b"]
    assert expand_alias(["devices", "show", "X"]) == ["device", "show", "X"]
    assert expand_alias(["devices"]) == ["device", "list"]
    assert expand_alias(["lint", "show"]) == ["check", "show"]
    assert expand_alias(["aesx"]) == ["aesx"]
    assert expand_alias([]) == []


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_has_the_help_of_its_command(run: Run, alias: str) -> None:
    command = ALIASES[alias]
    result = run(*alias.split(), "--help")
    assert (result.exit_code, result.stdout) == (0, run(*command.split(), "--help").stdout)
    assert result.stdout.startswith(f"Usage: dcmcfg {command.partition(' --')[0]} ")


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


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("ae", "shwo", "X"), "No such command 'shwo'. Did you mean show?"),
        (("device", "creat", "X"), "No such command 'creat'. Did you mean create?"),
        (("ae", "qqq"), "No such command 'qqq'."),
        (("rename", "storge", "a", "b"), "No such command 'storge'. Did you mean storage?"),
        (("ae", "delete", "X"), "No such command 'delete'. Did you mean remove?"),
        (("ae", "create", "X"), "No such command 'create'. Did you mean add?"),
        (("ae", "ls"), "No such command 'ls'. Did you mean list?"),
        (("device", "add", "X"), "No such command 'add'. Did you mean create?"),
        (("device", "new", "X"), "No such command 'new'. Did you mean create?"),
        (("device", "delete", "X"), "No such command 'delete'. Did you mean remove?"),
        (("connection", "create", "X"), "No such command 'create'. Did you mean add?"),
        (("connection", "get", "X"), "No such command 'get'. Did you mean show?"),
        (("connection", "rename", "X"), "No such command 'rename'."),
        (("connection", "remvoe", "X"), "No such command 'remvoe'. Did you mean remove?"),
        (("ae", "lisst"), "No such command 'lisst'. Did you mean list?"),
    ],
)
def test_an_unknown_command_of_a_group_is_an_error_with_similar_names(
    run: Run, arguments: tuple[str, ...], problem: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(f"Error: {problem}\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("check", "--rules"), "No such option '--rules'. Did you mean --rule, --list-rules?"),
        (("ae", "add", "--descr", "x"), "No such option '--descr'. Did you mean --description?"),
        (("ae", "show", "--port", "x"), "No such option '--port'."),
        (("ae", "list", "--ldapurl", "x"), "No such option '--ldapurl'. Did you mean --ldap-url?"),
        (("ae", "list", "--outt", "x"), "No such option '--outt'. Did you mean --output?"),
        (("ae", "list", "-z"), "No such option '-z'."),
        (("capability", "add", "X", "SCU", "1.2"), "Missing option '--role', one of: scu, scp."),
        (("completion",), "Missing argument 'SHELL', one of: bash, zsh, fish."),
    ],
)
def test_a_usage_error_is_one_line_with_the_options_that_help_lists(
    run: Run, arguments: tuple[str, ...], problem: str
) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(f"Error: {problem}\n")


def test_no_alias_hides_a_command() -> None:
    context = click.Context(program, info_name="dcmcfg", **program.context_settings)
    for alias in ALIASES:
        first, *rest = alias.split()
        command = program.get_command(context, first) if first in COMMANDS else None
        if command is not None:
            assert isinstance(command, click.Group)
            assert rest[0] not in command.list_commands(context)


@pytest.mark.parametrize("group", SUBCOMMANDS)
def test_help_of_a_lazy_group_lists_its_commands_and_loads_none(group: str) -> None:
    code = (
        "import sys; from dcmcfg.cli.main import program\n"
        f"try: program([{group!r}, '--help'], prog_name='dcmcfg')\n"
        "finally: print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, loaded = result.stdout.rstrip().rpartition("\n")
    listed = text.partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert [line.split(maxsplit=1) for line in listed.splitlines()] == [
        [name, row.help] for name, row in SUBCOMMANDS[group].items()
    ]
    assert not {f"dcmcfg.cli.{row.module}" for row in SUBCOMMANDS[group].values()} & set(loaded.split())


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("ae", "list show add set rename remove"),
        ("device", "list show create clone set rename remove"),
        ("connection", "list show add set remove"),
        ("capability", "list show add set remove copy diff"),
        ("config", "list show set unset nodes use path"),
    ],
)
def test_each_noun_has_its_verbs_in_one_order(run: Run, group: str, names: str) -> None:
    listed = run(group, "--help").stdout.partition("\nCommands:\n")[2].partition("\n\n")[0]
    found = [line.split()[0] for line in listed.splitlines() if not line.startswith("   ")]
    assert (found, complete(group, "")) == (names.split(), names.split())


@pytest.mark.parametrize("group", ["ae", "device"])
def test_a_list_loads_nothing_that_changes_the_directory(group: str) -> None:
    code = (
        f"import sys; from dcmcfg.cli.main import program; program([{group!r}, 'list', '--help'], prog_name='dcmcfg')"
    )
    code = f"try:\n    {code}\nfinally:\n    print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = result.stdout.rstrip().rpartition("\n")[2].split()
    assert not {"httpx", "dcmcfg.plan.plan", "dcmcfg.edits.network_ae", "dcmcfg.rollout.execution"} & set(loaded)
