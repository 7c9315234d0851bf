"""The end of a log: what was appended, through rotation, and what must not be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dcmcfg.verify import external_log
from dcmcfg.verify.external_log import FilePosition, LogTail, UnreadableLog, get_file_position, read_tail


def log(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "log"
    with path.open("a") as file:
        file.write(text)
    return path


def test_what_was_appended_is_read_in_whole_lines(tmp_path: Path) -> None:
    path = log(tmp_path, "old\n")
    since = get_file_position(path)
    log(tmp_path, "new\nha")
    assert read_tail(path, since) == LogTail("new\n", is_continued=True, preceding_text="old\n")
    log(tmp_path, "lf\n")
    assert read_tail(path, since).text == "new\nhalf\n"


def test_a_log_that_was_renamed_is_read_to_its_end_before_the_new_one(tmp_path: Path) -> None:
    path = log(tmp_path, "old\n")
    since = get_file_position(path)
    log(tmp_path, "last\n")
    path.rename(tmp_path / "log.1")
    log(tmp_path, "first\n")
    assert read_tail(path, since) == LogTail("last\nfirst\n", is_continued=True)


def test_a_log_that_was_cut_or_exchanged_is_read_as_a_whole_and_its_times_decide(tmp_path: Path) -> None:
    path = log(tmp_path, "a long old line\n")
    since = get_file_position(path)
    path.write_text("new\n")
    assert read_tail(path, since) == LogTail("new\n", is_continued=False)
    path.unlink()
    keep = path.with_name("inode")  # or the new file gets the old one's number
    keep.write_text("")
    log(tmp_path, "a long new line, longer than the old one\n")
    assert not read_tail(path, FilePosition(1, 1, 1, known=True)).is_continued


def test_a_log_that_comes_to_be_later_is_read_from_its_start(tmp_path: Path) -> None:
    since = get_file_position(tmp_path / "log")
    assert since == FilePosition()
    assert read_tail(log(tmp_path, "new\n"), since) == LogTail("new\n", is_continued=False)


def test_of_a_huge_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_log, "MAX_TAIL_OCTETS", 8)
    path = log(tmp_path, "0123456789\nabc\n")
    assert read_tail(path, FilePosition()).text == "789\nabc\n"


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, why in (
        (tmp_path / "fifo", "not a regular file"),
        (tmp_path, "not a regular file"),
        (Path("/none"), "No such"),
    ):
        with pytest.raises(UnreadableLog, match=why):
            read_tail(path, FilePosition())
