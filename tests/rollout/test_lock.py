from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from dcmcfg.errors import Refused
from dcmcfg.rollout.lock import is_directory_locked, is_file_locked, lock_directory, make_directory_key
from tests.looking import look_until_waited_for

URL, ELSEWHERE = "ldap://archive:389", "ldap://elsewhere:389"


def test_one_roll_out_at_a_time_on_a_directory(tmp_path: Path) -> None:
    with lock_directory(tmp_path, URL):
        assert is_directory_locked(tmp_path, URL)
        with lock_directory(tmp_path, ELSEWHERE):
            pass
        with (
            pytest.raises(Refused, match=r"another change is in progress on this directory \(process \d+\)"),
            lock_directory(tmp_path, URL),
        ):
            pass
    assert not is_directory_locked(tmp_path, URL)
    with lock_directory(tmp_path, URL):
        pass


def test_whoever_looks_whether_a_directory_is_locked_holds_no_roll_out_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_until_waited_for(tmp_path / "locks" / make_directory_key(URL), monkeypatch)
    with lock_directory(tmp_path, URL):
        assert is_directory_locked(tmp_path, URL)


def test_two_who_look_do_not_take_each_other_for_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not is_file_locked(path)
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_file_locked(path)
