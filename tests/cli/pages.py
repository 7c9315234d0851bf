"""The console blocks of a page: commands, and what the page shows of their output."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Stands for lines that a page omits.
LEFT_OUT = "…"


#: A console block, also in a list.
BLOCK = re.compile(r"(?ms)^ *```console\n(.*?)^ *```$")
#: Any block, with its language and the line of text above it.
_ANY_BLOCK = re.compile(r"(?ms)^(?P<above>[^\n]*)\n\n? *```(?P<language>\w+)\n(?P<text>.*?)^ *```$")
#: The lines of a command, of which all but the last one end with a backslash.
_COMMAND_LINES = re.compile(r"(?:[^\n]*\\\n)*[^\n]*\n?")
#: The line above a block that the reader saves as a file.
_FILE_NAME = re.compile(r"`([\w.-]+\.\w+)`:$")


@dataclass(frozen=True)
class PageFile:
    """A block that the reader of a page saves as the file ``name``."""

    name: str
    text: str


@dataclass(frozen=True)
class Shown:
    """A command in a section of a page (``""`` above the first), with the lines that the page shows of its output."""

    section: str
    command: str
    lines: tuple[str, ...]


def steps_on(page: Path) -> Iterator[Shown | PageFile]:
    """Yield the commands of *page*, and the files that the page has the reader save, in order.

    The line above the block of a file ends with the name of the file in backquotes, and a colon.
    """
    for section in re.split(r"(?m)^## ", f"\n{page.read_text('utf-8')}"):
        title = "" if section.startswith("\n") else section.partition("\n")[0]
        for block in _ANY_BLOCK.finditer(section):
            if block["language"] == "console":
                for typed in re.split(r"(?m)^ *\$ ", block["text"])[1:]:
                    command = _COMMAND_LINES.match(typed)
                    assert command is not None
                    joined = re.sub(r" *\\\n *", " ", command[0]).strip()
                    yield Shown(title, joined, tuple(typed[command.end() :].splitlines()))
            elif named := _FILE_NAME.search(block["above"]):
                yield PageFile(named[1], textwrap.dedent(block["text"]))


def shown_on(page: Path) -> Iterator[Shown]:
    """Yield the commands in the console blocks of *page*, in order."""
    yield from (step for step in steps_on(page) if isinstance(step, Shown))


def assert_shows(each: Shown, printed: list[str]) -> None:
    """Each piece of what is shown, between what is left out, must be printed, one after the other."""
    position = 0
    whole = "\n".join(printed)
    for piece in re.split(rf"(?m)^ *{LEFT_OUT}$\n?", "\n".join(each.lines)):
        found = whole.find(piece.strip("\n"), position)
        assert found >= 0, f"{each.command}\n{piece}\nis not in\n{whole}"
        position = found + len(piece)
