"""Each link of the Markdown pages, read as files in a repository, leads to a file and to a heading of this file.

The build of the site checks the same for the site, and docs/check_site.py checks the result.
"""

from __future__ import annotations

import re
import runpy
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
KNOWN_HOSTS = runpy.run_path(str(ROOT / "docs" / "check_site.py"))["KNOWN_HOSTS"]
BLOCK = re.compile(r"(?ms)^ *(`{3,}).*?^ *\1$")
LINK = re.compile(r"\]\((?P<target>[^()\s]+)\)")


def text_of(path: Path) -> str:
    """Return the text of a page without its blocks and comments."""
    return re.sub(r"(?s)<!--.*?-->", "", BLOCK.sub("", path.read_text("utf-8")))


@cache
def anchors_of(path: Path) -> frozenset[str]:
    """Return the anchors that hosts of repositories give the headings of a page."""
    counts: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"(?m)^#{1,6} +(.+?)(?: +#+)?$", text_of(path)):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(anchor if not counts[anchor] else f"{anchor}-{counts[anchor]}")
        counts[anchor] += 1
    return frozenset(found)


def find_problems(path: Path, text: str) -> Iterator[str]:
    """Yield each link in *text*, the text of the page *path*, that leads nowhere or to an unknown host."""
    for each in LINK.finditer(text):
        target = each["target"]
        if "://" in target:
            if not target.startswith("https://") or target.split("/")[2] not in KNOWN_HOSTS:
                yield f"{target}: unknown host"
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.is_file() or not file.is_relative_to(ROOT):
            yield f"{target}: no file"
        elif anchor and anchor not in anchors_of(file):
            yield f"{target}: no heading"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    assert list(find_problems(path, text_of(path))) == []


@pytest.mark.parametrize(
    "link", ["none.md", "docs", "docs/index.md#none", "#none", "../x.md", "http://x.example.org/", "https://e.org/"]
)
def test_a_link_that_leads_nowhere_is_found(link: str) -> None:
    assert len(list(find_problems(ROOT / "README.md", f"see [this]({link})"))) == 1


def test_anchors_are_those_of_the_site() -> None:
    design = anchors_of(ROOT / "CONTRIBUTING.md")
    assert {"where-the-next-thing-goes", "an-edit-a-change-that-a-user-can-request"} <= design
