"""The source distribution has what ``make demo`` and ``make test`` require, its licence, and can be installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import dcmcfg
from tests.release.conftest import CLONE, Distributions, install
from tests.sampling import LONG

pytestmark = pytest.mark.real


@pytest.mark.skipif(not (CLONE / ".git").exists(), reason="this is not a clone: there is no list of files")
def test_the_source_distribution_has_every_file_of_the_repository(distributions: Distributions) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=CLONE, capture_output=True, text=True, check=True)
    with tarfile.open(distributions.sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert set(listed.stdout.splitlines()) - files == set()
    assert {"LICENSE", "SECURITY.md", ".ci/install-packages", "Makefile"} <= files


def test_the_source_distribution_can_be_installed(distributions: Distributions, tmp_path: Path) -> None:
    programs = install(distributions.sdist, tmp_path / "venv")
    done = subprocess.run([programs / "dcmcfg", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"dcmcfg {dcmcfg.__version__}\n"
    assert (tmp_path / "venv" / "share" / "man" / "man1" / "dcmcfg-verify.1").is_file()


@pytest.mark.skipif(not LONG, reason="it installs all dependencies and shows the whole lab: run with DCMCFG_LONG")
@pytest.mark.timeout(900)
def test_the_demonstration_runs_in_the_unpacked_source_distribution(
    distributions: Distributions, tmp_path: Path
) -> None:
    with tarfile.open(distributions.sdist) as archive:
        if hasattr(tarfile, "data_filter"):  # since Python 3.11.4
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(tmp_path)
    (folder,) = tmp_path.glob("dcmcfg-*/")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DCMCFG_", "PYTHON"))}
    environment |= {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "STATE", "DATA")}
    make: list[str | Path] = ["make", "-C", folder, "demo", f"PYTHON={sys.executable}"]
    done = subprocess.run(make, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "dcmcfg is .venv/bin/dcmcfg" in done.stdout
