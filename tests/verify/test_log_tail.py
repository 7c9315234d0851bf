"""The end of a log: what was appended, through rotation, and what must not be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcmcfg.verify import external_log
from dcmcfg.verify.external_log import Mark, Tail, UnreadableLog, mark, tail


def log(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "log"
    with path.open("a") as file:
        file.write(text)
    return path


def test_what_was_appended_is_read_in_whole_lines(tmp_path: Path) -> None:
    path = log(tmp_path, "old\n")
    since = mark(path)
    log(tmp_path, "new\nha")
    assert tail(path, since) == Tail("new\n", appended=True, before="old\n")
    log(tmp_path, "lf\n")
    assert tail(path, since).text == "new\nhalf\n"


def test_a_log_that_was_renamed_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    path = log(tmp_path, "old\n")
    since = mark(path)
    log(tmp_path, "last\n")
    path.rename(tmp_path / "log.1")
    log(tmp_path, "first\n")
    assert tail(path, since) == Tail("last\nfirst\n", appended=True)


def test_a_log_that_was_cut_or_exchanged_is_read_as_a_whole_and_its_times_decide(tmp_path: Path) -> None:
    path = log(tmp_path, "a long old line\n")
    since = mark(path)
    path.write_text("new\n")
    assert tail(path, since) == Tail("new\n", appended=False)
    path.unlink()
    keep = path.with_name("inode")  # or the new file gets the old one's number
    keep.write_text("")
    log(tmp_path, "a long new line, longer than the old one\n")
    assert not tail(path, Mark(1, 1, 1, known=True)).appended


def test_a_log_that_comes_to_be_later_is_read_from_its_start(tmp_path: Path) -> None:
    since = mark(tmp_path / "log")
    assert since == Mark()
    assert tail(log(tmp_path, "new\n"), since) == Tail("new\n", appended=False)


def test_of_a_huge_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_log, "MOST", 8)
    path = log(tmp_path, "0123456789\nabc\n")
    assert tail(path, Mark()).text == "789\nabc\n"


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, why in (
        (tmp_path / "fifo", "not a plain file"),
        (tmp_path, "not a plain file"),
        (Path("/none"), "No such"),
    ):
        with pytest.raises(UnreadableLog, match=why):
            tail(path, Mark())
