"""What changing commands say of a change that a reload does not put in force, or that the archive loads by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite

pytestmark = pytest.mark.real
MASQUERADE = "dcmMasqueradeCalledAETitle"
RESTART = (
    f"{MASQUERADE} (dicomAETitle=DCM4CHEE) takes effect after a restart of the archive; a reload keeps the old value"
)


def test_a_change_that_needs_a_restart_says_so_before_and_after(run: Run, site: CliSite) -> None:
    planned = run("set", "AE:DCM4CHEE", f"{MASQUERADE}=LONGTERM:TAPE", "--dry-run", "--json")
    assert json.loads(planned.stdout)["warnings"] == [RESTART]
    done = run("set", "AE:DCM4CHEE", f"{MASQUERADE}=LONGTERM:TAPE", "--yes")
    assert (done.exit_code, done.stderr) == (0, f"warning: {RESTART}\n")
    assert done.stdout.endswith(
        "\nThe archive was not reloaded, because a reload has no effect on this change.\n"
        f"Restart the archive. A reload is not enough for the change of {MASQUERADE}\n"
    )
    undo_result = run("undo", "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, f"warning: {RESTART}\n")
    assert undo_result.stdout.endswith(f"Restart the archive. A reload is not enough for the change of {MASQUERADE}\n")


def test_a_change_that_a_reload_puts_in_force_says_nothing(run: Run, site: CliSite) -> None:
    done = run("set", "AE:DCM4CHEE", "dicomDescription=x", "--yes", "--no-reload")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "restart" not in done.stdout


def test_without_a_reload_a_storage_threshold_is_warned_of(run: Run, site: CliSite, tmp_path: Path) -> None:
    storage = f"dn: dcmStorageID=fs2,{ARCHIVE_DN}\nobjectClass: dcmStorage\ndcmStorageID: fs2\ndcmURI: file:/fs2\n"
    file = tmp_path / "storage.ldif"
    file.write_text(storage)
    assert site.slapd.run_client("ldapadd", "-f", str(file)).returncode == 0
    values = ("dcmObjectStorageID=fs1", "dcmObjectStorageID=fs2")
    assert run("set", "AE:DCM4CHEE", *values, "--yes").exit_code == 0
    assert run("set", f"dcmStorageID=fs1,{ARCHIVE_DN}", "dcmStorageThreshold=10GB", "--yes").stderr == ""
    done = run("set", "AE:DCM4CHEE", "dicomDescription=x", "--yes", "--no-reload")
    assert (done.exit_code, done.stderr) == (
        0,
        "warning: if DCM4CHEE receives a C-STORE while the free space of fs1 is below dcmStorageThreshold, the archive "
        "might load this change before you reload the archive\n",
    )
