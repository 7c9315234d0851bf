"""The recordings read as their README describes them."""

from __future__ import annotations

from pathlib import Path

from tests.recorded.recordings import StudyState, dimse, dimse_names, http, http_names, index


def test_every_dimse_recording_of_the_index_is_read(recordings: Path) -> None:
    names = dimse_names()
    assert len(names) == len(index()["dimse"]) > 100
    assert all(dimse(name).connections for name in names)


def test_every_http_recording_with_one_response_is_read(recordings: Path) -> None:
    for file in ("qido", "qido-spelling", "qido-query", "ctrl-broken", "rest", "wado"):
        assert all(http(file, name).status for name in http_names(file))


def test_the_states_of_a_study_are_read(recordings: Path) -> None:
    recalled = dimse("move-purged-set")
    assert recalled.before == StudyState(True, 3, 0, (), "LONGTERM")
    assert recalled.after == StudyState(True, 3, 3, ("fs1",), "LONGTERM")
    assert dimse("move-unknown-study").before == StudyState(known=False)
    assert dimse("echo").before is None
