"""Pages that need nothing but a lab are followed from top to bottom, each on a lab of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, follow_page, reader  # noqa: F401 — a fixture
from tests.cli.page_tests import LAB_PAGES, PAGE_TESTS
from tests.sampling import sample

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
PAGES = [page for page, test in PAGE_TESTS.items() if test == LAB_PAGES]


@pytest.mark.parametrize("page", sample(PAGES, 0.2))
def test_the_page_shows_what_is_printed(page: str, reader: Reader) -> None:  # noqa: F811 — the fixture
    if "$ dcmcfg lab up" not in (ROOT / page).read_text("utf-8"):
        reader.run("dcmcfg lab up")
        reader.run("export DCMCFG_PROFILE=lab")
    assert follow_page(reader, ROOT / page) != []
