"""The README is short, and the targets of make that pages name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
TARGETS = frozenset(re.findall(r"(?m)^([a-z-]+(?: [a-z-]+)*):", (ROOT / "Makefile").read_text("utf-8")))
PAGES = [path for path in sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))) if path.name != "CHANGELOG.md"]


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").split()) <= 1100


def find_unknown_targets(text: str) -> list[str]:
    """Return the targets of make that *text* has in code and that the Makefile does not have."""
    return [name for name in re.findall(r"(?m)(?:(?<!`)`|^ *\$ )make ([a-z-]+)", text) if name not in TARGETS]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_targets_of_make_exist(page: Path) -> None:
    assert find_unknown_targets(page.read_text("utf-8")) == []


def test_an_unknown_target_is_found() -> None:
    assert find_unknown_targets("run `make demo` or `make demos`\n$ make tset\n") == ["demos", "tset"]
