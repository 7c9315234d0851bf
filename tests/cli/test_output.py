"""Files that commands write: whole or not at all, and a new one never in place of another."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.cli.session.output import redirect_output, write_atomically, write_report
from dcmcfg.errors import DcmcfgError


def interrupted() -> Iterator[str]:
    yield "half"
    raise KeyboardInterrupt


def test_what_is_interrupted_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for new in (True, False):
        with pytest.raises(KeyboardInterrupt):
            write_atomically(str(path), interrupted(), must_be_new=new)
        assert list(tmp_path.iterdir()) == []
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        write_atomically(str(path), interrupted())
    assert path.read_text() == "before"


def test_of_two_at_once_one_gets_the_name(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def meanwhile() -> Iterator[str]:
        write_atomically(str(path), ["the other's"], private=True, must_be_new=True)
        yield "ours"

    with pytest.raises(DcmcfgError, match="the file exists — specify a new file"):
        write_atomically(str(path), meanwhile(), private=True, must_be_new=True)
    assert path.read_text() == "the other's"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_report_is_its_owners_until_somebody_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "studies.csv"
    write_report(str(path), ["one"], must_be_new=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    write_report(str(path), ["two"], must_be_new=False)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("two", 0o640)
    with pytest.raises(DcmcfgError, match="the file exists"):
        write_report(str(path), ["three"], must_be_new=True)
    assert path.read_text() == "two"


def print_half() -> None:
    print("half")
    raise KeyboardInterrupt


def test_redirected_output_is_written_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report"
    path.write_text("before")
    path.chmod(0o640)
    with pytest.raises(KeyboardInterrupt), redirect_output(str(path), private=True):
        print_half()
    assert (path.read_text(), list(tmp_path.iterdir())) == ("before", [path])
    with redirect_output(str(path), private=True):
        print("whole")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("whole\n", 0o640)
    refused = redirect_output(str(path), private=True, must_be_new=True)
    with pytest.raises(DcmcfgError, match="the file exists"), refused:
        print("never")
    with redirect_output(str(tmp_path / "new"), private=True, must_be_new=True):
        print("new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    with redirect_output("/dev/null", private=False):
        print("nowhere")
    with redirect_output("-", private=False):
        print("here")
    assert capsys.readouterr().out == "here\n"
