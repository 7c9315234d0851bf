"""What the commands leave on the disk is for its owner only, whatever the umask; what is not is not trusted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.private_folders import create_private_folder
from dcmcfg.settings import write_profile
from tests.cli.conftest import Run
from tests.cli.sites import CliSite
from tests.cli.verifying import Verify


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def shared_below(folder: Path) -> list[str]:
    """What others may read or write, folders and files."""
    return [str(path) for path in folder.rglob("*") if path.stat().st_mode & 0o077]


@pytest.mark.real
def test_state_and_profiles_are_private(
    run: Run, site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profile("prod", {"device": "dcm4chee-arc"})
    assert run("set", "AE:STORESCP", "dicomDescription=x", "--yes").exit_code == 0
    monkeypatch.setenv("EDITOR", f"{sys.executable} -c pass")
    assert run("edit", "storescp", "--yes").exit_code == 0
    assert run("snapshot", str(tmp_path / "xdg" / "state" / "whole.ldif")).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "xdg" / "state" / "dcmcfg").iterdir()) == [
        "edits",
        "locks",
        "rollouts",
    ]
    assert shared_below(tmp_path / "xdg") == []

    (tmp_path / "xdg" / "state" / "dcmcfg").chmod(0o777)
    before = site.octets()
    refused = run("set", "AE:STORESCP", "dicomDescription=y", "--yes")
    assert (refused.exit_code, site.octets()) == (3, before)
    assert "everybody can write to this path" in refused.stderr


@pytest.mark.real
def test_what_verify_keeps_is_private(verify: Verify, plain_pacs: Peer, workstation: Peer, tmp_path: Path) -> None:
    create_private_folder(tmp_path / "xdg")
    save_folder = tmp_path / "xdg" / "kept" / "deep"
    done = verify(
        plain_pacs, "--receive", "--keep", str(save_folder), "--evidence", str(tmp_path / "xdg" / "proof.html")
    )
    assert done.exit_code == 0, done.output
    assert len(list(save_folder.rglob("*.dcm"))) == 3
    results = tmp_path / "xdg" / "results" / "deep" / "answers"
    many = verify(plain_pacs, "--receive", "--results", str(results), "--csv", str(tmp_path / "xdg" / "answers.csv"))
    assert many.exit_code == 0, many.output
    assert results.exists()
    assert shared_below(tmp_path / "xdg") == []


def test_a_state_folder_that_others_may_write_to_is_refused(run: Run, tmp_path: Path) -> None:
    state = tmp_path / "xdg" / "state" / "dcmcfg"
    state.mkdir(parents=True)
    for command in (("history",), ("results", "list"), ("status",)):
        refused = run(*command)
        assert (refused.exit_code, refused.stdout, refused.stderr) == (
            3,
            "",
            f"dcmcfg: {state}: everybody can write to this path\n"
            f"  next: check that nobody has modified the content, then run: chmod -R go-w {state}\n",
        )
    state.chmod(0o700)
    assert run("history").exit_code == 0


@pytest.mark.parametrize("opened", ["prod.toml", "profiles", "dcmcfg"])
def test_a_profile_that_others_may_write_to_is_refused(run: Run, opened: str) -> None:
    path = write_profile("prod", {"device": "dcm4chee-arc"})
    top = path.parent.parent
    (named,) = (each for each in (top, path.parent, path) if each.name == opened)
    named.chmod(0o777)
    refused = run("--profile", "prod", "status")
    assert (refused.exit_code, refused.stdout, refused.stderr) == (
        3,
        "",
        f"dcmcfg: {named}: everybody can write to this path\n  next: check that nobody has modified the content, "
        f"then run: chmod -R go-w {top}\n",
    )


def test_the_suggested_command_closes_all_folders_of_a_profile_at_once(run: Run) -> None:
    path = write_profile("prod", {"ldap_url": "ldap://127.0.0.1:1"})
    for each in (path.parent.parent, path.parent, path):
        each.chmod(0o777)
    command = run("--profile", "prod", "status").stderr.partition("then run: ")[2].splitlines()[0]
    subprocess.run(shlex.split(command), check=True)
    assert "can write to" not in run("--profile", "prod", "status").stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to others")
@pytest.mark.parametrize("given", ["prod.toml", "profiles", "dcmcfg"])
def test_a_profile_that_another_account_has_put_there_is_refused(run: Run, given: str) -> None:
    path = write_profile("prod", {"device": "dcm4chee-arc"})
    top = path.parent.parent
    (named,) = (each for each in (top, path.parent, path) if each.name == given)
    os.chown(named, 12345, 0)
    refused = run("--profile", "prod", "status")
    assert (refused.exit_code, refused.stdout, refused.stderr) == (
        3,
        "",
        f"dcmcfg: {named}: the owner is the account 12345, but dcmcfg runs as root\n"
        f"  next: sudo chown -R root {top}; or if you did not create this file or folder, remove the file or folder\n",
    )


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("rollouts", ("history",)),
        ("rollouts/1", ("history",)),
        ("verify", ("results", "list")),
        ("lab", ("lab", "status")),
    ],
)
def test_a_folder_below_the_state_folder_that_others_may_write_to_is_refused(
    run: Run, tmp_path: Path, name: str, command: tuple[str, ...]
) -> None:
    state = tmp_path / "xdg" / "state" / "dcmcfg"
    create_private_folder(state / name)
    (state / name).chmod(0o777)
    refused = run(*command)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (
        3,
        "",
        f"dcmcfg: {state / name}: everybody can write to this path\n"
        f"  next: check that nobody has modified the content, then run: chmod -R go-w {state}\n",
    )


@pytest.mark.real
@pytest.mark.parametrize("name", ["rollouts", "rollouts/1", "rollouts/1/head.json", "rollouts/1/undo.ldif", "locks"])
def test_an_undo_that_others_may_have_planted_is_not_applied(
    run: Run, site: CliSite, tmp_path: Path, name: str
) -> None:
    assert run("set", "AE:STORESCP", "dicomDescription=x", "--yes").exit_code == 0
    state, before = tmp_path / "xdg" / "state" / "dcmcfg", site.octets()
    (state / name).chmod(0o777)
    refused = run("undo", "--yes")
    assert (refused.exit_code, site.octets()) == (3, before)
    assert refused.stderr.endswith(
        f"dcmcfg: {state / name}: everybody can write to this path\n"
        f"  next: check that nobody has modified the content, then run: chmod -R go-w {state}\n"
    )
