"""The source distribution has what ``make demo`` and ``make test`` require, and its licence."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (CLONE / ".git").exists(), reason="this is not a clone: there is no list of files"),
]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> tarfile.TarFile:
    folder = tmp_path_factory.mktemp("sdist")
    # The build backend of pyproject.toml makes it, as "python -m build --sdist" does, in an environment of its own.
    make = f"import hatchling.build, sys; print(hatchling.build.build_sdist({str(folder)!r}))"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--target", folder / "hatchling", "hatchling>=1.27"], check=True)
    subprocess.run([sys.executable, "-c", make], cwd=CLONE, env={"PYTHONPATH": str(folder / "hatchling")}, check=True)
    (file,) = folder.glob("dcmcfg-*.tar.gz")
    return tarfile.open(file)


def test_the_source_distribution_has_every_file_of_the_repository(sdist: tarfile.TarFile) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=CLONE, capture_output=True, text=True, check=True)
    files = {name.partition("/")[2] for name in sdist.getnames()}
    assert set(listed.stdout.splitlines()) - files == set()
    assert {"LICENSE", "SECURITY.md", ".ci/install-packages", "Makefile"} <= files
