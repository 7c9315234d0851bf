"""What ``docs/how-to/nodes.md`` shows is what the commands print, one after the other, on a lab with two nodes."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, reader, without_times  # noqa: F401 — a fixture
from tests.cli.pages import Shown, assert_shows, shown_on
from tests.sampling import LONG

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "nodes.md"
#: The commands of a short run: later ones wait for replicas most of the time.
SHORT_COUNT = 6
CLUSTER_FILE = "cluster.ldif"
#: Printed only if a replica is slow, and in another place if it is slower.
PROGRESS = re.compile(r"(?i)waiting for the replica ")


def without_progress(lines: list[str]) -> list[str]:
    """Return *lines* without durations, and without the progress of a wait."""
    return without_times([line for line in lines if not PROGRESS.match(line.strip())])


def test_the_page_shows_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    (cluster,) = re.findall(r"(?ms)^```ldif\n(.*?)^```$", PAGE.read_text("utf-8"))
    for each in islice(shown_on(PAGE), None if LONG else SHORT_COUNT):
        if CLUSTER_FILE in each.command:
            reader.write(CLUSTER_FILE, cluster)
        printed = reader.run(each.command).splitlines()
        expected = Shown(each.section, each.command, tuple(without_progress(list(each.lines))))
        assert_shows(expected, without_progress(printed))
