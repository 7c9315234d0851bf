"""The commands run as on a fresh account: no settings of the person who runs the tests reach them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dcmcfg.cli.main import program
from tests.archive.scripted import Scripted, scripted_archive
from tests.cli.sites import CliSite, settle_at
from tests.running_slapd import RunningSlapd

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def fresh_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("DCMCFG_") and name != "DCMCFG_UPSTREAM":
            monkeypatch.delenv(name)
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "xdg" / kind.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def run() -> Run:
    """Run the program in this process: ``run("reload", "--json")``."""

    def run_program(*arguments: str, **extra: object) -> Result:
        return CliRunner().invoke(program, arguments, prog_name="dcmcfg", **extra)  # type: ignore[arg-type]

    return run_program


@pytest.fixture
def archive() -> Iterator[Scripted]:
    with scripted_archive() as script:
        yield script


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, slapd: RunningSlapd, archive: Scripted) -> CliSite:
    """The lab's tree on a real slapd, and an archive that answers."""
    return settle_at(monkeypatch, slapd, archive)


@pytest.fixture
def stock_site(monkeypatch: pytest.MonkeyPatch, upstream_slapd: RunningSlapd, archive: Scripted) -> CliSite:
    """The archive's own default configuration on a real slapd, and an archive that answers."""
    return settle_at(monkeypatch, upstream_slapd, archive)
