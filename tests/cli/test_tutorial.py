"""What ``docs/tutorial.md`` shows is what the commands print, from the first to the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, follow_page, reader  # noqa: F401 — a fixture

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"


def test_the_tutorial_shows_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    assert follow_page(reader, PAGE) > 15
    # The page for a change ticket, which the reader opens in a browser.
    assert "WORKSTATION" in (reader.folder / "proof.html").read_text("utf-8")
