"""``dcmcfg restore``: whatever was done to the directory, it is again what the snapshot says."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation, Rename
from dcmcfg.cli.restore import restore_command
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError
from dcmcfg.lab.slapd import Slapd
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NOT_CONFIRMED, CliSite, every_risk, settle_at, undo_files
from tests.connecting import server_of
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
STORESCP = f"dicomDeviceName=storescp,{DEVICES}"


@pytest.fixture
def snapshot_file(run: Run, site: CliSite, tmp_path: Path) -> Path:
    path = tmp_path / "site.snapshot.ldif"
    result = run("snapshot", str(path))
    assert result.exit_code == 0, result.stderr
    return path


def ldif(site: CliSite, text: str) -> None:
    path = Path(site.slapd.slapd.folder) / "change.ldif"
    path.write_text(text)
    done = site.slapd.run_client("ldapmodify", "-f", str(path))
    assert done.returncode == 0, done.stderr


def test_what_was_changed_comes_back_and_twice_is_nothing_to_do(run: Run, site: CliSite, snapshot_file: Path) -> None:
    before = site.octets()
    (pin,) = site.values("dcmKeyStorePin")
    ldif(
        site,
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmKeyStorePin\ndcmKeyStorePin: 0ther\n-\n"
        "replace: dicomDescription\ndicomDescription: drifted\n\n"
        f"dn: dicomDeviceName=new,{DEVICES}\nchangetype: add\nobjectClass: dicomDevice\ndicomDeviceName: new\n"
        "dicomInstalled: TRUE\n\n"
        f"dn: cn=dicom,{STORESCP}\nchangetype: delete\n",
    )
    result = run("restore", str(snapshot_file), "--yes")
    assert (result.exit_code, result.stderr) == (
        0,
        "warning: dcmKeyStorePin (dicomDeviceName=dcm4chee-arc) takes effect at the next start of the archive. The "
        "start fails if the PIN is wrong. A reload accepts a wrong PIN and keeps the current key\n",
    )
    assert pin not in result.output.replace("(secret)", "")
    assert "0ther" not in result.output
    assert "1 to add, 1 to change, 1 to delete, in one transaction" in result.stdout
    assert result.stdout.endswith(f"To revert it: dcmcfg undo {len(undo_files())}\n{NOT_CONFIRMED}\n")
    assert site.octets() == before
    again = run("restore", str(snapshot_file), "--yes")
    assert (again.exit_code, again.stderr) == (0, "")
    assert (
        again.stdout
        == f"{site.headline}\nNo changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    undo_result = run("apply", str(undo_files()[0]), "--yes")
    assert undo_result.exit_code == 0
    assert site.values("dcmKeyStorePin") == ("0ther",)


def test_the_case_of_values_and_of_names_comes_back(run: Run, site: CliSite, snapshot_file: Path) -> None:
    """By the rules of the schema nothing has changed; by octets it has."""
    ldif(
        site,
        f"dn: {STORESCP}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: a store\n",
    )
    snapshot = snapshot_file.with_name("again.ldif")
    assert run("snapshot", str(snapshot)).exit_code == 0
    before = site.octets()
    ldif(
        site,
        f"dn: {STORESCP}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: A Store\n\n"
        f"dn: cn=dicom,{STORESCP}\nchangetype: modrdn\nnewrdn: cn=DICOM\ndeleteoldrdn: 1\n\n"
        f"dn: cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org\nchangetype: modrdn\nnewrdn: cn=DEVICES\n"
        "deleteoldrdn: 1\n",
    )
    assert site.octets() != before
    result = run("restore", str(snapshot), "--yes")
    assert result.exit_code == 0, result.stderr
    assert site.octets() == before


def test_an_entry_of_another_structural_class_comes_back_with_all_below_it(
    run: Run, site: CliSite, snapshot_file: Path
) -> None:
    before = site.octets()
    with connect(server_of(site.slapd)) as directory:
        for dn in sorted(
            (dn for dn in map(DN.parse, before) if dn.is_below(DN.parse(STORESCP))), key=lambda d: -len(d.rdns)
        ):
            directory.apply(Delete(dn))
        values = {
            "objectClass": ("dicomConfigurationRoot", "extensibleObject"),
            "cn": "x",
            "dicomDeviceName": "storescp",
        }
        directory.apply(Add(Entry.from_values(STORESCP, values)))
    result = run("restore", str(snapshot_file), "--yes", *every_risk(restore_command))
    assert result.exit_code == 0, result.stderr
    assert site.octets() == before


def test_a_whole_configuration_that_was_deleted_comes_back(run: Run, site: CliSite, snapshot_file: Path) -> None:
    before = site.octets()
    deleted = site.slapd.run_client("ldapdelete", "-r", "cn=DICOM Configuration,dc=dcm4che,dc=org")
    assert deleted.returncode == 0, deleted.stderr
    result = run("restore", str(snapshot_file), "--yes")
    assert result.exit_code == 0, result.stderr
    assert site.octets() == before


def test_an_empty_server_gets_all_of_it(
    run: Run, site: CliSite, snapshot_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = Slapd(tmp_path / "empty", port=free_port(), root_password=PASSWORD)
    server.prepare()
    with server:
        empty = settle_at(monkeypatch, RunningSlapd(server), site.archive)
        result = run("restore", str(snapshot_file), "--yes")
        assert result.exit_code == 0, result.stderr
        assert (
            f"warning: the snapshot {snapshot_file} is from {site.slapd.url}, but this server is {server.url}.\n"
            in result.stderr
        )
        assert empty.octets() == site.octets()


def test_what_is_not_the_archives_stays_as_it_is(run: Run, site: CliSite, snapshot_file: Path) -> None:
    ldif(
        site,
        "dn: dc=dcm4che,dc=org\nchangetype: modify\nadd: description\ndescription: a hospital\n\n"
        "dn: o=else,dc=dcm4che,dc=org\nchangetype: add\nobjectClass: organization\no: else\n",
    )
    now = site.octets()
    result = run("restore", str(snapshot_file), "--yes")
    assert "No changes." in result.stdout
    assert site.octets() == now


def test_another_base_dn_is_refused_before_the_server_is_asked(run: Run, site: CliSite, snapshot_file: Path) -> None:
    site.slapd.slapd.stop()
    result = run("--base-dn", "dc=other,dc=org", "restore", str(snapshot_file), "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        f"dcmcfg: {snapshot_file}: the snapshot was taken at the base DN dc=dcm4che,dc=org, but the base "
        "DN of this site is dc=other,dc=org\n"
        "  next: check the site and --base-dn. To move the configuration to another base DN: "
        f"dcmcfg --base-dn dc=other,dc=org apply --map-base auto {snapshot_file} (dcmcfg help another-base)\n"
    )


def test_a_dry_run_and_a_missing_answer_change_nothing(run: Run, site: CliSite, snapshot_file: Path) -> None:
    ldif(site, f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: drifted\n")
    now = site.octets()
    assert run("restore", str(snapshot_file), "--dry-run").exit_code == 0
    assert run("restore", str(snapshot_file)).exit_code == 1
    assert site.octets() == now
    assert undo_files() == []


def test_definitions_that_the_server_lacks_are_told(run: Run, site: CliSite, snapshot_file: Path) -> None:
    content, _, _ = snapshot_file.read_bytes().rpartition(b"# end of snapshot")
    head, _, rest = content.partition(b"\n\n")
    head += b"\n# attributeTypes: ( 1.2.3.4.5.6 NAME 'dcmBrandNew' SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 )"
    content = head + b"\n\n" + rest
    snapshot_file.write_bytes(
        content + b"# end of snapshot, sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n"
    )
    result = run("restore", str(snapshot_file), "--dry-run")
    assert result.exit_code == 0
    assert (
        result.stderr
        == "warning: the snapshot uses dcmBrandNew, but the server's schema no longer contains these definitions.\n"
    )


@pytest.mark.parametrize("seed", range(4))
def test_arbitrary_changes_are_taken_back_octet_for_octet(
    run: Run, site: CliSite, snapshot_file: Path, seed: int
) -> None:
    """The law, for edits that a server takes: whatever they are, the tree is that of the snapshot again."""
    before = site.octets()
    draw = random.Random(seed)
    with connect(server_of(site.slapd)) as directory:
        for _ in range(15):
            made_one(draw, directory)
    assert site.octets() != before
    result = run("restore", str(snapshot_file), "--yes", "--no-reload", *every_risk(restore_command))
    assert result.exit_code == 0, result.stderr
    assert site.octets() == before
    assert "No changes." in run("restore", str(snapshot_file), "--yes", "--no-reload").stdout


def made_one(draw: random.Random, directory: LdapDirectory) -> None:
    """Make a change that the server takes."""
    now = directory.read(DN.parse("cn=DICOM Configuration,dc=dcm4che,dc=org"))
    for _ in range(1000):
        try:
            directory.apply(an_edit(draw, now))
        except DirectoryError:
            continue
        return
    raise AssertionError("the server takes none")


def an_edit(draw: random.Random, now: tuple[Entry, ...]) -> Change:
    """A change of a tree that holds *now*, which a server may well refuse."""
    entry = draw.choice(now)
    text = "".join(draw.choices("aA äÄß:<#,+\\\n\t\0", k=draw.randint(1, 90))).encode()
    match draw.randrange(9):
        case 0:
            return Delete(draw.choice([each for each in now if not any(o.dn.parent == each.dn for o in now)]).dn)
        case 1:
            kind, value = entry.dn.rdn.parts[0]
            return Rename(entry.dn, RDN.of(kind, value.swapcase()), delete_old_rdn=draw.random() < 0.5)
        case 2:
            kind, value = entry.dn.rdn.parts[0]
            return Rename(entry.dn, RDN.of(kind, f"{value[:8]} x"), delete_old_rdn=draw.random() < 0.5)
        case 3:
            return Rename(entry.dn, entry.dn.rdn, delete_old_rdn=True, new_superior=draw.choice(now).dn)
        case 4:
            kind, value = entry.dn.rdn.parts[0]
            copy = Entry(entry.dn.parent.child(kind, f"copy {draw.random()}"), entry.attributes)
            return Add(copy.with_values(kind, (copy.dn.rdn.parts[0][1].encode(),)))
        case 5:
            attribute = draw.choice(entry.attributes)
            swapped = tuple(value.swapcase() for value in attribute.values)
            return Modify(entry.dn, (Modification(Operation.REPLACE, attribute.name, swapped),))
        case 6:
            return Modify(entry.dn, (Modification(Operation.DELETE, draw.choice(entry.attributes).name, ()),))
        case 7:
            names = ("dicomDescription", "dcmProperty", "dicomVendorData", "dcmKeyStorePin", "dcmTag")
            name = draw.choice(names) + draw.choice(("", "", ";lang-de", ";lang-de;lang-en"))
            return Modify(entry.dn, (Modification(Operation.REPLACE, name, (text,)),))
        case _:
            attribute = draw.choice(draw.choice(now).attributes)
            return Modify(entry.dn, (Modification(Operation.REPLACE, attribute.name, attribute.values),))
