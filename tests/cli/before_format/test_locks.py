"""Locks that a process of the earlier version holds while it works: the current program respects each of them."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bulk.archive import archive_of, studies
from tests.cli.before_format.conftest import At, Holding
from tests.cli.before_format.files import ROLL_OUTS, before, octets, tree
from tests.cli.conftest import Run
from tests.cli.many.scripted import command, named

pytestmark = pytest.mark.real
#: What a lock file holds: the number of the process.
HOLDER = "4711\n"


def state() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg"


@contextmanager
def locked(path: Path, content: str | None) -> Iterator[None]:
    """Hold the lock of *path* (flock), a file with *content*, as another process does; None leaves what it holds."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        path.chmod(0o600)
        if content is not None:
            file.write(content)
            file.flush()
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def test_a_change_is_refused_while_another_one_is_running(holding: Holding, run: Run) -> None:
    site = holding(before())
    lock = state() / "locks" / hashlib.sha256(site.slapd.url.encode()).hexdigest()[:16]
    change = ("set", "storescp", "dicomDescription=x", "--yes", "--no-reload")
    with locked(lock, HOLDER):
        refused = run(*change)
        assert refused.exit_code == 3
        assert "4711" in refused.stderr
        assert site.octets() == octets(before())
    assert run(*change).exit_code == 0


def test_a_temporary_destination_in_use_is_not_removed(at: At, run: Run) -> None:
    site = at("temporary")
    (claim,) = (state() / "temporary").iterdir()
    with locked(claim, None):
        assert run("status").stderr == ""
        assert run("verify", "--clean-temporary", "--yes").exit_code == 0
        assert site.octets() == octets(tree(ROLL_OUTS / "temporary"))
    assert run("verify", "--clean-temporary", "--yes").exit_code == 0
    assert site.octets() == octets(before())


def test_results_in_use_are_refused(holding: Holding, run: Run, tmp_path: Path) -> None:
    holding(before())
    two = studies(2)
    with archive_of(two) as archive:
        verify = (*command(archive), "--ae", "DCM4CHEE", *named(two), "--results", str(tmp_path / "mine.sqlite"))
        assert run(*verify).exit_code == 0
        with locked(tmp_path / "mine.sqlite.lock", HOLDER):
            refused = run(*verify)
        assert refused.exit_code == 3
        assert "4711" in refused.stderr
        assert run(*verify).exit_code == 0
