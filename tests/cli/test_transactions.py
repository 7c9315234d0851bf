"""The rules for transactions, as a user of the commands meets them on a real slapd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NEW, NEW_DEVICE, CliSite, settle_at, undo_files
from tests.cutting_proxy import CuttingProxy
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real

STORESCP = f"dicomDeviceName=storescp,{DEVICES}"
DESCRIBED = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: changed\n\n"
DEVICE = f"""\
{NEW_DEVICE}dn: dicomAETitle=NEW,{NEW}
changetype: add
objectClass: dicomNetworkAE
dicomAETitle: NEW
dicomNetworkConnectionReference: cn=dicom,{NEW}
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE

"""
RENAMED = f"""\
dn: {STORESCP}
changetype: modrdn
newrdn: dicomDeviceName=renamed
deleteoldrdn: 1

dn: cn=dicom,dicomDeviceName=renamed,{DEVICES}
changetype: modify
replace: dicomPort
dicomPort: 4711

"""
MOVED = f"""\
dn: cn=dicom,{NEW}
changetype: moddn
newrdn: cn=moved
deleteoldrdn: 1
newsuperior: {STORESCP}

"""
#: The AE goes on naming the connection by its old DN.
REFERENCES_STAY = "--force-dangling-reference"
MEMBERS = 2000


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_device_added_with_a_change_is_taken_back_in_two_parts(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    done = run("apply", written(tmp_path / "new.ldif", DESCRIBED + DEVICE), "--yes")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 to add, 1 to change, in one transaction\nApplied in one transaction.\n" in done.stdout
    after = site.octets()
    (undo,) = undo_files()
    undo_result = run("apply", str(undo), "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    strategy_text = "in two parts: a transaction, then deletes one by one"
    assert f"1 to change, 3 to delete, {strategy_text}\nApplied {strategy_text}.\n" in undo_result.stdout
    assert site.octets() == before
    assert run("apply", str(undo_files()[-1]), "--yes").exit_code == 0
    assert site.octets() == after


def test_a_rename_in_the_middle_goes_in_the_transaction_and_so_does_its_undo(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    before = site.octets()
    done = run("apply", written(tmp_path / "rename.ldif", DESCRIBED + RENAMED), "--yes", REFERENCES_STAY)
    assert done.exit_code == 0, done.stderr
    assert "Applied in one transaction.\n" in done.stdout
    after = site.octets()
    assert after[f"cn=dicom,dicomDeviceName=renamed,{DEVICES}"]["dicomport"] == {b"4711"}
    undo_result = run("apply", str(undo_files()[0]), "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    assert "Applied in one transaction.\n" in undo_result.stdout
    assert site.octets() == before


def test_a_move_to_another_superior_goes_step_by_step_and_comes_back(run: Run, site: CliSite, tmp_path: Path) -> None:
    """It has crashed slapd in a transaction; alone it is one change."""
    assert run("apply", written(tmp_path / "new.ldif", DEVICE), "--yes").exit_code == 0
    before = site.octets()
    for text, strategy_text in ((MOVED, "in one change"), (DESCRIBED + MOVED, "step by step")):
        done = run("apply", written(tmp_path / "move.ldif", text), "--yes", REFERENCES_STAY)
        assert done.exit_code == 0, done.stderr
        assert f"\nApplied {strategy_text}.\n" in done.stdout
        assert f"cn=moved,{STORESCP}" in site.octets()
        undo_result = run("apply", str(undo_files()[-1]), "--yes")
        assert (undo_result.exit_code, undo_result.stderr) == (0, "")
        assert f"\nApplied {strategy_text}.\n" in undo_result.stdout
        assert site.octets() == before


def test_2000_changes_go_in_one_transaction_and_so_does_their_undo(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    connections = "".join(
        f"dn: cn=extra {number},{ARCHIVE_DN}\nchangetype: add\nobjectClass: dicomNetworkConnection\n"
        f"cn: extra {number}\ndicomHostname: localhost\n\n"
        for number in range(MEMBERS)
    )
    done = run("apply", written(tmp_path / "many.ldif", connections), "--yes", "--no-reload")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2000 to add, in one transaction\nApplied in one transaction.\n" in done.stdout
    assert len(site.octets()) == len(before) + MEMBERS
    undo_result = run("apply", str(undo_files()[0]), "--yes", "--no-reload")
    assert undo_result.exit_code == 0, undo_result.stderr
    assert "2000 to delete, in one transaction\nApplied in one transaction.\n" in undo_result.stdout
    assert site.octets() == before


def test_a_commit_whose_answer_is_lost_is_read_back_and_told_as_done(
    run: Run, site: CliSite, slapd: RunningSlapd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = site.octets()
    with CuttingProxy(slapd.slapd.port, after=b"1.3.6.1.1.21.3\x81\x04") as proxy:
        monkeypatch.setenv("DCMCFG_LDAP_URL", proxy.url)
        done = run("apply", written(tmp_path / "new.ldif", DESCRIBED + DEVICE), "--yes")
        assert proxy.has_cut
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Applied in one transaction.\n" in done.stdout
    settle_at(monkeypatch, slapd, site.archive)
    assert NEW in site.octets()
    assert run("apply", str(undo_files()[0]), "--yes").exit_code == 0
    assert site.octets() == before


def test_with_json_a_roll_out_that_stopped_part_way_names_its_undo(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    refused = f"dn: {STORESCP}\nchangetype: modify\nreplace: dicomInstalled\ndicomInstalled: maybe\n\n"
    file = written(tmp_path / "stops.ldif", DESCRIBED + refused)
    stopped = run("apply", file, "--yes", "--step-by-step", "--json")
    content = json.loads(stopped.stdout)
    assert (stopped.exit_code, content["error"]["exit_code"]) == (4, 4)
    assert content["error"]["message"].endswith("; 1 of 2 steps are applied")
    next_steps = "to revert the applied steps: dcmcfg undo; to retry: dcmcfg apply --resume"
    assert content["error"]["next_step"] == next_steps
    fields = [content[name] for name in ("changed", "strategy", "rollout", "undo_file", "reloaded")]
    assert fields == [True, "step by step", 1, str(undo_files()[0]), False]
    again = run("apply", file, "--yes", "--json")
    assert (again.exit_code, json.loads(again.stdout)["changed"]) == (3, False)
    resumed = run("apply", "--resume", "--yes")
    assert resumed.exit_code == 3
    assert resumed.stderr.endswith(f"; the change remains unfinished: {next_steps}\n")
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before


def test_step_by_step_may_be_asked_for(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    done = run("apply", written(tmp_path / "device.ldif", DEVICE), "--yes", "--no-reload", "--step-by-step")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "3 to add, step by step\nApplied step by step.\n" in done.stdout
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == before


WITHOUT = "  next: repeat the command without --transaction; dcmcfg then chooses a way that this server supports\n"


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_transaction_that_cannot_hold_the_plan_is_refused(
    run: Run, site: CliSite, tmp_path: Path, dry_run: tuple[str, ...]
) -> None:
    assert run("apply", written(tmp_path / "new.ldif", DESCRIBED + DEVICE), "--yes").exit_code == 0
    before = site.octets()
    refused = run("undo", "--transaction", "--yes", *dry_run)
    assert (refused.exit_code, refused.stderr) == (
        3,
        f"dcmcfg: {site.slapd.url}: a transaction cannot move entries to another parent or delete the last child of "
        f"an entry; nothing was changed\n{WITHOUT}",
    )
    assert site.octets() == before


def test_a_database_without_transactions_is_found_out_before_anything_is_announced(
    run: Run, archive: Scripted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The root DSE speaks of the server, whose other databases do transactions."""
    server = Slapd(tmp_path / "ldif-database", port=free_port(), root_password=PASSWORD, database="ldif")
    server.prepare()
    server.load_files(list_site_files())
    with server:
        site = settle_at(monkeypatch, RunningSlapd(server), archive)
        before, file = site.octets(), written(tmp_path / "new.ldif", DESCRIBED + DEVICE)
        for end in ("--yes", "--dry-run"):
            refused = run("apply", file, "--transaction", end)
            assert (refused.exit_code, refused.stderr) == (
                3,
                f"dcmcfg: {site.slapd.url}: the directory server announces transactions (RFC 5805), but its "
                f"database does not support them; nothing was changed\n{WITHOUT}",
            )
        announced = run("apply", file, "--dry-run")
        assert announced.exit_code == 0
        assert "3 to add, 1 to change, in one transaction, if the database supports transactions\n" in announced.stdout
        assert site.octets() == before
        assert run("history").stdout == "No changes were applied from this account\n"
        done = run("apply", file, "--yes")
        assert (done.exit_code, done.stderr) == (0, "")
        assert (
            "3 to add, 1 to change, step by step\nApplied step by step.\nTo revert it: dcmcfg undo 1\n"
        ) in done.stdout
