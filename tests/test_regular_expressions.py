"""Python before 3.11.5, as on Debian 12, matches possessive quantifiers of groups wrongly (CPython issue 106052)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dcmcfg

_POSSESSIVE_GROUP = re.compile(r"(?<![\\(])\)(?:[*+?]|\{[0-9,]+\})\+")


def test_no_group_has_a_possessive_quantifier() -> None:
    sources = {path: path.read_text("utf-8") for path in Path(dcmcfg.__file__).parent.rglob("*.py")}
    assert len(sources) > 400
    assert [str(path) for path, text in sources.items() if _POSSESSIVE_GROUP.search(text)] == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("(?:ab)++", True), ("(a|b)*+c", True), ("(a){2,3}+", True), ("[ab]++", False), ("(a)+", False)],
)
def test_the_rule_finds_what_it_is_about(pattern: str, found: bool) -> None:
    assert bool(_POSSESSIVE_GROUP.search(pattern)) is found
