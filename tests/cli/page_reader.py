"""Somebody who follows a page of the documentation on a lab: types its commands, and sees the ports of the page."""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dcmcfg.lab.site import Site
from tests.cli.page_tests import NOT_RUN
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.patience import PATIENCE_S

#: The ports that pages have in place of the lab's.
PORTS = {"ldap": 20389, "http": 28080, "archive": 21112, "storage": 21117, "workstation": 21118, "external": 21119}
#: The user's folder on pages.
HOME = "/home/adm1"


#: The end of a question, before what the user types.
QUESTION = "[y/N]: "


@contextmanager
def typing(answer: str) -> Iterator[int]:
    """Yield the standard input of a command: a terminal at which *answer* is typed, or nothing without one."""
    if not answer:
        yield subprocess.DEVNULL
        return
    screen, keyboard = pty.openpty()
    try:
        os.write(screen, f"{answer}\n".encode())
        yield keyboard
    finally:
        os.close(keyboard)
        os.close(screen)


@dataclass
class Reader:
    """Somebody who types the commands of a page, in a folder of their own."""

    folder: Path
    environment: dict[str, str]
    #: Ports of servers beside the lab → the ports that the page has in place of them.
    other_ports: dict[int, int] = field(default_factory=dict)

    def run(self, command: str, *, answer: str = "") -> str:
        """Run *command* of the page, and type *answer* at its question; return its output as it is on the page."""
        words = self._with_ports(command, to_page=False)
        if words.startswith("export "):
            name, _, value = words.removeprefix("export ").partition("=")
            self.environment[name] = value
            return ""
        if words.startswith("curl -X POST "):
            with urllib.request.urlopen(urllib.request.Request(words.split()[-1], method="POST"), timeout=PATIENCE_S):
                return ""
        with typing(answer) as keyboard, self.start(command, keyboard) as process:
            output, _ = process.communicate(timeout=PATIENCE_S)
        # The terminal would show what is typed.
        output = output.replace(QUESTION, f"{QUESTION}{answer}\n") if answer else output
        output = self._with_ports(output, to_page=True).replace(str(self.folder), HOME)
        return output.replace(f"@{socket.gethostname()}", "@pacs")

    def start(self, command: str, keyboard: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start *command* of the page, with its output in a pipe."""
        return subprocess.Popen(
            ["sh", "-c", self._with_ports(command, to_page=False)],
            cwd=self.folder,
            env=self.environment,
            stdin=keyboard,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def write(self, name: str, text: str) -> None:
        """Write a file of the page."""
        (self.folder / name).write_text(self._with_ports(text, to_page=False))

    def _with_ports(self, text: str, *, to_page: bool) -> str:
        pairs = list(self.other_ports.items())
        lab = self.folder / ".local" / "state" / "dcmcfg" / "lab"
        if lab.exists():
            ports = Site.load(lab).ports
            pairs += ((getattr(ports, name), shown) for name, shown in PORTS.items())
        for pair in pairs:
            old, new = pair if to_page else pair[::-1]
            text = re.sub(rf"\b{old}\b", str(new), text)
        return text


def _install(folder: Path) -> Path:
    """Make the command ``dcmcfg`` in *folder* run the code under test, and return *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "dcmcfg"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m dcmcfg "$@"\n')
    command.chmod(0o755)
    return folder


@contextmanager
def reading(folder: Path) -> Iterator[Reader]:
    """A reader whose home is *folder*; the lab of the page ends with the test."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DCMCFG_", "XDG_"))}
    environment |= {"HOME": str(folder), "COLUMNS": "100", "DCMCFG_LAB_WITH_PID": str(os.getpid()), "LOGNAME": "adm1"}
    environment["PATH"] = f"{_install(folder / '.local' / 'bin')}:{environment['PATH']}"
    reader = Reader(folder, environment)
    try:
        yield reader
    finally:
        reader.run("dcmcfg lab down")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader in an empty home."""
    with reading(tmp_path) as found:
        yield found


def follow_page(reader: Reader, page: Path) -> list[tuple[str, list[str]]]:
    """Have *reader* type each command of *page*, and check what the page shows of its output.

    Times and the version of dcmcfg are not compared. Returns each command with its lines, without times.
    """
    followed: list[tuple[str, list[str]]] = []
    for each in shown_on(page):
        if each.command not in NOT_RUN:
            answers = [line.partition(QUESTION)[2] for line in each.lines if QUESTION in line]
            printed = _comparable(reader.run(each.command, answer="".join(answers)).splitlines())
            assert_shows(Shown(each.section, each.command, tuple(_comparable(list(each.lines)))), printed)
            followed.append((each.command, printed))
    return followed


def _comparable(lines: list[str]) -> list[str]:
    return [re.sub(r"^dcmcfg \d+\.\d+\.\d+$", "dcmcfg VERSION", line) for line in without_times(lines)]


def without_times(lines: list[str]) -> list[str]:
    """Return *lines* without durations, and without the widths that depend on them."""
    text = "\n".join(line.strip() for line in lines)
    text = re.sub(r"\b\d+(\.\d+)? m?s\b", "N s", text)
    text = re.sub(r"(?m)\b\d\.\d\d$", "N", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d UTC)?( by \w+)?", r"TIME\1", text)
    text = re.sub(r"TIME by \w+", "TIME by USER", text)
    return re.sub("─+", "─", re.sub(" +", " ", text)).splitlines()
