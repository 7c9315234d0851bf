"""A snapshot from before the format number: checked, compared and restored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.before_format.conftest import Holding
from tests.cli.before_format.files import PLANS, after, before, octets
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES

pytestmark = pytest.mark.real
SNAPSHOT = str(PLANS / "before.snapshot")
#: Between the snapshot and ``after.ldif``.
CHANGED = {
    f"dicomDeviceName=ws9,{DEVICES}",
    f"cn=dicom-ws9,dicomDeviceName=ws9,{DEVICES}",
    f"cn=spare,dicomDeviceName=longterm,{DEVICES}",
    f"dicomDeviceName=storescp,{DEVICES}",
    f"dicomDeviceName=dcm4chee-arc,{DEVICES}",
}


def test_check_finds_the_snapshot_intact_and_loadable(run: Run) -> None:
    checked = run("snapshot", SNAPSHOT, "--check")
    assert (checked.exit_code, checked.stderr) == (0, "")
    facts = json.loads(run("snapshot", SNAPSHOT, "--check", "--json").stdout)
    assert (facts["created_with"], facts["base_dn"]) == ("dcmcfg 0.1.0", "dc=dcm4che,dc=org")
    assert facts["entry_count"] == len(octets(before()))
    assert (facts["loadable"], facts["error_count"]) == (True, 0)


def test_one_changed_octet_is_refused(holding: Holding, run: Run, tmp_path: Path) -> None:
    site = holding(after())
    damaged = tmp_path / "damaged.snapshot"
    damaged.write_bytes(Path(SNAPSHOT).read_bytes().replace(b"Storage SCP\n", b"Storage SCU\n", 1))
    for arguments in (("restore", str(damaged), "--yes"), ("snapshot", str(damaged), "--check")):
        assert run(*arguments).exit_code in (1, 3)
    assert site.octets() == octets(after())


def test_restore_shows_its_plan_then_makes_the_directory_equal_and_is_undone(holding: Holding, run: Run) -> None:
    site = holding(after())
    shown = run("restore", SNAPSHOT, "--dry-run")
    assert shown.exit_code == 0
    assert site.octets() == octets(after())
    assert "not-a-real-pin" not in shown.stdout
    assert shown.stdout.startswith(site.headline)
    assert "1 to add, 2 to change, 2 to delete" in shown.stdout

    restored = run("restore", SNAPSHOT, "--yes")
    assert restored.exit_code == 0, restored.stderr
    assert site.octets() == octets(before())
    assert site.archive.reloads == 1
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == octets(after())


def test_restore_changes_nothing_where_the_directory_is_equal(holding: Holding, run: Run) -> None:
    site = holding(before())
    unchanged = run("restore", SNAPSHOT, "--yes")
    assert unchanged.exit_code == 0
    assert site.octets() == octets(before())
    assert site.archive.reloads == 0
    assert json.loads(run("history", "--json").stdout)["rollouts"] == []


def test_restore_fills_an_empty_directory(holding: Holding, run: Run) -> None:
    base = before().partition("\n\n")[0] + "\n"
    site = holding(base)
    restored = run("restore", SNAPSHOT, "--yes", "--force-many-changes")
    assert restored.exit_code == 0, restored.stderr
    assert site.octets() == octets(before())


def test_diff_shows_what_has_changed_since(holding: Holding, run: Run) -> None:
    holding(after())
    different = run("diff", SNAPSHOT, "live", "--json")
    assert (different.exit_code, different.stderr) == (1, "")
    assert all(f'"{dn}"' in different.stdout for dn in CHANGED - {f"dicomDeviceName=dcm4chee-arc,{DEVICES}"})
    with_secrets = run("diff", SNAPSHOT, "live", "--with-secrets", "--json")
    assert with_secrets.exit_code == 1
    assert all(f'"{dn}"' in with_secrets.stdout for dn in CHANGED)


def test_diff_with_the_same_tree_is_empty(holding: Holding, run: Run) -> None:
    holding(before())
    for other in ((), (str(PLANS / "before.ldif"),)):
        compared = run("diff", SNAPSHOT, *other, "--with-secrets")
        assert (compared.exit_code, compared.stderr) == (0, "")


def test_it_loads_as_ldif_without_dcmcfg(holding: Holding) -> None:
    entries = octets(Path(SNAPSHOT).read_text("utf-8"))
    assert holding(Path(SNAPSHOT).read_text("utf-8")).octets() == entries == octets(before())
