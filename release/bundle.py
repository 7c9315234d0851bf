"""Make the bundles that install without a network: ``make bundle``, or ``python -m release.bundle FOLDER``.

FOLDER has the wheel of dcmcfg. Beside the wheel, this module writes one executable file (PEX), an archive with the
wheels of all dependencies (wheelhouse), and the file SHA256SUMS.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from dcmcfg import __version__
from release.platforms import PYTHON_MINOR_VERSIONS, write_platforms

CHECKSUMS = "SHA256SUMS"
_INSTALL_SCRIPT = Path(__file__).with_name("install.sh")
#: Without SOURCE_DATE_EPOCH, files in the archive have the time that hatchling gives to files in a wheel.
_DEFAULT_TIME_S = 1580601600
#: The pip that pex resolves with. The one that pex contains does not know the wheels of today's platforms.
_PIP_VERSION = "25.3"
_README = """\
dcmcfg {version}, with all libraries that it requires.
For Linux on {machine} with glibc 2.28 or newer, and Python {versions}.

To install it in the folder ~/dcmcfg, without a network:

    sh install.sh

To install it in another folder:

    sh install.sh FOLDER

To install it in an existing virtual environment with pip:

    pip install --no-index --find-links wheels dcmcfg

After the installation, 'man FOLDER/share/man/man1/dcmcfg.1' shows the manual.
"""


def make_bundles(folder: Path) -> list[Path]:
    """Write the PEX, the wheelhouse and the checksums of all distributions to *folder*; return these files.

    Raises :class:`FileNotFoundError` if *folder* has no wheel of this version of dcmcfg, and
    :class:`subprocess.CalledProcessError` if the dependencies cannot be downloaded.
    """
    wheel = next(folder.glob(f"dcmcfg-{__version__}-*.whl"), None)
    if wheel is None:
        raise FileNotFoundError(f"{folder} has no wheel of dcmcfg {__version__}; next: make dist")
    machine = platform.machine()
    executable = folder / f"dcmcfg-{__version__}-linux-{machine}.pex"
    wheelhouse = folder / f"dcmcfg-{__version__}-wheelhouse-linux-{machine}.tar.gz"
    with tempfile.TemporaryDirectory(prefix="dcmcfg-bundle-") as temporary:
        wheels = Path(temporary, "wheels")
        platforms = write_platforms(Path(temporary), machine)
        _download(wheel, wheels, platforms)
        _make_executable(wheel, executable, wheels=wheels, platforms=platforms)
        content = {f"wheels/{path.name}": path.read_bytes() for path in wheels.iterdir()}
    versions = ", ".join(f"3.{minor}" for minor in PYTHON_MINOR_VERSIONS)
    content["README.txt"] = _README.format(version=__version__, machine=machine, versions=versions).encode()
    content["install.sh"] = _INSTALL_SCRIPT.read_bytes()
    wheelhouse.write_bytes(pack(wheelhouse.name.removesuffix(".tar.gz"), content))
    checksums = folder / CHECKSUMS
    files = [path for path in folder.glob(f"dcmcfg-{__version__}[-.]*") if path.is_file()]
    checksums.write_text(format_checksums(files), "utf-8")
    return [executable, wheelhouse, checksums]


def pack(top_folder: str, content: Mapping[str, bytes]) -> bytes:
    """Return the files of *content* below *top_folder* as tar.gz; the same files always give the same octets."""
    time_s = int(os.environ.get("SOURCE_DATE_EPOCH", _DEFAULT_TIME_S))
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(content):
            member = tarfile.TarInfo(f"{top_folder}/{name}")
            member.size, member.mtime, member.mode = len(content[name]), time_s, 0o644
            archive.addfile(member, io.BytesIO(content[name]))
    return gzip.compress(tar.getvalue(), mtime=time_s)


def format_checksums(files: Iterable[Path]) -> str:
    """Return a line for each of *files*, as ``sha256sum -c`` reads it in their folder."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(files))


def _download(wheel: Path, wheels: Path, platforms: Iterable[Path]) -> None:
    _run("pex.cli", "download", wheel, "pip", *_select(platforms), "--dest-dir", wheels)


def _make_executable(wheel: Path, executable: Path, *, wheels: Path, platforms: Iterable[Path]) -> None:
    options = [*_select(platforms), "--no-pypi", "--find-links", str(wheels)]
    # venv: after the first start, as fast as an installation. sh-boot: no interpreter only to find the right one.
    _run("pex", wheel, *options, "--console-script", "dcmcfg", "--venv", "prepend", "--sh-boot", "-o", executable)


def _select(platforms: Iterable[Path]) -> list[str]:
    selected = [option for path in platforms for option in ("--complete-platform", str(path))]
    return ["--pip-version", _PIP_VERSION, "--no-build", *selected]


def _run(module: str, *arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    for made in make_bundles(Path(sys.argv[1])):
        sys.stdout.write(f"{made}\n")
