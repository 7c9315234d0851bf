"""The pages ``docs/project/fidelity*.md`` name every recording, and what dcmcfg said at it."""

from __future__ import annotations

from pathlib import Path

from tests.recorded.held import difference_of
from tests.recorded.outputs import ANSWERS
from tests.recorded.recordings import dimse_names, index
from tests.recorded.table import pages
from tests.recorded.truth import NOT_ASKED_BY_VERIFY, TRUTH
from tests.recorded.uses import HTTP, OTHER_DIMSE, Use

_HELD = (Use.HELD, Use.BOTH)


def test_the_pages_are_what_was_said() -> None:
    for path, text in pages().items():
        assert path.read_text("utf-8") == text, "python -m tests.recorded.table writes it"


def test_every_answer_is_that_of_a_recording() -> None:
    assert sorted(path.stem for path in ANSWERS.iterdir()) == sorted(TRUTH)


def test_every_recording_has_its_use(recordings: Path) -> None:
    assert sorted(dimse_names()) == sorted({*TRUTH, *NOT_ASKED_BY_VERIFY, *OTHER_DIMSE})
    held = {name for name in dimse_names() if difference_of(name) is None}
    assert held == {*TRUTH, *NOT_ASKED_BY_VERIFY, *(name for name, (use, _) in OTHER_DIMSE.items() if use in _HELD)}
    files = {each["file"].removeprefix("http/").removesuffix(".json") for each in index()["http"]}
    assert files == set(HTTP)
