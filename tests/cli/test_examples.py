"""The examples in the help of commands are command lines that the commands understand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from dcmcfg.cli.command_loader import load_command
from dcmcfg.cli.commands import COMMANDS

MAIN = ("verify", "route", "work-order", "echo", "apply", "set-external-retrieve", "check")
WIDEST = 80


def examples() -> Iterator[tuple[str, str]]:
    for name in COMMANDS:
        for line in (load_command(name).epilog or "").splitlines():
            if line.startswith("  dcmcfg "):
                yield name, line.strip()


@pytest.mark.parametrize(("name", "line"), list(examples()))
def test_an_example_is_understood(name: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])
    assert words[:2] == ["dcmcfg", name]
    with load_command(name).make_context(name, words[2:], help_option_names=["-h", "--help"]):  # click keeps the option
        pass
    assert len(f"  {line}") <= WIDEST


@pytest.mark.parametrize("name", MAIN)
def test_the_main_commands_end_their_help_with_examples(name: str) -> None:
    assert (load_command(name).epilog or "").startswith("\b\nExamples:\n  # ")
