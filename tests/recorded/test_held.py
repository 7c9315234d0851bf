"""The page of the stand-in's differences lists each answer that differs from the recordings on purpose."""

from __future__ import annotations

from pathlib import Path

from tests.recorded.held import DIMSE_DIFFERENCES, HELD, QIDO_DIFFERENCES, registry
from tests.recorded.recordings import dimse_names

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "stand-in-differences.md"


def test_the_page_of_the_stand_in_shows_every_difference() -> None:
    _, _, after = _PAGE.read_text("utf-8").partition("| Recordings | Deliberate difference |\n|---|---|\n")
    shown = after.partition("\n\n")[0].splitlines()
    several = {f"{begin}…": reason for begin, reason in DIMSE_DIFFERENCES.items()}
    assert shown == [f"| `{name}` | {reason} |" for name, reason in {**QIDO_DIFFERENCES, **several}.items()]


def test_the_registry_has_every_recording_of_a_search_and_of_an_association(recordings: Path) -> None:
    found = registry()
    assert len(found) == 149 + len(dimse_names())
    assert sum(what == HELD for what in found.values()) == 145 + 101
