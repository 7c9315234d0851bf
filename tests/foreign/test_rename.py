"""A rename on another server: what is below the entry comes along, or dcmcfg reports that it did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.cli.restore import restore_command
from tests.cli.conftest import Run
from tests.cli.sites import every_risk
from tests.foreign.server389 import Server389
from tests.sampling import sample

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"


def below(server: Server389, name: str) -> int:
    """How many entries the device *name*, spelt so, and all below it are."""
    return sum(f",{dn}".endswith(f",dicomDeviceName={name},{DEVICES}") for dn in server.entries())


def orphans(run: Run) -> list[str]:
    findings = json.loads(run("check", "--json").stdout)["findings"]
    return [each["dn"] for each in findings if each["rule"] == "parent-missing"]


@pytest.mark.parametrize("name", sample(["other", "STORESCP"], 0.5))
def test_a_subtree_that_389_directory_server_splits_is_reported_and_comes_back(
    server389: Server389, run: Run, tmp_path: Path, name: str
) -> None:
    """It moves a part of the entries below, in 2.3.1; of a name in another case, it spells a part of them anew."""
    snapshot, file = str(tmp_path / "snapshot"), tmp_path / "rename.ldif"
    assert run("snapshot", snapshot).exit_code == 0
    before, count = server389.entries(), below(server389, "storescp")
    file.write_text(f"dn: {STORESCP}\nchangetype: modrdn\nnewrdn: dicomDeviceName={name}\ndeleteoldrdn: 1\n")
    renamed = run("apply", str(file), "--yes", "--force-unloadable")
    assert (renamed.exit_code, 0 < below(server389, name) < count) == (4, True), renamed.stderr
    assert (
        f"dicomDeviceName={name},{DEVICES}: the values on the server differ from the planned values\n" in renamed.stderr
    )
    assert bool(orphans(run)) == (name == "other")
    run("undo", "--yes")
    left = orphans(run)
    if left:
        refused = run("restore", snapshot, "--yes", *every_risk(restore_command))
        assert (refused.exit_code, refused.stderr.count("to delete the entry without an undo: ldapdelete ")) == (3, 1)
    for dn in left:
        assert server389.run_client("ldapdelete", dn).returncode == 0
    restored = run("restore", snapshot, "--yes", *every_risk(restore_command))
    assert restored.exit_code == 0, restored.stderr
    assert server389.entries().keys() == before.keys()
