"""The pages that are made from the code are those that the code makes: ``make docs`` writes them."""

from __future__ import annotations

import os
import re
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
    assert PAGES[page]() == (DOCS / page).read_text("utf-8"), "to write the page: make docs"


def test_every_command_has_its_page_and_its_row_in_the_order_of_the_table() -> None:
    commands = DOCS / "reference" / "commands"
    assert {path.stem for path in commands.iterdir()} == {*COMMANDS, "topics"}
    text = (DOCS / "reference" / "commands.md").read_text("utf-8")
    assert re.findall(r"(?m)^\| \[`dcmcfg (.+?)`\]\(commands/(?!topics).*\.md\)", text) == list(COMMANDS)


@pytest.mark.parametrize("words", [(), ("status",), ("apply",), ("lab", "up")])
def test_a_block_of_the_page_is_what_the_program_prints(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "dcmcfg", *words, "--help"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"})
    page = DOCS / "reference" / ("commands.md" if not words else f"commands/{words[0]}.md")
    assert f"```text\n{printed.stdout}```\n" in page.read_text("utf-8")
