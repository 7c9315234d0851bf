"""Filling a server that has no entry yet, and what such a server makes of passwords."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite, settle_at
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

NO_SUCH_OBJECT = 32
CLIENT = f"dcmKeycloakClientID=dcm4chee-arc-ui,{ARCHIVE_DN}"


@pytest.fixture
def empty_site(monkeypatch: pytest.MonkeyPatch, archive: Scripted, tmp_path: Path) -> Iterator[CliSite]:
    """A slapd without any entry that hashes the passwords it is given (slapo-ppolicy)."""
    slapd = Slapd(
        tmp_path / "empty",
        port=free_port(),
        root_password=PASSWORD,
        extra_global="moduleload ppolicy",
        extra_database="overlay ppolicy\nppolicy_hash_cleartext",
    )
    slapd.prepare()
    with slapd:
        yield settle_at(monkeypatch, RunningSlapd(slapd), archive)


def test_a_whole_site_is_filled_in_and_a_password_that_the_server_hashes_is_as_planned(
    run: Run, empty_site: CliSite, tmp_path: Path
) -> None:
    files = [str(path) for path in list_site_files()]
    done = run("apply", *files, "--yes", "--no-reload")
    assert done.exit_code == 0, done.stderr
    assert "1079 to add, in one transaction\nApplied in one transaction.\n" in done.stdout
    (stored,) = empty_site.octets()[CLIENT]["userpassword"]
    assert stored.startswith(b"{SSHA}")
    file = tmp_path / "password.ldif"
    for password, exit_code, expected_message in (
        ("theirs", 3, "somebody has changed userPassword"),
        (stored.decode(), 0, ""),
    ):
        file.write_text(f"dn: {CLIENT}\nchangetype: modify\nreplace: userPassword\nuserPassword: {password}\n")
        assert empty_site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
        looked = run("undo", "--dry-run")
        assert (looked.exit_code, expected_message in looked.stderr) == (exit_code, True), looked.stderr
    undo_result = run("undo", "--yes", "--no-reload")
    assert undo_result.exit_code == 0, undo_result.stderr
    assert empty_site.slapd.run_client("ldapsearch", "-b", empty_site.slapd.base_dn).returncode == NO_SUCH_OBJECT


def test_without_its_base_other_commands_say_so(run: Run, empty_site: CliSite) -> None:
    missing = run("export-ldif")
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "dc=dcm4che,dc=org: there is no such entry" in missing.stderr
