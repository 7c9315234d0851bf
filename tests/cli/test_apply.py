"""``dcmcfg apply``: files carried out whole, or refused whole with every reason."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_example_files, list_site_files
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, NAME, CliSite, settle_at, undo_files
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

DEVICES = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
NEW = f"dicomDeviceName=new,{DEVICES}"
ADD_DEVICE = f"""\
version: 1

# a device with its connection and its AE
dn: {NEW}
changetype: add
objectClass: dicomDevice
dicomDeviceName: new
dicomInstalled: TRUE

dn: cn=dicom,{NEW}
changetype: add
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: localhost
dicomPort: 104

dn: dicomAETitle=NEW,{NEW}
changetype: add
objectClass: dicomNetworkAE
dicomAETitle: NEW
dicomNetworkConnectionReference: cn=dicom,{NEW}
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE
"""


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_device_is_added_in_one_transaction_and_taken_back_in_two_parts(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    before = site.octets()
    done = run("apply", written(tmp_path / "new.ldif", ADD_DEVICE), "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    (undo,) = undo_files()
    assert done.stdout.endswith(
        "3 to add, in one transaction\nApplied in one transaction.\nTo revert it: dcmcfg undo 1\n"
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.\n"
    )
    assert len(site.octets()) == len(before) + 3
    undo_result = run("apply", str(undo), "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    assert "3 to delete, step by step\n" in undo_result.stdout
    assert site.octets() == before


def test_twice_the_same_file_is_nothing_to_do(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "new.ldif", ADD_DEVICE)
    assert run("apply", file, "--yes").exit_code == 0
    after = site.octets()
    again = run("apply", file, "--yes")
    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout == (
        f"{site.headline}\n"
        f"already present: {NEW}\n"
        f"already present: cn=dicom,{NEW}\n"
        f"already present: dicomAETitle=NEW,{NEW}\n"
        "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    assert site.octets() == after


def test_of_much_that_is_so_already_the_first_is_listed_and_how_much_there_is(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    text = f"dn: {ARCHIVE_DN}\nchangetype: modify\ndelete: dicomStationName\n\n"
    done = run("apply", written(tmp_path / "much.ldif", text * 50), "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        f"{site.headline}\n"
        + f"unchanged: {ARCHIVE_DN} (dicomStationName is not set)\n" * 40
        + "unchanged: 10 more\n"
        + "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )


def test_the_wikis_add_on_a_tree_that_holds_the_value_is_nothing_to_do(run: Run, site: CliSite, tmp_path: Path) -> None:
    text = f"dn: {ARCHIVE_DN}\nchangetype: modify\nadd: {NAME}\n{NAME}: DCM4CHEE\n"
    file = written(tmp_path / "wiki.ldif", text)
    assert run("apply", file, "--yes").exit_code == 0
    assert site.values(NAME) == ("DCM4CHEE",)
    assert site.slapd.run_client("ldapmodify", "-f", file).returncode == 20
    assert "No changes." in run("apply", file, "--yes").stdout
    other = written(tmp_path / "other.ldif", text.replace("DCM4CHEE\n", "AS_RECEIVED\n"))
    refused = run("apply", other, "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"dcmcfg: {other}:1: {ARCHIVE_DN}: {NAME} allows only one value, but the entry would have 2 values\n"
    )


def test_several_files_are_one_plan(run: Run, site: CliSite, tmp_path: Path) -> None:
    first = written(tmp_path / "1.ldif", ADD_DEVICE)
    rename = f"dn: {NEW}\nchangetype: modrdn\nnewrdn: dicomDeviceName=newer\ndeleteoldrdn: 1\n"
    second = written(tmp_path / "2.ldif", rename)
    result = run("apply", first, second, "--yes", "--force-dangling-reference")  # the AE names its connection
    assert result.exit_code == 0, result.stderr
    assert "3 to add, 1 to rename, in one transaction" in result.stdout
    renamed = f"dicomDeviceName=newer,{DEVICES}"
    assert site.octets()[renamed]["dicomdevicename"] == {b"newer"}
    assert f"cn=dicom,{renamed}" in site.octets()


def test_standard_input_is_a_file(run: Run, site: CliSite) -> None:
    result = run("apply", "-", "--yes", input=ADD_DEVICE)
    assert result.exit_code == 0, result.stderr
    assert NEW in site.octets()


def test_broken_ldif_names_each_record_with_its_line_and_changes_nothing(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    before = site.octets()
    file = written(
        tmp_path / "broken.ldif",
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: fine\n\n"
        f"cn: does not begin with dn\n\n"
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription:: ***\n",
    )
    result = run("apply", file, "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    lines = result.stderr.splitlines()
    assert lines[0] == "dcmcfg: 2 records are not valid LDIF:"
    assert lines[1].startswith(f"  {file}:6: ")
    assert lines[2].startswith(f"  {file}:11: ")
    assert lines[-1] == "  next: correct these records; nothing was changed"
    assert site.octets() == before


def test_every_record_that_does_not_fit_is_named_and_nothing_changes(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = written(
        tmp_path / "misfit.ldif",
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: fine\n\n"
        f"dn: cn=nowhere,{DEVICES}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n\n"
        f"dn: {ARCHIVE_DN}\nchangetype: delete\n\n"
        f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: add\n"
        "objectClass: dicomDevice\ndicomDeviceName: storescp\n",
    )
    result = run("apply", file, "--yes")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.splitlines()[0] == "dcmcfg: 3 of 4 changes cannot be applied:"
    missing = f"  {file}:6: cn=nowhere,{DEVICES}: there is no such entry — nearest existing entry: {DEVICES}"
    assert missing in result.stderr.splitlines()
    assert f"  {file}:11: {ARCHIVE_DN}: the entry has" in result.stderr
    assert f"  {file}:14: dicomDeviceName=storescp,{DEVICES}: the entry already exists and differs in" in result.stderr
    assert site.octets() == before


def test_what_only_the_server_can_refuse_changes_nothing_either(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    file = written(
        tmp_path / "class.ldif",
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n\n"
        f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: modify\nreplace: dicomInstalled\ndicomInstalled: maybe\n",
    )
    result = run("apply", file, "--yes")
    assert result.exit_code == 3
    assert "LDAP result 21" in result.stderr
    assert site.octets() == before
    assert "nothing changed" in run("history").stdout
    assert site.archive.reloads == 0


def test_files_that_are_not_there_are_told(run: Run, site: CliSite, tmp_path: Path) -> None:
    result = run("apply", str(tmp_path / "none.ldif"))
    assert result.exit_code == 3
    assert result.stderr == (
        f"dcmcfg: {tmp_path}/none.ldif: cannot read the file (No such file or directory)\n"
        f"  next: check the path: the folder {tmp_path} has no such file\n"
    )
    assert run("apply", str(tmp_path)).exit_code == 3


def test_secrets_are_not_shown_but_are_applied_and_come_back(run: Run, site: CliSite, tmp_path: Path) -> None:
    (pin,) = site.values("dcmKeyStorePin")
    file = written(
        tmp_path / "pin.ldif",
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmKeyStorePin\ndcmKeyStorePin: n3w-s3cret\n",
    )
    for arguments in (["--dry-run"], ["--dry-run", "--json"], ["--yes"]):
        result = run("apply", file, *arguments)
        assert result.exit_code == 0
        assert "n3w-s3cret" not in result.output
        assert pin not in result.output.replace("(secret)", "")
    assert site.values("dcmKeyStorePin") == ("n3w-s3cret",)
    assert run("apply", str(undo_files()[0]), "--yes").exit_code == 0
    assert site.values("dcmKeyStorePin") == (pin,)
    rejects = tmp_path / "rejects.ldif"
    for options in ((), ("--continue", "--rejects", str(rejects))):
        again = run("apply", str(undo_files()[0]), "--yes", *options)
        assert (again.exit_code, again.stdout, again.stderr) == (
            3,
            "",
            f"dcmcfg: {undo_files()[0]}: this file is already applied: the directory has the result of every change, "
            "so nothing was changed\n",
        )
    assert not rejects.exists()


def test_a_database_without_transactions_is_written_step_by_step(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, database="ldif")
    server.prepare()
    server.load_files(list_site_files())
    with server:
        site = settle_at(monkeypatch, RunningSlapd(server), archive)
        before = site.octets()
        result = run("apply", written(tmp_path / "new.ldif", ADD_DEVICE), "--yes", "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["strategy"] == "step by step"
        assert run("apply", str(undo_files()[0]), "--yes").exit_code == 0
        assert site.octets() == before


def test_hostile_values_reach_the_server_and_not_the_terminal(run: Run, site: CliSite, tmp_path: Path) -> None:
    text = "red \x1b[31m\x07 [bold]markup[/bold] é"
    file = tmp_path / "hostile.ldif"
    file.write_bytes(
        f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: {text}\n".encode()
    )
    result = run("apply", str(file), "--yes")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.output
    assert site.values("dicomDescription") == (text,)


@pytest.mark.parametrize("file", list_example_files(), ids=lambda path: path.name)
def test_every_worked_example_applies_and_comes_back(run: Run, site: CliSite, file: Path) -> None:
    if file.name == "remove-workstation.ldif":  # it removes what the other example adds
        assert run("apply", str(file.with_name("add-workstation.ldif")), "--yes").exit_code == 0
    before = site.octets()
    result = run("apply", str(file), "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    if "No changes." in result.stdout:
        assert file.name == "clear-external-retrieve.ldif", "the lab's tree does not have the setting"
        return
    assert site.octets() != before
    assert run("apply", str(undo_files()[-1]), "--yes").exit_code == 0
    assert site.octets() == before


def test_empty_files_are_nothing_to_do(run: Run, site: CliSite) -> None:
    result = run("apply", "-", input=io.BytesIO(b"version: 1\n"))
    assert result.exit_code == 0
    assert result.stdout.endswith(
        "No changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )


def test_a_file_without_records_is_told(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = written(tmp_path / "cut.ldif", "")
    result = run("apply", file, "--yes")
    assert result.exit_code == 0
    assert result.stderr == f"warning: {file} contains no records.\n"


def test_a_move_is_shown_with_where_it_goes(run: Run, site: CliSite, tmp_path: Path) -> None:
    text = f"dn: cn=dicom,{ARCHIVE_DN}\nchangetype: moddn\nnewrdn: cn=moved\ndeleteoldrdn: 1\n"
    file = written(tmp_path / "move.ldif", f"{text}newsuperior: dicomDeviceName=storescp,{DEVICES}\n")
    plan = run("apply", file, "--dry-run").stdout.partition("dn: ")[0]
    assert plan.endswith("\n\n  ~ connection dcm4chee-arc/dicom → connection storescp/moved  (reload)\n\n")


def test_an_undo_written_for_another_server_is_warned_about(run: Run, site: CliSite, tmp_path: Path) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    (undo,) = undo_files()
    elsewhere = undo.read_text().replace(site.slapd.url, "ldap://pacs.example:389")
    file = written(tmp_path / "undo.ldif", elsewhere)
    result = run("apply", file, "--dry-run")
    assert result.exit_code == 0
    assert (
        result.stderr
        == f"warning: {file} was written for ldap://pacs.example:389, but the directory server is {site.slapd.url}.\n"
    )
    assert run("apply", str(undo), "--dry-run").stderr == ""


def test_what_is_misspelt_in_a_tolerant_file_is_told_as_it_is(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    missing_dn, renamed = f"dicomDeviceName=storescpp,{DEVICES}", f"dicomDeviceName=longtrm,{DEVICES}"
    text = (
        f"dn: {missing_dn}\nchangetype: delete\n\n"
        f"dn: {renamed}\nchangetype: modrdn\nnewrdn: dicomDeviceName=storescp\ndeleteoldrdn: 1\n\n"
        f"dn: {ARCHIVE_DN}\nchangetype: modify\ndelete: dicomDeviceName\ndicomDeviceName: dcm4chee-ar\n"
    )
    done = run("apply", written(tmp_path / "misspelt.ldif", text), "--yes")
    assert done.exit_code == 0
    assert done.stdout == (
        f"{site.headline}\nNo changes. If the archive has not loaded the configuration yet, run: dcmcfg reload\n"
    )
    first, second, third = done.stderr.splitlines()
    assert first.startswith(f"warning: {missing_dn}: does not exist, so there is nothing to delete; did you mean ")
    assert "dicomDeviceName=storescp" in first
    assert second == (
        f"warning: {renamed}: does not exist; did you mean dicomDeviceName=longterm? dcmcfg assumes that "
        "dicomDeviceName=longtrm was already renamed to dicomDeviceName=storescp"
    )
    assert third == (
        f"warning: {ARCHIVE_DN}: dicomDeviceName has no value 'dcm4chee-ar' to delete; did you mean 'dcm4chee-arc'?"
    )
    assert site.octets() == before


def test_values_that_will_not_do_are_warned_of(run: Run, site: CliSite, tmp_path: Path) -> None:
    text = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmFallbackCMoveSCP\ndcmFallbackCMoveSCP: NOSUCHAE\n-\n"
    text += "replace: dcmSendPendingCMoveInterval\ndcmSendPendingCMoveInterval: 5s\n"
    done = run("apply", written(tmp_path / "odd.ldif", text), "--dry-run")
    assert done.exit_code == 1
    unknown, risk, interval, result = done.stderr.splitlines()
    assert result == "dcmcfg: dry run: the plan would be refused without --force-unloadable"
    assert unknown.startswith(f"warning: {ARCHIVE_DN}: dcmFallbackCMoveSCP: no AE has the title NOSUCHAE")
    assert risk == ("warning: unloadable: the archive cannot load 1 setting; this requires --force-unloadable")
    assert interval.startswith(f"warning: {tmp_path / 'odd.ldif'}:7: {ARCHIVE_DN}: dcmSendPendingCMoveInterval '5s': ")


def test_a_wrong_dn_is_refused_with_near_misses(run: Run, site: CliSite, tmp_path: Path) -> None:
    dn = f"dicomDeviceName=dcm4chee-ar,{DEVICES}"
    text = f"dn: {dn}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n"
    file = written(tmp_path / "wrong.ldif", text)
    done = run("apply", file, "--yes")
    assert (done.exit_code, site.values("dicomDescription")) == (3, ("Archive of the lab",))
    assert done.stderr.startswith(f"dcmcfg: {file}:1: {dn}: there is no such entry\n")
    assert f"nearest existing entry: {DEVICES}; did you mean dicomDeviceName=dcm4chee-arc?" in done.stderr
