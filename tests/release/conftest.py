"""The distributions of the project, built once for all tests and all workers of pytest-xdist."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Distributions:
    """The files that ``python -m build`` has made."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """A wheel and a source distribution; the wheel is built from the source distribution."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "distributions"
    with (shared / "distributions.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            # The requirements of the build are those of the environment at hand: an isolated build would install them.
            build: list[str | Path] = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CLONE]
            subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("dcmcfg-*.whl")
    (sdist,) = folder.glob("dcmcfg-*.tar.gz")
    return Distributions(wheel, sdist)


def install(distribution: Path, venv: Path) -> Path:
    """Install *distribution* in the new virtual environment *venv*; return its folder of programs.

    The dependencies are those of the environment at hand.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    # A path in a .pth file: the folder's own .pth files, an editable dcmcfg's among them, are not looked at.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--python",
        venv / "bin" / "python",
    ]
    # To compile all modules would take longer than all that a test does.
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed", "--no-compile"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*pip, "install", *options, distribution], check=True, env=environment)
    return venv / "bin"
