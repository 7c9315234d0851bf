"""Which folders of a group are safe, and the command that corrects one that is not."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dcmcfg.errors import Refused
from dcmcfg.shared_folders import require_shared_folder

#: The number of no account of the machine.
STRANGER = 61009
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another account")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "above" / "shared"
    made.mkdir(parents=True)
    made.chmod(0o2770)
    return made


@pytest.mark.parametrize("mode", [0o2770, 0o3770])
def test_a_folder_of_one_group_is_accepted(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert require_shared_folder(folder).st_mode & 0o7777 == mode


def make_link(folder: Path) -> None:
    folder.rename(folder.with_name("real"))
    folder.symlink_to("real")


def make_file(folder: Path) -> None:
    folder.rmdir()
    folder.touch()


@pytest.mark.parametrize(
    ("spoil", "problem", "next_step"),
    [
        (make_link, "it is a symbolic link", "specify the folder itself: "),
        (make_file, "it is not a folder", "specify a folder"),
        (lambda folder: folder.chmod(0o2775), "all accounts have access to this folder", "sudo chmod 2770 "),
        (lambda folder: folder.chmod(0o2771), "all accounts have access to this folder", "sudo chgrp "),
        (lambda folder: folder.chmod(0o2700), "its mode is 2700, not 2770", "sudo chmod 2770 "),
        (lambda folder: folder.chmod(0o770), "its mode is 0770, not 2770", "sudo chmod 2770 "),
        (lambda folder: folder.parent.chmod(0o777), "they can write to ", "sudo chmod go-w "),
    ],
)
def test_an_unsafe_folder_is_refused_with_the_command_that_corrects_it(
    folder: Path, spoil: Callable[[Path], None], problem: str, next_step: str
) -> None:
    spoil(folder)
    with pytest.raises(Refused) as refused:
        require_shared_folder(folder)
    assert problem in refused.value.message
    assert next_step in refused.value.next_step


@as_root
@pytest.mark.parametrize("part", ["folder", "parent", "link"])
def test_a_folder_that_a_stranger_owns_or_can_replace_is_refused(folder: Path, part: str) -> None:
    shown = folder
    if part == "link":
        (folder.parents[1] / "link").symlink_to("above")
        shown = folder.parents[1] / "link" / "shared"
        assert require_shared_folder(shown)
    owned = {"folder": folder, "parent": folder.parent, "link": shown.parent}[part]
    os.chown(owned, STRANGER, -1, follow_symlinks=False)
    with pytest.raises(Refused, match=f"{STRANGER} "):
        require_shared_folder(shown)


def test_a_sticky_folder_above_is_safe() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as above:
        folder = Path(above) / "shared"
        folder.mkdir()
        folder.chmod(0o2770)
        assert require_shared_folder(folder)


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        require_shared_folder(tmp_path / "missing")
