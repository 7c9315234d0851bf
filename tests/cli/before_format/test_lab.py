"""A lab from before the format number, whose processes have ended: shown, removed, and started anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.before_format.files import FOLDER
from tests.cli.conftest import Run

pytestmark = pytest.mark.real


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The folder of the lab, which the profile ``lab`` describes."""
    folder = tmp_path / "lab"
    folder.mkdir(mode=0o700)
    profiles = Path(os.environ["XDG_CONFIG_HOME"]) / "dcmcfg" / "profiles"
    profiles.mkdir(mode=0o700, parents=True)
    profile = FOLDER / "profiles" / "lab.toml"
    for path, target in (*((each, folder) for each in (FOLDER / "lab").iterdir()), (profile, profiles)):
        (target / path.name).write_text(path.read_text("utf-8").replace("@LAB@", str(folder)), "utf-8")
        (target / path.name).chmod(0o600)
    return folder


def test_status_finds_the_lab_stopped(lab: Path, run: Run) -> None:
    shown = run("lab", "status", "--json")
    assert shown.exit_code == 1
    content = json.loads(shown.stdout)
    assert content["folder"] == str(lab)
    assert run("lab", "status").exit_code == 1


def test_down_removes_the_lab_and_its_profile(lab: Path, run: Run) -> None:
    down = run("lab", "down")
    assert (down.exit_code, down.stderr) == (0, "")
    assert not lab.exists()
    assert list((Path(os.environ["XDG_CONFIG_HOME"]) / "dcmcfg" / "profiles").iterdir()) == []


def test_up_starts_a_new_lab_in_its_folder(lab: Path, run: Run) -> None:
    up = run("lab", "up", "--folder", str(lab), "--with-pid", str(os.getpid()))
    try:
        assert up.exit_code == 0, up.stderr
        assert run("lab", "status").exit_code == 0
    finally:
        assert run("lab", "down").exit_code == 0
