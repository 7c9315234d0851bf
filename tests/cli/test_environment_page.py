"""What ``docs/how-to/environment.md`` shows is what the commands print, one after the other, on a lab."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, reader, without_times  # noqa: F401 — a fixture
from tests.cli.pages import Shown, assert_shows, shown_on

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "environment.md"


def block(language: str, containing: str) -> str:
    """Return the text of the block of *language* on the page that contains *containing*."""
    blocks = re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```$", PAGE.read_text("utf-8"))
    (found,) = (each for each in blocks if containing in each)
    return textwrap.dedent(found)


def test_the_page_shows_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    reader.write("docker-compose.yml", block("yaml", "services"))
    for each in shown_on(PAGE):
        if each.command.startswith("sed"):
            reader.write(".env", block("sh", "LDAP_PASSWORD="))
        printed = without_times(reader.run(each.command).splitlines())
        assert_shows(Shown(each.section, each.command, tuple(without_times(list(each.lines)))), printed)
