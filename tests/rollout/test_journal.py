"""The journal: its last whole line tells how far a roll-out has come."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dcmcfg.errors import DcmcfgError
from dcmcfg.rollout.journal import NEW_JOURNAL, Journal, RolloutProgress

STEPS = 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.write_text(NEW_JOURNAL)
    return path


def progress(path: Path) -> RolloutProgress:
    return Journal(path).read_progress(STEPS)


@contextmanager
def no_file_longer_than(octets: int) -> Iterator[None]:
    """A disk that is full from there on, as far as a process without quota can have one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_each_line_is_told_by_the_next_reader(path: Path) -> None:
    assert progress(path) == RolloutProgress()
    with Journal(path).open_for_writing() as pen:
        pen.write_started(1, 1)
        assert progress(path) == RolloutProgress(0, 1)
        pen.write_started(2, 500)
        assert progress(path) == RolloutProgress(1, 499)
        pen.write_ended(500)
        assert progress(path) == RolloutProgress(500, ended=True)
        pen.write_closed(7)
        assert progress(path) == RolloutProgress(7, ended=True, closed=True)


@pytest.mark.parametrize("torn", ["b", "begins 2 2", "begins 2", "\0\0\0\0", "ended 50"])
def test_a_torn_last_line_has_not_been_said_and_is_written_over(path: Path, torn: str) -> None:
    whole = f"{NEW_JOURNAL}begins 1 1\n"
    path.write_text(whole + torn)
    assert progress(path) == RolloutProgress(0, 1)
    with Journal(path).open_for_writing() as pen:
        pen.write_ended(1)
    assert path.read_text() == f"{whole}ended 1\n"


@pytest.mark.parametrize(
    "text",
    ["", "planned", "nonsense\n", "ended x\n", "ended 501\n", "begins 500 501\n", "begins 3 2\n", "begins 0 1\n"],
)
def test_what_cannot_be_is_told_as_damage(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(DcmcfgError, match=r"cannot be read \(it is damaged\); nothing was changed"):
        progress(path)


def test_a_journal_that_is_gone_is_told(path: Path) -> None:
    path.unlink()
    with pytest.raises(DcmcfgError, match="No such file"):
        progress(path)
    with pytest.raises(DcmcfgError, match="cannot be written"), Journal(path).open_for_writing():
        pass


@pytest.mark.parametrize("room", range(len("begins 2 2\n")))
def test_a_disk_that_fills_up_within_a_line_is_an_error_and_the_line_was_not_said(path: Path, room: int) -> None:
    with Journal(path).open_for_writing() as pen:
        pen.write_started(1, 1)
        with (
            no_file_longer_than(path.stat().st_size + room),
            pytest.raises(DcmcfgError, match="the journal cannot be written"),
        ):
            pen.write_started(2, 2)
        assert progress(path) == RolloutProgress(0, 1)
        pen.write_ended(1)
    assert progress(path) == RolloutProgress(1, ended=True), "there is room again, and the line stands by itself"


def test_a_long_journal_is_read_at_its_end_only(path: Path) -> None:
    path.write_bytes(NEW_JOURNAL.encode() + b"\xff" * 1_000_000 + b"\nbegins 3 3\n")
    assert progress(path) == RolloutProgress(2, 1)
