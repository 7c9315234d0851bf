"""``dcmcfg apply`` with a file that holds entries and change records: refused without ``--mixed``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
NEW = f"dicomDeviceName=new,{DEVICES}"
CHANGE = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: changed\n-\n\n"
LOST = f"dn: {NEW}\nobjectClass: dicomDevice\ndicomDeviceName: new\ndicomInstalled: TRUE\n\n"
STEP = "  next: add a missing 'changetype:' line; or use --mixed to accept entries and changes in one file\n"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_an_entry_among_changes_is_refused_before_anything_is_read_or_written(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    before = site.octets()
    file = written(tmp_path / "update.ldif", CHANGE + LOST)
    result = run("apply", file, "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    entry = (
        "this record is an entry (no 'changetype:'), but the file also contains change records; entries in the file: 1"
    )
    assert result.stderr == f"dcmcfg: {file}:7: {entry}\n{STEP}"
    assert site.slapd.run_client("ldapmodify", "-n", "-f", file).returncode != 0
    assert site.octets() == before


def test_a_change_among_entries_is_refused_too(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = written(
        tmp_path / "entries.ldif", LOST + LOST.replace("=new,", "=newer,").replace(": new", ": newer") + CHANGE
    )
    result = run("apply", file, "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {file}:11: this record is a change, but the file also contains entries; change records in "
        "the file: 1\n"
        "  next: move the change records to a separate file; or use --mixed to accept entries and changes in one file\n"
    )
    assert site.octets() == before


def test_mixed_accepts_both_kinds_in_one_file(run: Run, site: CliSite, tmp_path: Path) -> None:
    result = run("apply", "--mixed", written(tmp_path / "both.ldif", CHANGE + LOST), "--yes")
    assert result.exit_code == 0, result.stderr
    assert NEW in site.octets()
    assert site.octets()[ARCHIVE_DN]["dicomdescription"] == {b"changed"}


def test_the_rejects_of_both_kinds_of_file_name_the_option_that_takes_them(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    missing = f"dn: cn=x,dicomDeviceName=missing,{DEVICES}"
    entry = written(
        tmp_path / "entry.ldif", f"{missing}\nobjectClass: dicomNetworkConnection\ncn: x\ndicomHostname: h\n"
    )
    change = written(tmp_path / "change.ldif", f"{missing}\nchangetype: modify\nreplace: dicomHostname\n-\n")
    assert run("apply", "--continue", entry, change, "--yes").exit_code == 1
    rejects = tmp_path / "entry.rejects.ldif"
    assert "\n# This file contains entries and changes: apply the file with --mixed.\n" in rejects.read_text()
    assert "this record is an entry (no 'changetype:')" in run("apply", str(rejects)).stderr
    assert "2 of 2 changes cannot be applied" in run("apply", "--mixed", str(rejects)).stderr
