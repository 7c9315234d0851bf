"""``dcmcfg upgrade apply`` and ``dcmcfg upgrade gap`` on a real directory server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import CliSite, attributes
from tests.cli.test_upgrade import hospital, options_to_target
from tests.upgrade.customised import Releases

__all__ = ["hospital"]


def make_plan(run: Run, releases: Releases, path: Path, *more: str) -> Path:
    planned = run("upgrade", "plan", *options_to_target(releases, *more), "-o", str(path))
    assert planned.exit_code == 0, planned.stderr
    return path


@pytest.mark.real
def test_the_applied_plan_is_checked_and_only_the_gap_is_left(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    before = hospital.octets()
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    dry = run("upgrade", "apply", str(plan), "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert hospital.octets() == before

    applied = run("upgrade", "apply", str(plan), "--yes", "--no-reload")

    assert applied.exit_code == 0, applied.stderr
    assert "still change" not in applied.stderr
    assert "warning: the archive is started." in applied.stderr
    target = releases.find_folder("5.33.1")
    assert f"  dcmcfg upgrade gap --to {target}\n" in applied.stdout.replace("--profile test ", "")
    (snapshot,) = [line.removeprefix("snapshot: ") for line in applied.stdout.splitlines() if line[:9] == "snapshot:"]
    assert Path(snapshot).stat().st_mode & 0o777 == 0o600

    # Only what no update file makes is left.
    folders = options_to_target(releases)
    gap_plan = tmp_path / "gap.ldif"
    listed = run("upgrade", "gap", *folders, "-o", str(gap_plan))
    assert (listed.exit_code, listed.stderr) == (1, "")
    assert listed.stdout.splitlines()[:2] == [
        "Entries that a new installation has (additions): 1 entry",
        "  dcmuiPermissionName=Action - Storage Verification - Single Action,dcmuiConfigName=default,"
        "dicomDeviceName=dcm4chee-arc",
    ]
    applied = run("upgrade", "apply", str(gap_plan), "--yes", "--no-reload")
    assert applied.exit_code == 0, applied.stderr
    fresh_tree = releases.build("hospital", "5.33.1", clones_like="5.31.0")
    assert hospital.octets() == {str(each.dn): attributes(each) for each in fresh_tree.entries.values()}
    none = run("upgrade", "gap", *folders)
    assert (none.exit_code, none.stdout) == (0, "no differences from a new installation\n")

    restored = run("restore", snapshot, "--yes", "--no-reload")
    assert restored.exit_code == 0, restored.stderr
    assert hospital.octets() == before


@pytest.mark.real
def test_an_applied_plan_after_which_something_is_left_is_reported(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    text = plan.read_text("utf-8")
    head, *changes = text.split("\n\n")
    (removed,) = [each for each in changes if each.startswith("dn: dicomAETitle=AS_RECEIVED,dicomDeviceName")]
    plan.write_text("\n\n".join((head, *(each for each in changes if each != removed))), "utf-8")

    applied = run("upgrade", "apply", str(plan), "--yes", "--no-reload")

    assert applied.exit_code == 1
    assert "a new plan of the same upgrade would still change dicomAETitle=AS_RECEIVED," in applied.stderr


def test_a_file_that_is_not_the_plan_of_an_upgrade_is_refused(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.ldif"
    other.write_text("version: 1\n\ndn: dc=org\nchangetype: delete\n")
    refused = run("upgrade", "apply", str(other), "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "this file is not the plan of an upgrade" in refused.stderr
    missing = run("upgrade", "apply", str(tmp_path / "missing.ldif"), "--yes")
    assert (missing.exit_code, missing.stdout) == (3, "")
    damaged = tmp_path / "damaged.ldif"
    damaged.write_text('version: 1\n# dcmcfg upgrade: {"from": 1}\n\n')
    assert "is damaged" in run("upgrade", "apply", str(damaged), "--yes").stderr


def test_without_the_earlier_release_the_own_changes_are_among_the_differences(run: Run, releases: Releases) -> None:
    folders = ("--to", str(releases.find_folder("5.33.1")), "--tree", str(releases.build_file("trimmed", "5.33.1")))
    listed = json.loads(run("upgrade", "gap", *folders, "--json").stdout)
    assert listed["own_changes_included"] is True
    assert any("dicomDeviceName=storescp" in each["dn"] for each in listed["differences"])
    assert {each["kind"] for each in listed["differences"]} == {"additions"}
    refused = run("upgrade", "gap", *folders, "-o", "plan.ldif")
    assert refused.exit_code == 2
    assert "--output requires --from" in refused.stderr
    pristine = str(releases.build_file("pristine", "5.33.1"))
    none = run("upgrade", "gap", "--to", str(releases.find_folder("5.33.1")), "--tree", pristine)
    assert (none.exit_code, none.stdout) == (0, "no differences from a new installation\n")


def test_a_gap_is_refused_before_the_upgrade(run: Run, releases: Releases) -> None:
    tree = str(releases.build_file("pristine", "5.31.0"))
    refused = run("upgrade", "gap", *options_to_target(releases, "--tree", tree))
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "the official changes of 5.33.1 are not complete: 353 entries must change" in refused.stderr
