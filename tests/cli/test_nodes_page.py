"""What ``docs/nodes.md`` shows is what the commands print, one after the other, on a lab with two nodes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest

from dcmcfg.lab.site import Site
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.patience import PATIENCE_S
from tests.sampling import LONG

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "nodes.md"
#: The ports that the page has in place of the lab's.
PORTS = {"ldap": 20389, "http": 28080, "archive": 21112, "storage": 21117, "external": 21119}
#: The user's folder on the page.
HOME = "/home/anna"
#: The commands of a short run: later ones wait for replicas most of the time.
SHORT_COUNT = 10
CLUSTER_FILE = "cluster.ldif"
#: Printed only if a replica is slow, and in another place if it is slower.
PROGRESS = re.compile(r"(?i)waiting for the replica ")


@dataclass
class Reader:
    """Somebody who types the commands of the page, in a folder of their own."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> str:
        """Run *command* of the page; return its output as it is on the page."""
        words = self._with_ports(command, to_page=False)
        if words.startswith("export "):
            name, _, value = words.removeprefix("export ").partition("=")
            self.environment[name] = value
            return ""
        if words.startswith("curl -X POST "):
            with urllib.request.urlopen(urllib.request.Request(words.split()[-1], method="POST"), timeout=PATIENCE_S):
                return ""
        done = subprocess.run(
            ["sh", "-c", words.replace("dcmcfg", f"{sys.executable} -m dcmcfg", 1)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
        )
        return self._with_ports(done.stdout, to_page=True).replace(str(self.folder), HOME)

    def write(self, name: str, text: str) -> None:
        """Write a file of the page."""
        (self.folder / name).write_text(self._with_ports(text, to_page=False))

    def _with_ports(self, text: str, *, to_page: bool) -> str:
        lab = self.folder / ".local" / "state" / "dcmcfg" / "lab"
        if not lab.exists():
            return text
        ports = Site.load(lab).ports
        for name, shown in PORTS.items():
            pair = (getattr(ports, name), shown)
            old, new = pair if to_page else pair[::-1]
            text = re.sub(rf"\b{old}\b", str(new), text)
        return text


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DCMCFG_", "XDG_"))}
    environment |= {"HOME": str(tmp_path), "COLUMNS": "100", "DCMCFG_LAB_WITH_PID": str(os.getpid())}
    reader = Reader(tmp_path, environment)
    yield reader
    reader.run("dcmcfg lab down")


def without_times(lines: list[str]) -> list[str]:
    """Return *lines* without durations, without the widths that depend on them, and without the progress of a wait."""
    text = "\n".join(line.strip() for line in lines if not PROGRESS.match(line.strip()))
    text = re.sub(r"\b\d+(\.\d+)? m?s\b", "N s", text)
    text = re.sub(r"(?m)\b\d\.\d\d$", "N", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC by \w+", "TIME by USER", text)
    return re.sub("─+", "─", re.sub(" +", " ", text)).splitlines()


def test_the_page_shows_what_is_printed(reader: Reader) -> None:
    (cluster,) = re.findall(r"(?ms)^```ldif\n(.*?)^```$", PAGE.read_text("utf-8"))
    for each in islice(shown_on(PAGE), None if LONG else SHORT_COUNT):
        if CLUSTER_FILE in each.command:
            reader.write(CLUSTER_FILE, cluster)
        printed = reader.run(each.command).splitlines()
        expected = Shown(each.section, each.command, tuple(without_times(list(each.lines))))
        assert_shows(expected, without_times(printed))
