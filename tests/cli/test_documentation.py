"""The pages that are made from the code are those that the code makes: ``make docs`` writes them."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from dcmcfg.cli.commands import COMMANDS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_current(page: str) -> None:
    assert PAGES[page]() == (DOCS / page).read_text("utf-8")


def test_every_command_has_its_section_in_the_order_of_the_table() -> None:
    lines = (DOCS / "reference" / "commands.md").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("### ")] == [f"### dcmcfg {name}" for name in COMMANDS]


@pytest.mark.parametrize("words", [(), ("apply",), ("lab", "up")])
def test_a_block_of_the_page_is_what_the_program_prints(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "dcmcfg", *words, "--help"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"})
    assert f"```text\n{printed.stdout}```\n" in (DOCS / "reference" / "commands.md").read_text("utf-8")


def test_the_readme_links_to_every_page() -> None:
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    pages = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    assert [page for page in pages if f"](docs/{page})" not in readme] == []
