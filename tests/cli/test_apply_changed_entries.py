"""Files that no longer fit: what moved is named, with who moved it and when; --strict looks at everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.directory.ldap import connect
from dcmcfg.dn import DN
from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ChangeRecord
from dcmcfg.plan import assertions
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NAME, CliSite, settle_at, undo_files
from tests.connecting import server_of
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database

pytestmark = pytest.mark.real

WHEN = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def planned(run: Run, path: Path, *arguments: str) -> str:
    result = run("set-external-retrieve", "DCM4CHEE", "--dry-run", "--out", str(path), *arguments)
    assert result.exit_code == 0, result.stderr
    return str(path)


def described(site: CliSite, text: str, *, name: str = "dicomDescription") -> None:
    change = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: {name}\n{name}: {text}\n"
    file = Path(site.slapd.slapd.database_folder).parent / "change.ldif"
    file.write_text(change)
    assert site.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0


def test_the_attribute_the_values_who_and_when_are_named(run: Run, site: CliSite, tmp_path: Path) -> None:
    plan = planned(run, tmp_path / "plan.ldif")
    described(site, "AS_RECEIVED", name=NAME)
    refused = run("apply", plan, "--yes")
    assert refused.exit_code == 3
    message = (
        f"dcmcfg: {plan}:6: {ARCHIVE_DN}: the configuration has changed since this change was planned: somebody has "
        f"changed {NAME} (expected none, found 'AS_RECEIVED'); {site.slapd.bind_dn} changed the entry last, "
    )
    assert re.fullmatch(
        re.escape(message) + WHEN + "\n  next: plan again from the current configuration\n", refused.stderr
    ), refused.stderr


def test_an_undo_names_the_value_that_came_since(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    described(site, "AS_RECEIVED", name=NAME)
    refused = run("apply", str(undo_files()[0]), "--yes")
    assert f"{NAME} (expected 'DCM4CHEE', found 'AS_RECEIVED'); {site.slapd.bind_dn} changed" in refused.stderr


def test_a_secret_that_moved_is_named_and_not_shown(run: Run, site: CliSite, tmp_path: Path) -> None:
    file, plan = tmp_path / "pin.ldif", tmp_path / "plan.ldif"
    file.write_text(f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmKeyStorePin\ndcmKeyStorePin: n3w\n")
    (old,) = site.values("dcmKeyStorePin")
    assert run("apply", str(file), "--dry-run", "--out", str(plan)).exit_code == 0
    described(site, "0ther", name="dcmKeyStorePin")
    refused = run("apply", str(plan), "--yes")
    assert refused.exit_code == 3
    assert "changed dcmKeyStorePin (expected (secret), found (secret))" in refused.stderr
    assert not any(secret in refused.stderr for secret in ("n3w", "0ther", f"'{old}'"))


def test_of_a_deleted_entry_nobody_can_say_who(run: Run, site: CliSite, tmp_path: Path) -> None:
    dn = f"cn=dicom,dicomDeviceName=storescp,{ARCHIVE_DN.partition(',')[2]}"
    file, plan = tmp_path / "port.ldif", tmp_path / "plan.ldif"
    file.write_text(f"dn: {dn}\nchangetype: modify\nreplace: dicomPort\ndicomPort: 104\n")
    assert run("apply", str(file), "--dry-run", "--out", str(plan)).exit_code == 0
    assert site.slapd.run_client("ldapdelete", dn).returncode == 0
    refused = run("apply", str(plan), "--yes")
    assert refused.exit_code == 3
    assert "there is no such entry; the directory does not show who deleted or renamed the entry" in refused.stderr


def test_several_that_moved_are_each_told_with_who(run: Run, site: CliSite, tmp_path: Path) -> None:
    plan = tmp_path / "plan.ldif"
    one = planned(run, tmp_path / "one.ldif")
    described(site, "AS_RECEIVED", name=NAME)
    plan.write_text(Path(one).read_text() + Path(one).read_text().partition("\n\n")[2])
    refused = run("apply", str(plan), "--yes")
    assert refused.stderr.startswith("dcmcfg: 2 of 2 changes cannot be applied:\n")
    assert len(re.findall(f"{re.escape(site.slapd.bind_dn)} changed the entry last, {WHEN}", refused.stderr)) == 2


def test_strict_asserts_the_entry_and_is_refused_for_any_change_of_it(run: Run, site: CliSite, tmp_path: Path) -> None:
    plain = planned(run, tmp_path / "plain.ldif")
    strict = planned(run, tmp_path / "strict.ldif", "--strict")
    described(site, "something else")
    refused = run("apply", strict, "--yes")
    assert refused.exit_code == 3
    assert "somebody has changed the entry (entryCSN: expected 20" in refused.stderr
    assert f"{site.slapd.bind_dn} changed the entry last, " in refused.stderr
    assert run("apply", plain, "--yes").exit_code == 0
    assert site.slapd.run_client("ldapmodify", "-f", strict).returncode == 122


def test_strict_is_carried_out_several_steps_on_an_entry_included(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    text = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: "
    rename = (
        f"dn: cn=dicom,{ARCHIVE_DN}\nchangetype: modrdn\nnewrdn: cn=DICOM\ndeleteoldrdn: 1\n\n"
        f"dn: cn=DICOM,{ARCHIVE_DN}\nchangetype: modify\nreplace: dcmBindAddress\ndcmBindAddress: 127.0.0.1\n"
    )
    file, plan = tmp_path / "twice.ldif", tmp_path / "plan.ldif"
    file.write_text(f"{text}a\n\n{text}b\n\n{rename}")
    result = run("apply", str(file), "--yes", "--strict", "--out", str(plan))
    assert result.exit_code == 0, result.stderr
    assert "in one transaction" in result.stdout
    records = [r for r in read_all([plan.read_bytes()], "plan") if isinstance(r, ChangeRecord)]
    filters = [str([assertions.decode_control(control) for control in record.change.controls]) for record in records]
    assert ["entryCSN" in each for each in filters] == [True, False, True, False]
    assert run("apply", str(undo_files()[0]), "--yes", "--strict").exit_code == 0
    assert site.octets() == before


#: A value before, the one that a change makes of it, and the one that somebody else makes of that: by attribute.
REPLACED_WHOLE = {
    "dicomVendorData": (b"old", b"new", b"theirs"),
    "dcmFromTheFuture": (b"old", b"new", b"theirs"),
    "userPassword": (b"old", b"new", b"theirs"),
}


@pytest.fixture
def newer_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Scripted, site_database: Path
) -> Iterator[CliSite]:
    """A server that knows an attribute that the bundled schema does not, on the archive's device."""
    schema = (
        "attributetype ( 1.3.6.1.4.1.32473.1 NAME 'dcmFromTheFuture' EQUALITY caseIgnoreMatch"
        " SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
        "objectclass ( 1.3.6.1.4.1.32473.2 NAME 'dcmFutureDevice' SUP top AUXILIARY"
        " MAY ( dcmFromTheFuture $ userPassword ) )",
    )
    slapd = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, extra_global="\n".join(schema))
    slapd.prepare()
    copy_database(site_database, slapd)
    with slapd:
        yield settle_at(monkeypatch, RunningSlapd(slapd), archive)


