"""The wheel is valid, and has all that a lab needs when it is installed by itself outside the clone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dcmcfg
from tests.release.conftest import Distributions, install
from tests.sampling import LONG

pytestmark = pytest.mark.real


def test_the_distributions_pass_the_checks_of_the_package_index(distributions: Distributions) -> None:
    check: list[str | Path] = [
        sys.executable,
        "-m",
        "twine",
        "check",
        "--strict",
        distributions.wheel,
        distributions.sdist,
    ]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    check = [sys.executable, "-m", "check_wheel_contents", distributions.wheel]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_lab_goes_up_from_an_installed_wheel_outside_the_clone(distributions: Distributions, tmp_path: Path) -> None:
    programs = install(distributions.wheel, tmp_path / "venv")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DCMCFG_", "PYTHON"))}
    environment |= {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "DCMCFG_LAB_WITH_PID": str(os.getpid()),
    }

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run(programs / "python", "-c", "import dcmcfg; print(dcmcfg.__file__)")
    assert Path(where).is_relative_to(tmp_path / "venv")
    program = programs / "dcmcfg"
    assert run(program, "--version") == f"dcmcfg {dcmcfg.__version__}\n"
    try:
        assert run(program, "lab", "up").startswith("The lab is up")
        assert json.loads(run(program, "lab", "status", "--json"))["running"] is True
        assert "WORKSTATION" in run(program, "show", "workstation", "--profile", "lab")
    finally:
        assert run(program, "lab", "down") == "The lab is down.\n"


@pytest.mark.skipif(not LONG, reason="it installs all dependencies again: run with DCMCFG_LONG")
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_pip_installs_a_distribution_with_its_dependencies(
    distributions: Distributions, kind: str, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    programs = tmp_path / "venv" / "bin"
    command: list[str | Path] = [
        programs / "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        getattr(distributions, kind),
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, env=environment)
    done = subprocess.run([programs / "dcmcfg", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"dcmcfg {dcmcfg.__version__}\n"
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "dcmcfg.1").is_file()
