"""What ``docs/tutorial.md``, the README and the picture show is what the commands of the tutorial print."""

from __future__ import annotations

import re
import runpy
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.page_reader import Reader, follow_page, reader, without_times  # noqa: F401 — a fixture
from tests.cli.page_tests import NOT_RUN
from tests.cli.pages import LEFT_OUT, Shown, assert_shows, shown_on

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "tutorial.md"
README = DOCS.parent / "README.md"
PICTURE = DOCS / "picture.svg"
SCENES = runpy.run_path(str(DOCS / "picture.py"))["SCENES"]


def lines_of_the_picture() -> list[str]:
    """Return the lines that the picture shows below its title, from top to bottom."""
    lines: dict[float, str] = defaultdict(str)
    for each in ET.parse(PICTURE).iter("{http://www.w3.org/2000/svg}text"):
        if not each.get("class", "").endswith("-title"):
            lines[float(each.get("y", "0"))] += each.text or ""
    return [lines[y].replace("\N{NO-BREAK SPACE}", " ").strip() for y in sorted(lines)]


@pytest.mark.real
def test_the_tutorial_and_the_picture_show_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    followed = follow_page(reader, PAGE)
    # The page for a change ticket, which the reader opens in a browser.
    assert "WORKSTATION" in (reader.folder / "proof.html").read_text("utf-8")
    drawn = [line for line in lines_of_the_picture() if line not in {"", LEFT_OUT} and not line.startswith("$ ")]
    assert len(drawn) > 12
    assert set(without_times(drawn)) - {line for _, lines in followed for line in lines} == set()
    for each in shown_in_the_readme():
        (printed,) = [lines for command, lines in followed if command == each.command][-1:]
        assert_shows(Shown(each.section, each.command, tuple(without_times(list(each.lines)))), printed)


def shown_in_the_readme() -> list[Shown]:
    """Return the commands of the README that the tutorial has, too, and that are run."""
    return [each for each in shown_on(README) if each.command not in NOT_RUN and each.command != "dcmcfg --version"]


def test_the_commands_of_the_readme_are_those_of_the_tutorial() -> None:
    assert len(shown_in_the_readme()) > 1
    assert {each.command for each in shown_in_the_readme()} <= {each.command for each in shown_on(PAGE)}


def test_the_commands_of_the_picture_are_those_of_the_tutorial() -> None:
    drawn = [line.removeprefix("$ ") for line in lines_of_the_picture() if line.startswith("$ ")]
    assert drawn == [each.command for each in SCENES]
    assert set(drawn) <= {each.command for each in shown_on(PAGE)}


def test_the_picture_loads_nothing() -> None:
    assert re.findall(r"url\((?!#)|@import|@font-face|href=\"(?!#)|<script", PICTURE.read_text("utf-8")) == []
