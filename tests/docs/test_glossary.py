"""The glossary has each term once, in order, with one or two sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"(?m)^### (.+)\n\n(.+)$", section)
    for section in re.split(r"(?m)^## ", PAGE.read_text("utf-8"))[1:]
}


def test_the_glossary_has_the_terms_of_three_fields() -> None:
    assert list(SECTIONS) == ["DICOM", "LDAP", "dcmcfg"]
    terms = [term for rows in SECTIONS.values() for term, _ in rows]
    assert len(terms) == len(set(terms)) == PAGE.read_text("utf-8").count("\n### ")


@pytest.mark.parametrize("section", SECTIONS)
def test_terms_are_in_alphabetical_order_with_short_definitions(section: str) -> None:
    rows = SECTIONS[section]
    assert [term for term, _ in rows] == sorted((term for term, _ in rows), key=str.casefold)
    assert [term for term, text in rows if len(re.findall(r"[.!?](?= [A-Z`]|$)", text)) not in {1, 2}] == []
