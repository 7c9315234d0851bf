"""Real directory servers for the tests: one of their own for each test, on a free port, gone afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database, loaded_database
from tests.upgrade.customised import Releases

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts background jobs with SIGINT ignored, and so would be every program that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A law is about what comes out; how long an example takes depends on what else the machine does.
settings.register_profile("dcmcfg", deadline=None)
settings.load_profile("dcmcfg")

UPSTREAM_FILES = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif", "default-ui-config.ldif")


@pytest.fixture(scope="session")
def upstream() -> Path:
    """The archive's own data at several releases: ``5.33.1/default-config.ldif``, ``updates/`` and so on."""
    folder = os.environ.get("DCMCFG_UPSTREAM")
    if not folder:
        pytest.skip("DCMCFG_UPSTREAM is not set: nothing is tested against the archive's own data")
    return Path(folder)


@pytest.fixture(scope="session")
def releases(upstream: Path, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """More releases of the archive than in ``upstream``, and the generator of customised trees next to their folder."""
    folder = os.environ.get("DCMCFG_RELEASES")
    if not folder:
        pytest.skip("DCMCFG_RELEASES is not set: no upgrade from one release to another is tested")
    return Releases(upstream, Path(folder), tmp_path_factory.mktemp("customised"))


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder with recordings of a real dcm4chee-arc: ``index.json``, ``http/``, ``dimse/`` and so on."""
    folder = os.environ.get("DCMCFG_RECORDINGS")
    if not folder:
        pytest.skip("DCMCFG_RECORDINGS is not set: nothing is tested against recordings of the real archive")
    return Path(folder)


@pytest.fixture
def empty_slapd(tmp_path: Path) -> Iterator[RunningSlapd]:
    """A server with nothing but the suffix entry."""
    slapd = _slapd(tmp_path)
    slapd.load_files(list_site_files()[:1])
    with slapd:
        yield RunningSlapd(slapd)


@pytest.fixture
def slapd(tmp_path: Path, site_database: Path) -> Iterator[RunningSlapd]:
    """A server with the lab's own tree, on the ports of the files."""
    server = _slapd(tmp_path)
    copy_database(site_database, server)
    with server:
        yield RunningSlapd(server)


@pytest.fixture
def upstream_slapd(tmp_path: Path, upstream_database: Path) -> Iterator[RunningSlapd]:
    """A server with the default configuration of archive 5.33.1."""
    server = _slapd(tmp_path)
    copy_database(upstream_database, server)
    with server:
        yield RunningSlapd(server)


@pytest.fixture(scope="session")
def site_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return loaded_database(tmp_path_factory.mktemp("site"), list_site_files())


@pytest.fixture(scope="session")
def upstream_database(tmp_path_factory: pytest.TempPathFactory, upstream: Path) -> Path:
    files = [upstream / "5.33.1" / name for name in UPSTREAM_FILES]
    return loaded_database(tmp_path_factory.mktemp("upstream"), files)


def _slapd(folder: Path) -> Slapd:
    server = Slapd(folder / "slapd", port=free_port(), root_password=PASSWORD)
    server.prepare()
    return server
