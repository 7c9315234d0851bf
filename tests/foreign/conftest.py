"""Sites whose directory server is not OpenLDAP, and commands that run there as on a fresh account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.lab.tree import list_site_files
from tests.archive.scripted import Scripted
from tests.cli.conftest import archive, fresh_account, run  # noqa: F401 — fixtures
from tests.foreign import apacheds as apache
from tests.foreign import server389 as red_hat
from tests.foreign.apacheds import ApacheDS
from tests.foreign.server389 import Server389

_INSTALL = "install it: make packages-test"


@pytest.fixture
def server389(tmp_path: Path, archive: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server389]:  # noqa: F811
    """A 389 Directory Server with the lab's tree; the environment names it, and an archive that answers."""
    if not red_hat.PROGRAM.exists():
        pytest.skip(f"389 Directory Server is not installed; {_INSTALL}")
    with Server389(tmp_path / "389") as server:
        for file in list_site_files():
            server.add(file.read_text("utf-8"))
        _settle(monkeypatch, server, archive)
        yield server


@pytest.fixture
def apacheds(tmp_path: Path, archive: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApacheDS]:  # noqa: F811
    """An ApacheDS with a small tree; the environment names it, and an archive that answers."""
    if not all(map(Path.exists, apache.REQUIRED)) or shutil.which("java") is None:
        pytest.skip(f"ApacheDS is not installed; {_INSTALL}")
    with ApacheDS(tmp_path / "apacheds") as server:
        server.add(apache.TREE)
        _settle(monkeypatch, server, archive)
        yield server


def _settle(monkeypatch: pytest.MonkeyPatch, server: Server389 | ApacheDS, archive: Scripted) -> None:  # noqa: F811
    archive.run_as_an_archive_does()
    monkeypatch.setenv("DCMCFG_LDAP_URL", server.url)
    monkeypatch.setenv("DCMCFG_BIND_DN", server.bind_dn)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", server.password)
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", archive.url)
