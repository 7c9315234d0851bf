"""The replayer and the directory server of its configuration run once; each test plays a recording."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dcmcfg.cli.main import program
from dcmcfg.lab.slapd import Slapd
from tests.ports import free_port
from tests.recorded.replayer import Replayer, running
from tests.recorded.site import Ports, Site
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database

Run = Callable[..., Result]
_DATA = ("DCMCFG_UPSTREAM", "DCMCFG_RELEASES", "DCMCFG_RECORDINGS")


@pytest.fixture(scope="session")
def recorded_site(
    recordings: Path, upstream_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A slapd with the configuration of the recordings."""
    folder = tmp_path_factory.mktemp("recorded")
    server = Slapd(folder / "slapd", port=free_port(), root_password=PASSWORD)
    server.prepare()
    copy_database(upstream_database, server)
    ports = Ports(*(free_port() for _ in range(4)))
    with server:
        site = Site(RunningSlapd(server), ports, folder)
        site.configure()
        yield site


@pytest.fixture(scope="session")
def replayer(recorded_site: Site) -> Iterator[Replayer]:
    with running(recorded_site.ports) as replaying:
        yield replaying


@pytest.fixture
def run(recorded_site: Site, replayer: Replayer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run dcmcfg in this process, as on a fresh account at that site: ``run("verify", "--study", …)``."""
    for name in os.environ:
        if name.startswith("DCMCFG_") and name not in _DATA:
            monkeypatch.delenv(name)
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "xdg" / kind.lower()))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DCMCFG_LDAP_URL", recorded_site.slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", recorded_site.slapd.password)
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", replayer.url)

    def run_program(*arguments: str) -> Result:
        return CliRunner().invoke(program, arguments, prog_name="dcmcfg")

    return run_program
