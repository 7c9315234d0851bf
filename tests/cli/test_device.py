"""``dcmcfg device`` on the archive's own default configuration."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, CliSite

pytestmark = pytest.mark.real


def test_a_device_is_created_cloned_and_removed(run: Run, stock_site: CliSite) -> None:
    before = stock_site.octets()
    created = run("device", "create", "ct-1", "--description", "CT, room 3", "--type", "CT", "--yes")
    assert (created.exit_code, created.stderr) == (0, "")
    assert stock_site.octets()[f"dicomDeviceName=ct-1,{DEVICES}"] == {
        "objectclass": {b"dicomDevice", b"dcmDevice"},
        "dicomdevicename": {b"ct-1"},
        "dicomdescription": {b"CT, room 3"},
        "dicomprimarydevicetype": {b"CT"},
        "dicominstalled": {b"TRUE"},
    }
    assert "No changes." in run("device", "create", "CT-1").stdout
    assert run("device", "remove", "ct-1", "--yes").exit_code == 0
    assert stock_site.octets() == before

    refused = run("device", "clone", "storescp", "store2", "--yes")
    assert (refused.exit_code, refused.stdout, refused.stderr) == (
        3,
        "",
        "dcmcfg: the copy cannot use these names, because the names must be unique: AE STORESCP\n"
        "  next: specify a suffix for all names with --suffix TEXT, or specify each name: --ae STORESCP=NEW\n",
    )
    cloned = run("device", "clone", "storescp", "store2", "--ae", "STORESCP=STORE2", "--yes")
    assert cloned.exit_code == 0
    assert cloned.stderr == (
        "warning: the copy has the same addresses as storescp (dicom localhost:11117). To change an address: dcmcfg "
        "connection set store2/NAME HOST:PORT\n"
    )
    there = stock_site.octets()
    new, old = f"dicomDeviceName=store2,{DEVICES}", f"dicomDeviceName=storescp,{DEVICES}"
    assert len([dn for dn in there if dn.endswith(new)]) == len([dn for dn in before if dn.endswith(old)])
    assert there[f"dicomAETitle=STORE2,{new}"]["dicomnetworkconnectionreference"] == {f"cn=dicom,{new}".encode()}
    assert {dn: there[dn] for dn in before} == before
    assert run("undo", "--yes").exit_code == 0
    assert stock_site.octets() == before


def test_the_archive_is_cloned_whole_and_its_device_removed_by_name_only(run: Run, stock_site: CliSite) -> None:
    before = stock_site.octets()
    names = ("--suffix", "2", "--ae", "AS_RECEIVED=AS_RECEIVED2", "--ae", "IOCM_REGULAR_USE=IOCM_REGULAR2")
    cloned = run("device", "clone", "dcm4chee-arc", "arc2", *names, "--yes")
    assert cloned.exit_code == 0, cloned.stderr
    there = stock_site.octets()
    assert not [
        (dn, name, value)
        for dn in there.keys() - before.keys()
        for name, values in there[dn].items()
        for value in values
        if b"dicomDeviceName=dcm4chee-arc" in value or value in (b"DCM4CHEE", b"AS_RECEIVED", b"WORKLIST")
    ]
    removed = run("device", "remove", "arc2", "--yes")
    assert removed.exit_code == 3, "it is an archive, whatever its name"
    assert "--force-archive-device" in removed.stderr
    forced = ("--force-archive-device", "--force-vendor-data", "--force-many-deletes", "--yes")
    assert run("device", "remove", "arc2", *forced).exit_code == 0
    assert stock_site.octets() == before

    refused = run("device", "remove", "dcm4chee-arc", "--yes")
    assert refused.exit_code == 3
    assert f"archive-device: the archive's own device would be deleted or renamed: {ARCHIVE_DN}" in refused.stderr
    assert stock_site.octets() == before
