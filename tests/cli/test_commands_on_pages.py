"""Each ``dcmcfg`` command that a page shows or names exists, with the options that the page gives it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from dcmcfg.cli.commands import expand_alias
from dcmcfg.cli.main import program

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "docs" / "reference" / "commands"
#: The changelog names what a release had.
PAGES = [
    path
    for path in sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
    if not path.is_relative_to(GENERATED) and path.name != "CHANGELOG.md"
]
BLOCK = re.compile(r"(?ms)^ *```[\w ]*\n(?P<text>.*?)^ *```$")
#: A line of a block; after a prompt or a word such as sudo, and with the path of the program.
LINE = re.compile(r"(?m)^ *(?:\S*[$#] )?(?:sudo )?(?:\S*/)?dcmcfg (?P<words>[^\n|;>]+)")
INLINE = re.compile(r"`(?:\S*/)?dcmcfg (?P<words>[^`|;>]+)`")
#: The first line of a file.
NO_COMMANDS = frozenset({"journal 1"})
OPTION = re.compile(r"--[a-z][a-z0-9-]+|-[a-z](?= |$)")
CONTEXT = click.Context(program, info_name="dcmcfg", **program.context_settings)


@cache
def options_of(command: click.Command) -> frozenset[str]:
    names = (name for each in command.params for name in (*each.opts, *each.secondary_opts))
    return frozenset(names) | {"-h", "--help", "-v"}


def find_problem(line: str) -> str | None:
    """Return why the command line *line*, without ``dcmcfg``, is none; ``None`` if it is one."""
    words = line.replace("[", " ").replace("]", " ").replace("|", " ").replace("…", " ").split("#")[0].split()
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if words and "=" not in option and option in {"--profile"}:
            words.pop(0)
    command: click.Command = program
    known = set(options_of(program))
    words = expand_alias(words)
    while words and isinstance(command, click.Group):
        if not re.fullmatch(r"[a-z][a-z-]*", words[0]):
            return None
        found = command.get_command(CONTEXT, words[0])
        if found is None:
            return f"no command {words[0]}"
        command = found
        known |= options_of(command)
        words = words[1:]
    given = OPTION.findall(" ".join(each.partition("=")[0] for each in words))
    unknown = [each for each in given if each not in known]
    return f"no option {unknown[0]}" if unknown else None


def commands_on(page: Path) -> Iterator[str]:
    text = page.read_text("utf-8")
    for block in BLOCK.finditer(text):
        yield from (each["words"] for each in LINE.finditer(re.sub(r" *\\\n *", " ", block["text"])))
    inline = (" ".join(each["words"].split()) for each in INLINE.finditer(BLOCK.sub("", text)))
    yield from (each for each in inline if each not in NO_COMMANDS)


@pytest.mark.parametrize("line", ["shwo", "ae lst", "show --none", "ae add X@h:1 --yes --nne", "lab up --release=1 -z"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert find_problem(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_exist(page: Path) -> None:
    assert [f"dcmcfg {each}: {problem}" for each in commands_on(page) if (problem := find_problem(each))] == []
