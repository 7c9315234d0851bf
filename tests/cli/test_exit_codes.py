"""The page of the exit codes has those of the code, and those in the help of the commands."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.cli.session.failures import INTERRUPTED_EXIT_CODE, OUTPUT_CLOSED_EXIT_CODE
from dcmcfg.errors import DcmcfgError, IncompleteChange

ROOT = Path(__file__).parents[2]
GENERATED = runpy.run_path(str(ROOT / "docs" / "generate.py"))
find_exit_codes = GENERATED["find_exit_codes"]
COMMANDS: dict[str, click.Command] = dict(GENERATED["_list_commands"](GENERATED["program"]))


def _error_classes(base: type[DcmcfgError]) -> Iterator[type[DcmcfgError]]:
    yield base
    for each in base.__subclasses__():
        yield from _error_classes(each)


def _topic_terms(name: str) -> set[str]:
    return {term for section in get_topic(name).sections for terms, _ in section.rows for term in terms.split(", ")}


def test_each_exit_code_of_the_code_is_in_the_first_table() -> None:
    codes = {each.exit_code for each in _error_classes(DcmcfgError)}
    codes |= {0, click.UsageError.exit_code, INTERRUPTED_EXIT_CODE, OUTPUT_CLOSED_EXIT_CODE}
    assert {str(code) for code in codes} == _topic_terms("exit-codes")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_exit_codes_in_the_help_of_a_command_are_exit_codes(command: str) -> None:
    codes = find_exit_codes(COMMANDS[command])
    assert codes.keys() <= _topic_terms("exit-codes")
    assert all(codes.values())
    assert bool(codes) == ("Exit code" in (COMMANDS[command].help or ""))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("No sentence.", {}),
        ("Exit codes: 0 found, 1 not found.", {"0": "found", "1": "not found"}),
        ("Exit codes: 0 a, b or c. 3 d.", {"0": "a, b or c", "3": "d"}),
        ("Exit codes: with --check, 1 bad.", {"1": "with --check: bad"}),
        ("Exit codes: 0 a. 4 b. With nodes: 4 c.", {"0": "a", "4": "b; with nodes: c"}),
        ("Exit codes: 3 a. With --x or --y, 3 also if b.", {"3": "a; with --x or --y: also if b"}),
    ],
)
def test_sentences_are_read_code_by_code(text: str, codes: dict[str, str]) -> None:
    assert find_exit_codes(click.Command("c", help=f"Do it.\n\n    {text}")) == codes


def test_an_incomplete_change_has_its_own_code() -> None:
    assert IncompleteChange.exit_code not in {DcmcfgError.exit_code, 0, 1, 2}
