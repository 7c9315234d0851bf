"""Risks that a changing command refuses unless they are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dcmcfg.cli.command_loader import load_command
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite, undo_files

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
VENDOR = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomVendorData\ndicomVendorData:: AAEC\n"
NO_CONNECTION = f"dn: cn=dicom,{ARCHIVE_DN}\nchangetype: delete\n\n"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_risk_is_refused_by_name_and_taken_by_name(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = written(tmp_path / "vendor.ldif", VENDOR)
    refused = run("apply", file, "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"dcmcfg: the plan is refused: vendor-data: dicomVendorData would change: {ARCHIVE_DN}\n"
        "  next: to apply the plan anyway: --force-vendor-data\n"
    )
    assert site.octets() == before
    assert run("apply", file, "--yes", "--force-many-changes").exit_code == 3
    forced = run("apply", file, "--yes", "--force-vendor-data")
    assert forced.exit_code == 0
    assert forced.stderr == f"warning: vendor-data: dicomVendorData would change: {ARCHIVE_DN}\n"
    (undo,) = undo_files()
    undo_result = run("apply", str(undo), "--yes")  # as it was printed
    assert (undo_result.exit_code, undo_result.stderr) == (0, forced.stderr)
    assert site.octets() == before
    elsewhere = shutil.copy(undo_files()[-1], tmp_path / "copy.ldif")
    assert run("apply", str(elsewhere), "--yes").exit_code == 3


def test_a_dry_run_shows_the_plan_and_its_risks(run: Run, site: CliSite, tmp_path: Path) -> None:
    file, plan = written(tmp_path / "vendor.ldif", VENDOR), tmp_path / "plan.ldif"
    result = run("apply", file, "--dry-run", "--out", str(plan))
    assert result.exit_code == 1
    assert result.stdout.endswith(f"\n1 to change, in one change\nplan: {plan}\n")
    assert result.stderr == (
        f"warning: vendor-data: dicomVendorData would change: {ARCHIVE_DN}; this requires --force-vendor-data\n"
        "dcmcfg: dry run: the plan would be refused without --force-vendor-data\n"
    )
    plan.unlink()
    accepted = run("apply", file, "--dry-run", "--force-vendor-data", "--out", str(plan))
    assert accepted.stdout.endswith(f"plan: {plan}\nTo apply it: dcmcfg apply {plan} --force-vendor-data\n")
    assert (accepted.exit_code, "would be refused" in accepted.stderr) == (0, False)
    assert run("apply", str(plan), "--yes").exit_code == 3  # the reviewed plan is no way around it
    in_json = run("apply", file, "--dry-run", "--json")
    description = "dicomVendorData would change"
    assert in_json.exit_code == 1
    assert json.loads(in_json.stdout)["risks"] == [
        {"name": "vendor-data", "message": description, "entries": [ARCHIVE_DN], "forced": False}
    ]


def test_several_risks_are_told_together(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    result = run("apply", written(tmp_path / "both.ldif", NO_CONNECTION + VENDOR), "--yes")
    every = result.stderr.splitlines()
    lines = [line for line in every if not line.startswith("warning: ")]
    lint_rules = sorted(line.rpartition("(rule: ")[2] for line in every if line not in lines)
    assert lint_rules == ["exporter-cannot-connect)", "tls-mismatch)"], "no AE of the archive has a connection any more"
    assert (result.exit_code, lines[0]) == (3, "dcmcfg: the plan is refused:")
    reference = f": dicomNetworkConnectionReference 'cn=dicom,{ARCHIVE_DN}': the entry does not exist"
    assert lines[1] == f"  vendor-data: dicomVendorData would change: {ARCHIVE_DN}"
    assert lines[2] == f"  unloadable: the archive cannot load {len(lines) - 4} settings"
    assert all("both.ldif:1: dicomAETitle=" in line and reference in line for line in lines[3:-1])
    assert lines[-1] == (
        "  next: correct dicomNetworkConnectionReference (dcmcfg explain dicomNetworkConnectionReference); "
        "to apply the plan anyway: --force-vendor-data --force-unloadable"
    )
    assert site.octets() == before


def test_the_archives_device_is_not_pruned_away(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    exported = run("export-ldif", "--device", "storescp").stdout
    file = written(tmp_path / "storescp.ldif", exported)
    result = run("apply", file, "--prune", "--under", DEVICES, "--yes")
    assert result.exit_code == 3
    assert f"\n  archive-device: the archive's own device would be deleted or renamed: {ARCHIVE_DN}\n" in result.stderr
    assert "\n  many-deletes: " in result.stderr
    assert site.octets() == before


def test_renaming_the_archives_device_needs_its_name(run: Run, site: CliSite, tmp_path: Path) -> None:
    text = f"dn: {ARCHIVE_DN}\nchangetype: modrdn\nnewrdn: dicomDeviceName=other\ndeleteoldrdn: 1\n"
    file = written(tmp_path / "rename.ldif", text)
    assert "archive-device: " in run("apply", file, "--yes").stderr
    done = run("apply", file, "--yes", "--force-archive-device", "--force-dangling-reference")
    assert done.exit_code == 0, done.stderr
    assert ARCHIVE_DN not in site.octets()


def test_every_changing_command_names_the_risks_in_its_help(run: Run) -> None:
    def list_options(page: str) -> list[str]:
        section = page.partition("Safety overrides:\n")[2].partition("\n\n")[0]
        return [line.split()[0] for line in section.splitlines() if line.lstrip().startswith("--")]

    risks = list_options(run("help", "safety-overrides").stdout)
    assert risks == [
        "--force-many-changes",
        "--force-many-deletes",
        "--force-archive-device",
        "--force-recorded-studies",
        "--force-stored-objects",
        "--force-dangling-reference",
        "--force-vendor-data",
        "--force-unloadable",
        "--force-unusable-reference",
        "--force-server-schema",
    ]
    for command in ("apply", "set-external-retrieve"):
        page = run(command, "--help").stdout
        assert list_options(page) == (["--force-overwrite"] if command == "apply" else [])
        assert "\n  dcmcfg help safety-overrides " in page
        assert {option for each in load_command(command).params for option in each.opts} >= {*risks}


def test_the_title_of_an_unknown_ae_is_refused_with_its_line(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(
        tmp_path / "fallback.ldif",
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmFallbackCMoveSCP\ndcmFallbackCMoveSCP: LONGTERN\n",
    )
    before = site.octets()
    refused = run("apply", file, "--yes")
    assert (refused.exit_code, site.octets()) == (3, before)
    assert f"    {file}:4: {ARCHIVE_DN}: dcmFallbackCMoveSCP 'LONGTERN': no AE has the title LONGTERN" in refused.stderr
