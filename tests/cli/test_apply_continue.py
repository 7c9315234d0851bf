"""``dcmcfg apply --continue``: what fits is applied, what does not is written to a file that can be mended."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NOT_CONFIRMED, CliSite, undo_files

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
GOOD = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: fits\n\n"
WRONG = f"dn: cn=nowhere,{ARCHIVE_DN}\nchangetype: modify\nreplace: dicomPort\ndicomPort: 104\n\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_what_fits_is_applied_and_the_rest_is_mended_and_applied(run: Run, site: CliSite, tmp_path: Path) -> None:
    file, rejects = written(tmp_path / "in.ldif", GOOD + WRONG), tmp_path / "in.rejects.ldif"
    result = run("apply", str(file), "--continue", "--yes")
    assert result.exit_code == 1
    reason = f"{file}:6: cn=nowhere,{ARCHIVE_DN}: there is no such entry — nearest existing entry: {ARCHIVE_DN}"
    assert result.stderr == f"warning: rejected: {reason}\n"
    assert f"\nRejected: 1. Fix the rejected items in {rejects}\n{NOT_CONFIRMED}\n" in result.stdout
    assert site.values("dicomDescription") == ("fits",)
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    text = rejects.read_text()
    assert text.startswith(f"version: 1\n# dcmcfg-format: 2\n# dcmcfg rejects for {site.headline}\n")
    assert WRONG.rstrip() in text.replace("\n ", "")
    assert "there is no such entry" in " ".join(text.replace("\n# ", " ").split())
    rejects.write_text(text.replace("cn=nowhere", "cn=dicom"))
    fixed = run("apply", str(rejects), "--yes")
    assert (fixed.exit_code, fixed.stderr) == (
        0,
        "warning: the reload closes a port of the archive and opens the port again (cn=dicom). If the port stays "
        "closed "
        "('Address already in use'), dcmcfg repeats the reload once\n",
    )
    assert site.values("dicomPort", f"cn=dicom,{ARCHIVE_DN}") == ("104",)


def test_json_names_what_was_left_out_and_where_it_is(run: Run, site: CliSite, tmp_path: Path) -> None:
    file, rejects = written(tmp_path / "in.ldif", GOOD + WRONG), tmp_path / "mine.ldif"
    result = run("apply", str(file), "--continue", "--rejects", str(rejects), "--yes", "--json")
    assert result.exit_code == 1
    content = json.loads(result.stdout)
    assert content["changed"] is True
    assert content["rejects_file"] == str(rejects)
    assert content["rejected"] == [
        {"location": f"{file}:6", "dn": f"cn=nowhere,{ARCHIVE_DN}", "reason": "there is no such entry"}
    ]


def test_when_everything_fits_there_is_no_file(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "in.ldif", GOOD)
    assert run("apply", str(file), "--continue", "--yes").exit_code == 0
    assert list(tmp_path.glob("*.ldif")) == [file]


def test_when_nothing_fits_it_is_only_written_down(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = written(tmp_path / "in.ldif", WRONG)
    result = run("apply", str(file), "--continue", "--yes")
    assert result.exit_code == 1
    assert result.stdout.endswith(f"Rejected: 1. Fix the rejected items in {tmp_path}/in.rejects.ldif\nNo changes.\n")
    assert site.octets() == before
    assert undo_files() == []


def test_a_file_that_is_there_is_not_overwritten(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file, rejects = written(tmp_path / "in.ldif", GOOD + WRONG), written(tmp_path / "in.rejects.ldif", "mine")
    result = run("apply", str(file), "--continue", "--yes")
    assert result.exit_code == 3
    assert "1 to change, in one change\n" in result.stdout, "the plan comes first"
    assert result.stderr.endswith(
        f"dcmcfg: {rejects}: the rejects file already exists, and its content differs from the new rejects; nothing "
        "was changed\n"
        f"  next: if you have fixed the records in {rejects}, run the command with this file as FILE. If not, remove "
        f"{rejects}, or specify a different file with --rejects\n"
    )
    assert rejects.read_text() == "mine"
    assert run("apply", str(file), "--continue", "--dry-run").exit_code == 1
    assert site.octets() == before
    rejects.unlink()
    for _ in range(2):  # what an earlier run has written is left as it is
        assert run("apply", str(file), "--continue", "--yes").exit_code == 1
    without_number = rejects.read_text().replace("# dcmcfg-format: 2\n", "")
    assert without_number != rejects.read_text()
    rejects.write_text(without_number)  # as a dcmcfg without format numbers has written it
    assert run("apply", str(file), "--continue", "--yes").exit_code == 1
    assert rejects.read_text() == without_number


def test_rejects_that_cannot_be_written_change_nothing(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file, rejects = written(tmp_path / "in.ldif", GOOD + WRONG), tmp_path / "none" / "r.ldif"
    result = run("apply", str(file), "--continue", "--rejects", str(rejects), "--yes")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        f"dcmcfg: {rejects}: the rejects file cannot be written (No such file or directory)\n"
    )
    assert site.octets() == before


def test_a_dry_run_writes_nothing(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "in.ldif", GOOD + WRONG)
    result = run("apply", str(file), "--continue", "--dry-run")
    assert result.exit_code == 1
    assert "warning: rejected: " in result.stderr
    assert list(tmp_path.glob("*.ldif")) == [file]


def test_what_the_server_refuses_leaves_no_rejects_behind(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    device = f"dicomDeviceName=storescp,{DEVICES}"
    refused = f"dn: {device}\nchangetype: modify\nreplace: dicomInstalled\ndicomInstalled: maybe\n\n"
    file = written(tmp_path / "in.ldif", GOOD + refused + WRONG)
    result = run("apply", str(file), "--continue", "--yes")
    assert result.exit_code == 3
    assert "LDAP result 21" in result.stderr
    assert list(tmp_path.glob("*.ldif")) == [file]
    assert site.octets() == before


def test_what_moved_is_left_out_with_who_moved_it(run: Run, site: CliSite, tmp_path: Path) -> None:
    plan = tmp_path / "plan.ldif"
    assert run("set-external-retrieve", "DCM4CHEE", "--dry-run", "--out", str(plan)).exit_code == 0
    assert run("set-external-retrieve", "AS_RECEIVED", "--yes", "--force-unusable-reference").exit_code == 0
    result = run("apply", str(plan), "--continue", "--yes")
    assert result.exit_code == 1
    assert f"(expected none, found 'AS_RECEIVED'); {site.slapd.bind_dn} changed the entry last" in result.stderr
    again = run("apply", str(tmp_path / "plan.rejects.ldif"), "--yes")
    assert again.exit_code == 3  # it asserts what it asserted


def test_standard_input_needs_a_name_for_the_rejects(run: Run, site: CliSite, tmp_path: Path) -> None:
    assert run("apply", "-", "--continue", "--yes", input=WRONG).exit_code == 2
    assert run("apply", "-", "--rejects", "x", input=WRONG).exit_code == 2
    rejects = tmp_path / "r.ldif"
    assert run("apply", "-", "--continue", "--rejects", str(rejects), "--yes", input=WRONG).exit_code == 1
    assert rejects.exists()


def test_text_that_is_not_ldif_is_refused_as_ever(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "in.ldif", GOOD + "cn: no dn\n")
    assert run("apply", str(file), "--continue", "--yes").exit_code == 3
    assert list(tmp_path.glob("*.ldif")) == [file]
