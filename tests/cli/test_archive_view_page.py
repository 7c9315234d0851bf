"""What ``docs/how-to/archive-view.md`` shows is what the commands print, one after the other, on a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, reader, without_times  # noqa: F401 — a fixture
from tests.cli.pages import Shown, assert_shows, shown_on

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "archive-view.md"


def test_the_page_shows_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    for each in shown_on(PAGE):
        printed = without_times(reader.run(each.command).splitlines())
        assert_shows(Shown(each.section, each.command, tuple(without_times(list(each.lines)))), printed)
