"""Each console block of README and the documentation is run by a test."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.cli.page_tests import NOT_RUN, PAGE_TESTS
from tests.cli.pages import BLOCK, shown_on

ROOT = Path(__file__).parents[2]
#: Prompts of pages: a user, and the accounts of pages with several.
PROMPT = re.compile(r" *(\$|root#|adm1\$|op2\$) \S")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if BLOCK.search(path.read_text("utf-8"))
)


def test_each_page_with_console_blocks_has_a_test() -> None:
    assert set(PAGES) == PAGE_TESTS.keys()


def names_page(value: object, page: str) -> bool:
    """Return whether *value*, a constant of a test, is *page* or contains it; also by its name below ``docs``."""
    match value:
        case Path():
            return value == ROOT / page
        case str():
            return value in {page, page.removeprefix("docs/")}
        case tuple() | list():
            return any(names_page(each, page) for each in value)
        case _:
            return False


@pytest.mark.parametrize("page", PAGE_TESTS)
def test_the_test_of_a_page_follows_this_page(page: str) -> None:
    module = import_module(PAGE_TESTS[page].removesuffix(".py").replace("/", "."))
    assert any(names_page(value, page) for value in vars(module).values())
    # The commands that a test reads from its page are those that it runs.
    text = (ROOT / PAGE_TESTS[page]).read_text("utf-8")
    assert re.search(r"(shown_on|steps_on|follow_page)\(", text) or "PAGE.read_text(" in text


def test_a_test_of_another_page_is_found() -> None:
    assert names_page(ROOT / "docs" / "index.md", "docs/index.md")
    assert names_page(("how-to/index.md", "index.md"), "docs/index.md")
    assert not names_page(ROOT / "docs" / "tutorial.md", "docs/index.md")
    assert not names_page(("how-to/index.md",), "docs/index.md")


@pytest.mark.parametrize("page", PAGES)
def test_each_console_block_starts_with_a_prompt(page: str) -> None:
    blocks = BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert [block for block in blocks if not PROMPT.match(block)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if "shared-history" not in page])
def test_each_prompt_of_a_page_is_a_command_that_its_test_gets(page: str) -> None:
    prompts = re.findall(r"(?m)^ *\$ (.*?)(?: *\\)?$", (ROOT / page).read_text("utf-8"))
    commands = [each.command for each in shown_on(ROOT / page)]
    assert len(commands) == len(prompts)
    assert [(shown, typed) for shown, typed in zip(commands, prompts, strict=True) if not shown.startswith(typed)] == []


def test_a_command_that_is_not_run_is_on_a_page_and_has_a_reason() -> None:
    commands = {each.command for page in PAGES for each in shown_on(ROOT / page)}
    assert NOT_RUN.keys() <= commands
    assert all(len(reason.split()) > 3 for reason in NOT_RUN.values())
