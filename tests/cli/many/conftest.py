"""One directory for all tests of many studies that change nothing in it; an archive for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from tests.bulk.archive import Archive, archive_of
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Script, Verify, command
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database


@pytest.fixture(scope="session")
def unchanged(tmp_path_factory: pytest.TempPathFactory, site_database: Path) -> Iterator[RunningSlapd]:
    """The lab's tree, which nobody changes."""
    server = Slapd(tmp_path_factory.mktemp("many"), port=free_port(), root_password=PASSWORD)
    server.prepare()
    copy_database(site_database, server)
    with server:
        yield RunningSlapd(server)


@pytest.fixture
def site(unchanged: RunningSlapd, monkeypatch: pytest.MonkeyPatch) -> RunningSlapd:
    return at_site(unchanged, monkeypatch)


@pytest.fixture
def own_site(slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch) -> RunningSlapd:
    """A directory for a test that changes it."""
    return at_site(slapd, monkeypatch)


def at_site(slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch) -> RunningSlapd:
    monkeypatch.setenv("DCMCFG_LDAP_URL", slapd.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", slapd.password)
    return slapd


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def pacs(script: Script) -> Iterator[Archive]:
    with archive_of(FIVE, script.on_move, on_exchange=lambda each: script.on_exchange(each)) as archive:
        yield archive


@pytest.fixture
def verify(run: Run, site: RunningSlapd, pacs: Archive) -> Verify:
    return lambda *arguments, **extra: run(*command(pacs), *arguments, **extra)
