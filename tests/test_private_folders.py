"""What is made for one account alone, and what is not trusted since others can write to this path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.errors import Refused
from dcmcfg.private_folders import create_private_folder, require_not_shared_for_writing, require_ownership


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_all_folders_that_are_made_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    create_private_folder(tmp_path / "a" / "b" / "c")
    assert [mode(path) for path in (tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c")] == [0o700] * 3


def test_a_folder_that_is_there_stays_as_it_is_and_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o750)
    create_private_folder(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o750
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=r"exists|Not a directory"):
            create_private_folder(path)


def test_what_others_may_write_to_is_refused_with_the_command_that_closes_it(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    folder.chmod(0o777)
    for require in (require_ownership, require_not_shared_for_writing):
        with pytest.raises(Refused) as refused:
            require(folder)
        assert str(refused.value) == (
            f"{folder}: everybody can write to this path — check that nobody has modified the content, then run: chmod "
            f"go-w '{folder}'"
        )
    folder.chmod(0o755)
    require_ownership(folder)
    require_ownership(tmp_path / "nothing")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to others")
def test_a_group_of_several_accounts_may_not_write_to_it_and_the_owners_own_may(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    require_ownership(tmp_path)
    os.chown(tmp_path, 0, 1)
    with pytest.raises(Refused, match=r"the group (daemon|bin) can write to this path"):
        require_ownership(tmp_path)


def test_what_another_account_owns_is_refused(tmp_path: Path) -> None:
    other = Path("/")
    if os.geteuid() == 0:
        other = tmp_path
        os.chown(other, 12345, 0)
    with pytest.raises(Refused) as refused:
        require_ownership(other, alternative="name another")
    assert refused.value.message.startswith("the owner is the account ")
    assert refused.value.next_step.startswith("sudo chown -R ")
    assert refused.value.next_step.endswith(f" {other}; or name another")


def test_one_command_closes_the_whole_folder_but_what_a_link_leads_out_to(tmp_path: Path) -> None:
    top, elsewhere = tmp_path / "top", tmp_path / "elsewhere"
    for each in (top, elsewhere):
        each.mkdir()
        (each / "file").touch(0o600)
        (each / "file").chmod(0o666)
    (top / "link").symlink_to(elsewhere / "file")
    (tmp_path / "here").symlink_to(top)
    for path, above, command in (
        (top / "file", top, f"chmod -R go-w {top}"),
        (top / "link", top, f"chmod -R go-w {elsewhere / 'file'}"),
        (tmp_path / "here" / "file", tmp_path / "here", f"chmod -R go-w {top}"),
    ):
        with pytest.raises(Refused) as refused:
            require_ownership(path, parent_folder=above)
        assert refused.value.next_step == f"check that nobody has modified the content, then run: {command}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to others")
def test_what_root_owns_is_trusted_where_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    require_ownership(tmp_path, allow_root=True)
    with pytest.raises(Refused, match="the owner is the account root"):
        require_ownership(tmp_path)
