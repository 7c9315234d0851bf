"""What the pages of the reference show is what the commands print on a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.page_reader import Reader, follow_page, reader  # noqa: F401 — a fixture
from tests.sampling import LONG

pytestmark = pytest.mark.real
_REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
#: The pages whose commands need a lab: each of them works on a lab that the pages before it have used.
PAGES = tuple(
    _REFERENCE / f"{name}.md" for name in ("values", "output", "echo", "route", "work-order", "limits", "lab")
)
PROFILES = _REFERENCE / "profiles.md"


@pytest.mark.skipif(not LONG, reason="the pages that need a lab are followed with DCMCFG_LONG; the other one is below")
def test_the_pages_show_what_is_printed_on_a_lab(reader: Reader) -> None:  # noqa: F811 — the fixture
    reader.run("dcmcfg lab up")
    reader.run("export DCMCFG_PROFILE=lab")
    for page in PAGES:
        assert len(follow_page(reader, page)) > 0


def test_the_page_of_the_profiles_shows_what_is_printed(reader: Reader) -> None:  # noqa: F811 — the fixture
    assert len(follow_page(reader, PROFILES)) > 5
