"""``--allow-file-urls``: the octets of the file reach the directory, and without the option nothing is read."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite, undo_files

pytestmark = pytest.mark.real

#: Vendor data is a risk that has to be named.
TAKEN = "--force-vendor-data"
ZIP = b"PK\x05\x06" + bytes(range(256)) * 100
UPDATE = f"""\
version: 1

dn: {ARCHIVE_DN}
changetype: modify
replace: dicomVendorData
dicomVendorData:< file:vendor-data.zip
-
"""
CONTENT = f"""\
dn: {ARCHIVE_DN}
objectClass: dicomDevice
objectClass: dcmDevice
objectClass: dcmArchiveDevice
dicomDeviceName: dcm4chee-arc
dicomInstalled: TRUE
dcmFuzzyAlgorithmClass: org.dcm4che3.soundex.ESoundex
dicomVendorData:< file:vendor-data.zip
"""


@pytest.fixture
def update(tmp_path: Path) -> Path:
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "vendor-data.zip").write_bytes(ZIP)
    file = tmp_path / "release" / "update.ldif"
    file.write_text(UPDATE)
    return file


def vendor_data(site: CliSite) -> frozenset[bytes]:
    return site.octets()[ARCHIVE_DN].get("dicomvendordata", frozenset())


def test_apply_reads_the_file_beside_the_ldif_and_the_undo_takes_it_back(run: Run, site: CliSite, update: Path) -> None:
    before = site.octets()
    done = run("apply", "--allow-file-urls", str(update), "--yes", TAKEN)
    assert done.exit_code == 0, done.stderr
    assert vendor_data(site) == {ZIP}
    assert run("apply", str(undo_files()[-1]), "--yes").exit_code == 0
    assert site.octets() == before


def test_ldapmodify_in_that_folder_leaves_the_same_value(run: Run, site: CliSite, update: Path) -> None:
    identity = ("-x", "-H", site.slapd.url, "-D", site.slapd.bind_dn, "-w", site.slapd.password)
    subprocess.run(["/usr/bin/ldapmodify", *identity, "-f", update.name], cwd=update.parent, check=True)
    assert vendor_data(site) == {ZIP}
    again = run("apply", "--allow-file-urls", str(update), "--dry-run")
    assert again.exit_code == 0
    assert run("apply", "--allow-file-urls", str(update), "--yes").exit_code == 0
    assert vendor_data(site) == {ZIP}


def test_without_the_option_nothing_is_read_and_nothing_changes(run: Run, site: CliSite, update: Path) -> None:
    before = site.octets()
    refused = run("apply", str(update), "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"dcmcfg: {update}:6: dicomVendorData: the value is in another file, and dcmcfg does not read that file: "
        "file:vendor-data.zip\n"
        "  next: to read files in the folder of the LDIF file: --allow-file-urls; to read files in the folder DIR: "
        "--file-urls-from DIR\n"
    )
    assert site.octets() == before


def test_a_file_that_is_not_there_refuses_the_whole_ldif(run: Run, site: CliSite, update: Path) -> None:
    before = site.octets()
    (update.parent / "vendor-data.zip").unlink()
    refused = run("apply", "--allow-file-urls", str(update), "--yes")
    assert refused.exit_code == 3
    assert f"{update}:6: dicomVendorData: {update.parent}/vendor-data.zip: cannot read the file" in refused.stderr
    assert site.octets() == before


def test_standard_input_needs_a_folder_to_read_from(run: Run, site: CliSite, update: Path) -> None:
    refused = run("apply", "--allow-file-urls", "-", "--yes", input=io.BytesIO(UPDATE.encode()))
    assert refused.exit_code == 3
    assert "standard input has no folder, so the path cannot be relative" in refused.stderr
    named = ("--file-urls-from", str(update.parent))
    assert run("apply", *named, "-", "--yes", TAKEN, input=io.BytesIO(UPDATE.encode())).exit_code == 0
    assert vendor_data(site) == {ZIP}


def test_an_official_update_takes_the_file_one_folder_up(run: Run, site: CliSite, update: Path) -> None:
    (update.parent / "vendor-data.zip").rename(update.parent.parent / "vendor-data.zip")
    refused = run("apply", "--allow-file-urls", str(update), "--dry-run")
    assert refused.exit_code == 3
    above = update.parent.parent
    assert refused.stderr.endswith(f"to read {above}/vendor-data.zip: --file-urls-from {above}\n")
    assert run("apply", "--file-urls-from", str(above), str(update), "--yes", TAKEN).exit_code == 0
    assert vendor_data(site) == {ZIP}


def test_check_and_diff_take_the_option_too(run: Run, update: Path) -> None:
    content = update.with_name("device.ldif")
    content.write_text(CONTENT)
    plain = update.with_name("plain.ldif")
    plain.write_text(CONTENT.replace("dicomVendorData:< file:vendor-data.zip\n", ""))
    for command in (("check", str(content)), ("diff", str(plain), str(content), "--with-secrets")):
        refused = run(*command)
        assert refused.exit_code == 3
        assert f"{content}:8: dicomVendorData: the value is in another file" in refused.stderr
        assert "--allow-file-urls" in refused.stderr
    assert run("check", "--allow-file-urls", str(content)).exit_code in (0, 1)
    found = run("diff", "--allow-file-urls", str(plain), str(content), "--with-secrets", "--json")
    assert found.exit_code == 1
    (change,) = json.loads(found.stdout)["changes"]
    assert [each["name"] for each in change["attributes"]] == ["dicomVendorData"]


def test_no_file_is_opened_that_the_ldif_does_not_name(run: Run, site: CliSite, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    file = tmp_path / "hostile.ldif"
    file.write_text(UPDATE.replace("file:vendor-data.zip", "file:pipe"))
    refused = run("apply", "--allow-file-urls", str(file), "--yes")
    assert refused.exit_code == 3
    assert f"{pipe}: not a regular file" in refused.stderr