def holding(site: CliSite, name: str, values: Sequence[bytes]) -> None:
    """As somebody else: *values* in place of what attribute *name* of the archive's device holds."""
    modify = Modify(DN.parse(ARCHIVE_DN), (Modification(Operation.REPLACE, name, tuple(values)),))
    with connect(server_of(site.slapd)) as directory:
        directory.apply(modify)


@pytest.mark.parametrize("name", REPLACED_WHOLE)
@pytest.mark.parametrize("what", ["undo", "redo"])
def test_a_plan_to_undo_or_redo_does_not_overwrite_what_came_since(
    run: Run, newer_site: CliSite, tmp_path: Path, what: str, name: str
) -> None:
    site, plan, file = newer_site, tmp_path / "plan.ldif", tmp_path / "file.ldif"
    old, new, theirs = REPLACED_WHOLE[name]
    with connect(server_of(site.slapd)) as directory:
        known = Modification(Operation.ADD, "objectClass", (b"dcmFutureDevice",))
        directory.apply(Modify(DN.parse(ARCHIVE_DN), (known,)))
    holding(site, name, [old])
    file.write_text(f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: {name}\n{name}: {new.decode()}\n")
    applied = run("apply", str(file), "--yes", "--force-vendor-data")
    assert applied.exit_code == 0, applied.stderr
    if what == "redo":
        assert run("undo", "--yes").exit_code == 0
    number = ["2"] if what == "redo" else []
    assert run("undo", *number, "--dry-run", "--out", str(plan)).exit_code == 0
    holding(site, name, [theirs])
    refused = run("apply", str(plan), "--yes", "--force-vendor-data")
    assert (refused.exit_code, site.values(name)) == (3, (theirs.decode(),))
    assert "somebody has changed the entry (entryCSN: expected" in refused.stderr
    assert site.slapd.run_client("ldapmodify", "-f", str(plan)).returncode == 122
    holding(site, name, [new if what == "undo" else old])
    plan.unlink()
    assert run("undo", *number, "--dry-run", "--out", str(plan)).exit_code == 0
    assert site.slapd.run_client("ldapmodify", "-f", str(plan)).returncode == 0
    assert site.values(name) == ((old if what == "undo" else new).decode(),)


@pytest.mark.parametrize("name", ["dicomVendorData", "dcmFromTheFuture"])
def test_an_undo_file_overwrites_what_came_since_only_where_that_is_named(
    run: Run, newer_site: CliSite, tmp_path: Path, name: str
) -> None:
    site, file = newer_site, tmp_path / "file.ldif"
    with connect(server_of(site.slapd)) as directory:
        known = Modification(Operation.ADD, "objectClass", (b"dcmFutureDevice",))
        directory.apply(Modify(DN.parse(ARCHIVE_DN), (known,)))
    holding(site, name, [b"old"])
    other = f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: modify\nreplace: dicomDescription\n"
    file.write_text(
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: {name}\n{name}: new\n\n{other}dicomDescription: ours\n"
    )
    assert run("apply", str(file), "--yes", "--force-vendor-data").exit_code == 0
    holding(site, name, [b"theirs"])
    (undo,) = undo_files()
    apply = ("apply", str(undo))
    for words in (("undo", "1"), apply, (*apply, "--force-vendor-data"), (*apply, "--continue")):
        for end in ("--yes", "--dry-run"):
            refused = run(*words, end)
            assert (refused.exit_code, site.values(name)) == (3, ("theirs",))
            assert (
                f"somebody has changed {name} since change 1, and the undo would overwrite the new values; "
                in refused.stderr
            )
            assert "cn=admin,dc=dcm4che,dc=org changed the entry last" in refused.stderr
            assert (
                f"dcmcfg apply {undo} --force-overwrite; to revert the steps that can still be reverted: "
                "dcmcfg undo 1 --partial"
            ) in refused.stderr
    with connect(server_of(site.slapd)) as directory:
        described = Modification(Operation.REPLACE, "dicomDescription", (b"theirs",))
        directory.apply(Modify(DN.parse(f"dicomDeviceName=storescp,{DEVICES}"), (described,)))
    in_part = run(*apply, "--continue", "--yes")
    assert (
        in_part.exit_code,
        f"somebody has changed {name} since change 1, and the undo would overwrite" in in_part.stderr,
    ) == (3, True)
    forced = run(*apply, "--continue", "--yes", "--force-overwrite", "--force-vendor-data")
    assert (forced.exit_code, site.values(name)) == (1, ("old",))
    lost = (
        f"warning: {ARCHIVE_DN}: somebody has changed {name} since change 1, and the undo overwrites the new values\n"
    )
    assert lost in forced.stderr


def test_an_undo_file_of_a_damaged_record_is_applied_only_where_that_is_named(run: Run, site: CliSite) -> None:
    before = site.octets()
    assert run("set", "storescp", "dicomDescription=ours", "--yes").exit_code == 0
    (undo,) = undo_files()
    plan = undo.with_name("plan.ldif")
    plan.write_text(plan.read_text() + "\n")
    refused = run("apply", str(undo), "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"dcmcfg: {plan}: dcmcfg cannot check whether the undo of change 1 overwrites later changes "
        "(somebody has modified this file of change 1; dcmcfg changed nothing)\n"
        f"  next: compare {undo} with the configuration; to apply the file anyway: "
        f"dcmcfg apply {undo} --force-overwrite\n"
    )
    assert run("apply", str(undo), "--yes", "--force-overwrite").exit_code == 0
    assert site.octets() == before
