"""Every LDIF file that the archive ships, applied by OpenLDAP's tools to one server and by dcmcfg to another.

Where the tools apply a file without error, both servers hold the same octets afterwards. A file is given to the
tree that it is meant for: the releases' own files to an empty server, the updates one after the other to the oldest
release, in the order of the archive's own script, and to dcmcfg all those of a version at once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path

import pytest

from dcmcfg.cli.apply import apply_command
from dcmcfg.lab.slapd import Slapd
from tests.cli.conftest import Run
from tests.cli.sites import attributes, every_risk
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database, loaded_database

UPSTREAM = Path(os.environ.get("DCMCFG_UPSTREAM", "/nowhere"))
RELEASES = ("5.29.0", "5.31.0", "5.33.1")
CONTENT = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif", "default-ui-config.ldif")
COMPONENTS = (
    *("dev", "DCM4CHEE", "WORKLIST", "AS_RECEIVED", "IOCM_REGULAR_USE", "IOCM_QUALITY", "IOCM_PAT_SAFETY"),
    *("IOCM_WRONG_MWL", "IOCM_EXPIRED", "storescp", "stowrsd", "ui-config"),
)
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not UPSTREAM.is_dir(), reason="DCMCFG_UPSTREAM names no folder with the archive's own files"),
]

Tree = dict[str, dict[str, frozenset[bytes]]]


def updates() -> list[Path]:
    """The update files in the order in which an administrator applies them."""

    def place(path: Path) -> tuple[tuple[int, ...], int]:
        component = next(i for i, name in enumerate(COMPONENTS) if path.name.startswith(f"update-{name}"))
        return tuple(map(int, path.parent.name.split("."))), component

    return sorted((UPSTREAM / "updates").rglob("*.ldif"), key=place)


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the oldest release."""
    files = [UPSTREAM / RELEASES[0] / name for name in CONTENT]
    return loaded_database(tmp_path_factory.mktemp("oldest"), files)


def beside_vendor_data(original: Path, folder: Path) -> Path:
    """A copy of *original* in a folder of its release, with the file that it may refer to."""
    release = folder / original.parent.name
    release.mkdir(exist_ok=True)
    (release / "vendor-data.zip").write_bytes(f"vendor data of {release.name}".encode())
    return Path(shutil.copy(original, release))


def same(one: RunningSlapd, other: RunningSlapd) -> bool:
    """Whether both hold the same octets; reading the text is needed only where order differs."""
    texts = [server.run_client("ldapsearch", "-LLL", "-b", server.base_dn) for server in (one, other)]
    assert all(text.returncode == 0 for text in texts)
    return texts[0].stdout == texts[1].stdout or tree(one) == tree(other)


def tree(server: RunningSlapd) -> Tree:
    return {str(entry.dn): attributes(entry) for entry in server.entries()}


@contextmanager
def servers(folder: Path, database: Path | None = None) -> Iterator[tuple[RunningSlapd, RunningSlapd]]:
    """Two servers that hold the same; that of OpenLDAP's tools first."""
    with ExitStack() as stack:
        pair = []
        for name in ("theirs", "ours"):
            server = Slapd(folder / name, port=free_port(), root_password=PASSWORD)
            server.prepare()
            if database is not None:
                copy_database(database, server)
            pair.append(RunningSlapd(stack.enter_context(server)))
        theirs, ours = pair
        yield theirs, ours


def openldap(server: RunningSlapd, program: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Run ldapadd or ldapmodify in the folder of *file*, from where its references start."""
    identity = ("-x", "-H", server.url, "-D", server.bind_dn, "-w", server.password)
    return subprocess.run(
        [f"/usr/bin/{program}", *identity, "-f", file.name],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def use(monkeypatch: pytest.MonkeyPatch, server: RunningSlapd) -> None:
    monkeypatch.setenv("DCMCFG_LDAP_URL", server.url)
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD", server.password)


def test_every_file_is_tried() -> None:
    content = {UPSTREAM / release / name for release in RELEASES for name in CONTENT}
    assert content | set(updates()) == set(UPSTREAM.rglob("*.ldif"))


@pytest.mark.parametrize("release", RELEASES)
def test_the_files_of_a_release_load_as_ldapadd_loads_them(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: str
) -> None:
    """The first into a server without any entry, not even the suffix."""
    with servers(tmp_path) as (theirs, ours):
        use(monkeypatch, ours)
        for file in (UPSTREAM / release / name for name in CONTENT):
            added = openldap(theirs, "ldapadd", file)
            assert added.returncode == 0, added.stderr
            applied = run("apply", str(file), "--yes", "--no-reload")
            assert applied.exit_code == 0, applied.stderr
        assert same(ours, theirs)


def test_every_update_file_leaves_the_tree_that_ldapmodify_leaves(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, oldest: Path
) -> None:
    with servers(tmp_path, oldest) as (theirs, ours):
        use(monkeypatch, ours)
        for release, originals in groupby(updates(), key=lambda path: path.parent.name):
            files = [beside_vendor_data(original, tmp_path) for original in originals]
            for file in files:
                modified = openldap(theirs, "ldapmodify", file)
                assert modified.returncode == 0, modified.stderr
            applied = run(
                "apply", *map(str, files), "--allow-file-urls", "--yes", "--no-reload", *every_risk(apply_command)
            )
            assert applied.exit_code == 0, applied.stderr
            assert same(ours, theirs), release


def test_a_file_that_ldapmodify_leaves_half_done_is_refused_whole(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, oldest: Path
) -> None:
    """It is for a later release: six of the entries that it modifies come with the versions between."""
    file = beside_vendor_data(UPSTREAM / "updates" / "5.31.2" / "update-DCM4CHEE-5.31.2.ldif", tmp_path)
    with servers(tmp_path, oldest) as (theirs, ours):
        use(monkeypatch, ours)
        before = tree(ours)
        assert openldap(theirs, "ldapmodify", file).returncode == 32
        assert tree(theirs) != before
        refused = run("apply", str(file), "--allow-file-urls", "--yes", "--no-reload")
        assert refused.exit_code == 3
        assert "6 of 158 changes cannot be applied" in refused.stderr
        assert refused.stderr.count(f"{file}:") == refused.stderr.count("there is no such entry") == 6
        assert tree(ours) == before


def test_a_file_given_again_stops_ldapmodify_and_is_nothing_to_do(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, oldest: Path
) -> None:
    file = beside_vendor_data(UPSTREAM / "updates" / "5.29.1" / "update-WORKLIST-5.29.1.ldif", tmp_path)
    with servers(tmp_path, oldest) as (theirs, ours):
        use(monkeypatch, ours)
        assert openldap(theirs, "ldapmodify", file).returncode == 0
        assert openldap(theirs, "ldapmodify", file).returncode != 0
        for _ in range(2):
            applied = run("apply", str(file), "--allow-file-urls", "--yes", "--no-reload")
            assert applied.exit_code == 0
        assert "No changes." in applied.stdout
        assert same(ours, theirs)
