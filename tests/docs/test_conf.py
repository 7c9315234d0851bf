"""The menu of the site is in the order of the links on the landing pages, and leaves out no page."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
CONF = runpy.run_path(str(DOCS / "conf.py"))
LANDING_PAGES = sorted(path for path in DOCS.rglob("*.md") if path.name == "index.md" or path.with_suffix("").is_dir())


def menu(page: Path) -> list[str]:
    found: list[str] = CONF["find_menu"](page.relative_to(DOCS).with_suffix("").as_posix(), page.read_text("utf-8"))
    return found


@pytest.mark.parametrize("page", LANDING_PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_a_landing_page_links_to_each_page_of_its_folder(page: Path) -> None:
    is_index = page.name == "index.md"
    folder = page.parent if is_index else page.with_suffix("")
    expected = {path for path in folder.glob("*.md") if path != page}
    if is_index:
        expected |= set(folder.glob("*/index.md"))
    assert {page.parent / f"{name}.md" for name in menu(page)} == expected


def test_the_menu_starts_with_the_tutorial() -> None:
    assert menu(DOCS / "index.md")[:3] == ["tutorial", "how-to/index", "reference/index"]


def test_files_outside_the_folder_have_their_page_on_the_site() -> None:
    source = ["[a](../../CONTRIBUTING.md#x) [b](../CHANGELOG.md) [c](../reference/check.md)"]
    CONF["prepare_page"](None, "project/design", source)
    assert source == ["[a](/project/contributing.md#x) [b](/project/changelog.md) [c](../reference/check.md)"]
