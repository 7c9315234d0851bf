"""Files that no longer fit: what moved is named, with who moved it and when; --strict looks at everything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ChangeRecord
from dcmcfg.plan import assertion
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite, undo_files

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
    what = (
        f"dcmcfg: {plan}:5: {ARCHIVE_DN}: the tree is no longer as it was when this was planned: somebody has changed "
        f"{NAME} (expected none, found 'AS_RECEIVED'); {site.slapd.bind_dn} changed the entry last, "
    )
    assert re.fullmatch(re.escape(what) + WHEN + "\n  next: plan again from the tree as it is now\n", refused.stderr), (
        refused.stderr
    )


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
    assert "changed dcmKeyStorePin (expected the value, a secret, found the value, a secret)" in refused.stderr
    assert not any(secret in refused.stderr for secret in ("n3w", "0ther", f"'{old}'"))


def test_of_a_deleted_entry_nobody_can_say_who(run: Run, site: CliSite, tmp_path: Path) -> None:
    dn = f"cn=dicom,dicomDeviceName=storescp,{ARCHIVE_DN.partition(',')[2]}"
    file, plan = tmp_path / "port.ldif", tmp_path / "plan.ldif"
    file.write_text(f"dn: {dn}\nchangetype: modify\nreplace: dicomPort\ndicomPort: 104\n")
    assert run("apply", str(file), "--dry-run", "--out", str(plan)).exit_code == 0
    assert site.slapd.run_client("ldapdelete", dn).returncode == 0
    refused = run("apply", str(plan), "--yes")
    assert refused.exit_code == 3
    assert "there is no such entry; a directory does not say who deleted or renamed it" in refused.stderr


def test_several_that_moved_are_each_told_with_who(run: Run, site: CliSite, tmp_path: Path) -> None:
    plan = tmp_path / "plan.ldif"
    one = planned(run, tmp_path / "one.ldif")
    described(site, "AS_RECEIVED", name=NAME)
    plan.write_text(Path(one).read_text() + Path(one).read_text().partition("\n\n")[2])
    refused = run("apply", str(plan), "--yes")
    assert refused.stderr.startswith("dcmcfg: 2 of 2 changes do not fit the tree:\n")
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
    filters = [str([assertion.of_control(control) for control in record.change.controls]) for record in records]
    assert ["entryCSN" in each for each in filters] == [True, False, True, False]
    assert run("apply", str(undo_files()[0]), "--yes", "--strict").exit_code == 0
    assert site.octets() == before
