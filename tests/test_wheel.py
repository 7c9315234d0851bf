"""The wheel, installed by itself outside the clone, has all that a lab needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

CLONE = Path(__file__).parents[1]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A virtual environment with the wheel in it; its dependencies are those of the environment at hand."""
    wheels, venv = tmp_path / "wheels", tmp_path / "venv"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, CLONE], check=True)
    (wheel,) = wheels.glob("dcmcfg-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    # A path in a .pth file: the folder's own .pth files, an editable dcmcfg's among them, are not looked at.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv


def test_a_lab_goes_up_from_an_installed_wheel_outside_the_clone(installed: Path, tmp_path: Path) -> None:
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

    where = run(installed / "bin" / "python", "-c", "import dcmcfg; print(dcmcfg.__file__)")
    assert Path(where).is_relative_to(installed)
    dcmcfg = installed / "bin" / "dcmcfg"
    try:
        assert run(dcmcfg, "lab", "up").startswith("The lab is up")
        assert json.loads(run(dcmcfg, "lab", "status", "--json"))["running"] is True
        assert "WORKSTATION" in run(dcmcfg, "show", "workstation", "--profile", "lab")
    finally:
        assert run(dcmcfg, "lab", "down") == "The lab is down.\n"
