"""The examples in docs/reference/ldif.md and ldif-differences.md are read, or refused, as they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import iter_records

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
PAGES = "".join((FOLDER / name).read_text("utf-8") for name in ("ldif.md", "ldif-differences.md"))
EXAMPLES = re.findall(r"^```ldif( refused)?\n(.*?)^```$", PAGES, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("refused", "text"), EXAMPLES)
def test_an_example_is_what_the_page_says(refused: str, text: str) -> None:
    problems = [isinstance(item, LdifError) for item in iter_records([text.encode()], "docs/reference/ldif.md")]
    assert problems == [True] if refused else problems and not any(problems)


def test_there_are_examples_of_both() -> None:
    assert {bool(refused) for refused, _ in EXAMPLES} == {True, False}
