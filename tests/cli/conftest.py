"""The commands run as on a fresh account: no settings of the person who runs the tests reach them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dcmcfg.cli.main import program
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.archive.scripted import Scripted, scripted_archive
from tests.cli.schema_sites import TARGET, Serve, find_schema_folder, serving
from tests.cli.sites import CliSite, settle_at
from tests.cli.verifying import made, plain_pacs, verify, workstation  # noqa: F401 — fixtures
from tests.json_schemas import check_outputs
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.upgrade.customised import Releases

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def fresh_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("DCMCFG_") and name != "DCMCFG_UPSTREAM":
            monkeypatch.delenv(name)
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "xdg" / kind.lower()))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture(autouse=True)
def json_as_in_the_schemas(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command prints with ``--json`` in this process has the keys and types of its schema."""
    check_outputs(monkeypatch)


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


@pytest.fixture
def newer_slapd(tmp_path: Path) -> Iterator[RunningSlapd]:
    """A server whose schema knows more than the bundled one, with an entry that shows it."""
    syntax = "EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64} SINGLE-VALUE"
    schema = (
        f"attributetype ( 1.3.6.1.4.1.32473.1 NAME 'dcmFromTheFuture' DESC 'What \\27SUP name\\27 is for' {syntax} )",
        f"attributetype ( 1.3.6.1.4.1.32473.2 NAME 'dcmHostile' DESC 'red \x1b[31m' {syntax} )",
        "objectclass ( 1.3.6.1.4.1.32473.3 NAME 'dcmFuture' SUP top STRUCTURAL MUST cn MAY dcmFromTheFuture )",
    )
    port = free_port()
    slapd = Slapd(tmp_path / "newer", port=port, root_password=PASSWORD, extra_global="\n".join(schema))
    slapd.prepare()
    slapd.load_files(list_site_files()[:1])
    slapd.load_ldif("dn: cn=future,dc=dcm4che,dc=org\nobjectClass: dcmFuture\ncn: future\ndcmFromTheFuture: Soon\n")
    with slapd:
        yield RunningSlapd(slapd)


@pytest.fixture
def serve(tmp_path: Path, releases: Releases) -> Iterator[Serve]:
    """A function that starts a server with cn=config and the schema of a release."""
    with serving(tmp_path, releases) as function:
        yield function


@pytest.fixture
def target(releases: Releases) -> str:
    """The folder of the release whose schema is installed."""
    return str(find_schema_folder(releases, TARGET))
