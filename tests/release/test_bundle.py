"""The bundles install and run where there is no network, as their page shows."""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from release.bundle import format_checksums, make_bundles, pack
from release.platforms import PYTHON_MINOR_VERSIONS, describe_platform, write_platforms
from tests.release.conftest import CLONE, Distributions
from tests.sampling import LONG

PAGE = CLONE / "docs" / "how-to" / "install-without-network.md"
INSTALL = CLONE / "release" / "install.sh"


def test_an_archive_of_the_same_files_has_the_same_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    packed = pack("top", {"b": b"2", "a/c": b"1"})
    assert packed == pack("top", {"a/c": b"1", "b": b"2"})
    with tarfile.open(fileobj=BytesIO(gzip.decompress(packed))) as archive:
        assert [(each.name, each.mode, each.uid) for each in archive] == [("top/a/c", 0o644, 0), ("top/b", 0o644, 0)]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert pack("top", {"a": b""}) != packed


def test_sha256sum_accepts_the_checksums(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("b.whl", "a.pex")]
    for file in files:
        file.write_text(file.name)
    (tmp_path / "SHA256SUMS").write_text(format_checksums(files))
    check = ["sha256sum", "-c", "SHA256SUMS"]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "a.pex: OK\nb.whl: OK\n"


@pytest.mark.skipif(sys.platform != "linux", reason="bundles are for Linux")
def test_the_description_of_this_python_has_the_tags_of_its_wheels() -> None:
    described = describe_platform(sys.version_info.minor, platform.machine())["compatible_tags"]
    own = [str(tag) for tag in sys_tags()]
    # This machine may have a newer glibc than the oldest one that bundles support.
    shared = [tag for tag in own if tag in described]
    assert shared == described[: len(described)]


def test_each_supported_python_has_a_platform(tmp_path: Path) -> None:
    files = write_platforms(tmp_path, "x86_64")
    versions = [json.loads(file.read_text())["marker_environment"]["python_version"] for file in files]
    assert versions == [f"3.{minor}" for minor in PYTHON_MINOR_VERSIONS]
    page = PAGE.read_text("utf-8")
    assert [version for version in versions if version not in page] == []


def test_the_script_refuses_a_folder_that_exists_and_a_missing_python(tmp_path: Path) -> None:
    def run(*arguments: str | Path, **variables: str) -> tuple[int, str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": sys.executable} | variables
        command: list[str | Path] = ["sh", INSTALL, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    code, message = run(tmp_path)
    assert (code, message) == (
        1,
        f"install.sh: {tmp_path} exists; next: remove it, or specify another folder: sh install.sh FOLDER\n",
    )
    code, message = run(PYTHON="python3.2")
    assert (code, message) == (1, "install.sh: python3.2 not found; next: PYTHON=/path/to/python3.11 sh install.sh\n")


def test_a_bundle_requires_the_wheel_of_this_version(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no wheel of dcmcfg"):
        make_bundles(tmp_path)


def test_the_page_names_the_files_of_this_version() -> None:
    from dcmcfg import __version__

    found = set(re.findall(r"dcmcfg-(\d+\.\d+\.\d+)", PAGE.read_text("utf-8")))
    assert found == {__version__}


@pytest.mark.skipif(not LONG, reason="it downloads the dependencies for each version of Python: run with DCMCFG_LONG")
@pytest.mark.timeout(1200)
def test_the_page_works_without_a_network(distributions: Distributions, tmp_path: Path) -> None:
    without_network = ["unshare", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*without_network, "true"], check=False).returncode != 0:
        pytest.skip("network namespaces are forbidden here: that no network is used is not tested")
    if shutil.which("ip") is None:
        pytest.skip("ip is not installed: in a network namespace, it starts the loopback interface for the lab")
    if platform.machine() != "x86_64":
        pytest.skip(f"the page is about x86_64, not {platform.machine()}")
    folder, home = tmp_path / "dist", tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    folder.mkdir()
    for each in (distributions.wheel, distributions.sdist):
        shutil.copy(each, folder)
    make_bundles(folder)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHON": sys.executable, "MANPAGER": "cat"}

    def run(command: str) -> str:
        ask = [*without_network, "sh", "-euc", command]
        done = subprocess.run(ask, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    steps = [step for block in blocks for step in re.findall(r"\$ (.*)\n((?:(?! *\$ ).*\n)*)", block)]
    assert len(steps) == 7
    for command, output in steps:
        shown = run(command)
        for line in output.splitlines():
            assert line.strip() in (*map(str.strip, shown.splitlines()), "", "…")
    # Something that loads compiled libraries, too: a certificate, and the server of the lab.
    for program in (home / "bin" / "dcmcfg", home / "dcmcfg" / "bin" / "dcmcfg"):
        assert "0 errors" in run(f"{program} check {CLONE}/ldif/site")
        assert run(f"ip link set lo up; {program} lab up >/dev/null; {program} lab down") == "The lab is down.\n"
