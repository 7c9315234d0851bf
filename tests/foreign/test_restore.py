"""Restore and undo on servers that keep values in a form of their own, and have no entryCSN or no assertion control."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.files.trees import parse_ldif_tree
from dcmcfg.lab.tree import list_site_files
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.snapshot.file import Snapshot, SnapshotFacts, format_snapshot
from tests.cli.conftest import Run
from tests.foreign.apacheds import TREE, ApacheDS
from tests.foreign.server389 import Server389
from tests.sampling import LONG

pytestmark = pytest.mark.real

BASE_DN = "dc=dcm4che,dc=org"
ARCHIVE = f"dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,{BASE_DN}"
#: What somebody does to the archive's device: a change of case, another class, vendor data, one more entry.
CHANGES = f"""\
dn: {ARCHIVE}
changetype: modify
replace: dicomManufacturer
dicomManufacturer: SOMEBODY
-
replace: dicomVendorData
dicomVendorData:: AAE=

dn: cn=dicom,{ARCHIVE}
changetype: modify
replace: dicomHostname
dicomHostname: LOCALHOST

dn: cn=new,{ARCHIVE}
changetype: add
objectClass: dicomNetworkConnection
cn: new
dicomHostname: localhost

"""
RESTORED = ("--yes", "--force-vendor-data")


def vendor_data(server: Server389 | ApacheDS, octets: str) -> None:
    change = f"dn: {ARCHIVE}\nchangetype: modify\nreplace: dicomVendorData\ndicomVendorData:: {octets}\n"
    assert server.run_client("ldapmodify", text=change).returncode == 0


def held(server: Server389 | ApacheDS) -> dict[str, dict[str, frozenset[bytes]]]:
    return {dn: attributes(entry) for dn, entry in server.entries().items()}


def attributes(entry: Entry) -> dict[str, frozenset[bytes]]:
    return {one.name.lower(): frozenset(one.values) for one in entry.attributes}


def check_restore(server: Server389 | ApacheDS, run: Run, snapshot: str) -> None:
    """What *snapshot* of another server says is so already; what somebody changes since comes back, once."""
    assert "No changes." in run("restore", snapshot, "--yes").stdout
    before = held(server)
    assert server.run_client("ldapmodify", text=CHANGES).returncode == 0
    restored = run("restore", snapshot, *RESTORED)
    assert restored.exit_code == 0, restored.output
    assert held(server) == before
    assert "No changes." in run("restore", snapshot, "--yes").stdout


def check_undo(server: Server389 | ApacheDS, run: Run, tmp_path: Path) -> None:
    """An undo of vendor data, also as a plan in a file, does not overwrite what somebody made of them since."""
    file, plan = tmp_path / "new.ldif", tmp_path / "plan.ldif"
    file.write_text(f"dn: {ARCHIVE}\nchangetype: modify\nreplace: dicomVendorData\ndicomVendorData:: AAI=\n")
    before = held(server)
    assert run("apply", str(file), *RESTORED).exit_code == 0
    assert run("undo", "--dry-run", "--out", str(plan)).exit_code == 0
    vendor_data(server, "AAM=")
    refused = run("apply", str(plan), *RESTORED)
    assert (refused.exit_code, "somebody has changed " in refused.stderr) == (3, True), refused.stderr
    assert held(server)[ARCHIVE]["dicomvendordata"] == {b"\0\3"}
    vendor_data(server, "AAI=")
    undone = run("undo", "--yes")
    assert undone.exit_code == 0, undone.stderr
    assert held(server) == before


def check_rename(server: ApacheDS, run: Run) -> None:
    """A device goes to another name with all below it, and back."""
    before = held(server)
    renamed = run("device", "rename", "dcm4chee-arc", "other", "--yes", "--no-reload", "--force-archive-device")
    assert renamed.exit_code == 0, renamed.stderr
    moved = {dn for dn in held(server) if ",dicomDeviceName=other," in f",{dn}"}
    assert len(moved) == sum(ARCHIVE in dn for dn in before)
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert held(server) == before


def check_options(server: Server389, run: Run, tmp_path: Path) -> None:
    """The plain attribute is set and reverted beside one with options, which the server knows in one order only."""
    name, file = "dicomDescription", tmp_path / "options.ldif"
    head = f"dn: {ARCHIVE}\nchangetype: modify\n"
    both = f"{head}delete: {name}\n-\nadd: {name};lang-en;lang-de\n{name};lang-en;lang-de: Archiv\n"
    assert server.run_client("ldapmodify", text=both).returncode == 0
    before = held(server)
    assert run("set", "dcm4chee-arc", f"{name}=archive", "--yes").exit_code == 0
    assert held(server)[ARCHIVE][name.lower()] == {b"archive"}
    assert run("undo", "--yes").exit_code == 0
    assert held(server) == before
    file.write_text(f"{head}delete: {name};lang-de;lang-en\n")
    assert run("apply", str(file), "--yes").exit_code == 0
    assert not any(each.startswith(name.lower()) for each in held(server)[ARCHIVE])


def snapshot_of(ldif: bytes, path: Path) -> str:
    """The file of a snapshot of a server that keeps *ldif* as it was given, as slapd does."""
    facts = SnapshotFacts(
        DN.parse(BASE_DN), taken="2026-11-30T00:00:00Z", program="the test", server="ldap://slapd.example"
    )
    path.write_text(
        "".join(format_snapshot(Snapshot(facts, parse_ldif_tree([ldif], "the tree", load_bundled_schema()))))
    )
    return str(path)


def test_389_directory_server(server389: Server389, run: Run, tmp_path: Path) -> None:
    """It adds ``top``, and hashes the password of the lab's Keycloak client; it keeps no entryCSN."""
    ldif = b"\n".join(file.read_bytes().replace(b"version: 1\n", b"") for file in list_site_files())
    check_restore(server389, run, snapshot_of(ldif, tmp_path / "snapshot"))
    check_undo(server389, run, tmp_path)
    check_options(server389, run, tmp_path)


@pytest.mark.skipif(not LONG, reason="ApacheDS takes half a minute to start: make test-long")
def test_apacheds(apacheds: ApacheDS, run: Run, tmp_path: Path) -> None:
    """It adds ``top``, and has no assertion control; what is below a renamed entry keeps its entryCSN."""
    suffix = f"dn: {BASE_DN}\nobjectClass: organization\nobjectClass: dcObject\no: dcm4che.org\ndc: dcm4che\n\n"
    check_restore(apacheds, run, snapshot_of(f"{suffix}{TREE}".encode(), tmp_path / "snapshot"))
    check_undo(apacheds, run, tmp_path)
    check_rename(apacheds, run)
