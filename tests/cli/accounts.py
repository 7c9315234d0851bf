"""Two accounts of one group that share a history, each with its own state folder, as real processes of other users."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.cli.sites import CliSite

#: Numbers that no account and no group of the machine has: the name of such an account is its number.
GROUP, OTHER_GROUP = 61100, 61101
PATIENCE_S = 60


@dataclass(frozen=True)
class Account:
    """An account of the group; ``state`` is its private state folder."""

    uid: int
    home: Path
    environment: dict[str, str]
    groups: tuple[int, ...] = (GROUP,)
    python: str = sys.executable

    @property
    def state(self) -> Path:
        return self.home / "state" / "dcmcfg"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the program as this account."""
        with self.start(*arguments, **environment) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return self.start_python("-m", "dcmcfg", *arguments, **environment)

    def start_python(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, *arguments],
            user=self.uid,
            group=self.uid,
            extra_groups=self.groups,
            env=self.environment | environment,
            cwd=self.home,
            text=True,
            umask=0o022,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@dataclass(frozen=True)
class SharedSite:
    """A site whose accounts ``adm1`` and ``op2`` share the history in ``folder``; ``guest`` is in no group."""

    site: CliSite
    folder: Path
    adm1: Account
    op2: Account
    guest: Account

    def make_folder(self) -> None:
        """Make the shared folder, as root does it with ``install -d -m 2770 -g GROUP``."""
        self.folder.mkdir()
        os.chown(self.folder, 0, GROUP)
        self.folder.chmod(0o2770)

    def records(self) -> list[Path]:
        return sorted(self.folder.glob("*.json"))


@contextmanager
def sharing_accounts(site: CliSite) -> Iterator[SharedSite]:
    """Make the accounts and the shared folder of *site*, whose slapd and archive the environment names."""
    if os.geteuid() != 0:
        pytest.skip("only root can run processes of other accounts")
    # Other accounts cannot reach the folders of pytest.
    base = Path(tempfile.mkdtemp(prefix="dcmcfg-accounts-"))
    try:
        base.chmod(0o755)
        folder = base / "history"
        inherited = {name: value for name, value in os.environ.items() if name.startswith("DCMCFG_")}
        adm1, op2, guest = (
            _make_account(base, uid, groups, inherited | {"DCMCFG_HISTORY_DIR": str(folder)})
            for uid, groups in ((61001, (GROUP,)), (61002, (GROUP,)), (61003, ()))
        )
        python = _find_python(adm1)
        adm1, op2, guest = (replace(each, python=python) for each in (adm1, op2, guest))
        shared = SharedSite(site, folder, adm1, op2, guest)
        shared.make_folder()
        yield shared
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _make_account(base: Path, uid: int, groups: tuple[int, ...], environment: dict[str, str]) -> Account:
    home = base / str(uid)
    home.mkdir(mode=0o700)
    os.chown(home, uid, uid)
    variables = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    site_packages = sysconfig.get_path("purelib")
    path = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join((str(Path.cwd()), site_packages)),
    }
    return Account(uid, home, environment | variables | path | {"HOME": str(home), "LOGNAME": "root"}, groups)


def _find_python(account: Account) -> str:
    """Return an interpreter that *account* can run, with the packages of this one; without one, the test is skipped."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # The interpreter of the tests may be in a folder of root only.
    for python in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        with suppress(OSError):
            if replace(account, python=python).run("--version").returncode == 0:
                return python
    pytest.skip("other accounts cannot run this version of Python, or cannot read the program")
