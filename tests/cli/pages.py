"""The console blocks of a page: commands, and what the page shows of their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Stands for lines that a page omits.
LEFT_OUT = "…"


#: A console block, also in a list.
BLOCK = re.compile(r"(?ms)^ *```console\n(.*?)^ *```$")


@dataclass(frozen=True)
class Shown:
    """A command in a section of a page (``""`` above the first), with the lines that the page shows of its output."""

    section: str
    command: str
    lines: tuple[str, ...]


def shown_on(page: Path) -> Iterator[Shown]:
    """Yield the commands in the console blocks of *page*, in order."""
    for section in re.split(r"(?m)^## ", f"\n{page.read_text('utf-8')}"):
        title = "" if section.startswith("\n") else section.partition("\n")[0]
        for block in BLOCK.findall(section):
            for typed in re.split(r"(?m)^ *\$ ", block)[1:]:
                command, _, output = re.sub(r" *\\\n *", " ", typed).partition("\n")
                yield Shown(title, command, tuple(output.splitlines()))


def assert_shows(each: Shown, printed: list[str]) -> None:
    """Each piece of what is shown, between what is left out, must be printed, one after the other."""
    position = 0
    whole = "\n".join(printed)
    for piece in re.split(rf"(?m)^ *{LEFT_OUT}$\n?", "\n".join(each.lines)):
        found = whole.find(piece.strip("\n"), position)
        assert found >= 0, f"{each.command}\n{piece}\nis not in\n{whole}"
        position = found + len(piece)
