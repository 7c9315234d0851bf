"""Two real accounts of one group on a real slapd: one history, one lock, and private undo files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.rollout.lock import lock_directory
from dcmcfg.rollout.shared_history import SharedHistory
from tests.cli.accounts import OTHER_GROUP, SharedSite, sharing_accounts
from tests.cli.conftest import Run
from tests.cli.sites import CliSite
from tests.sampling import LONG, sample

pytestmark = pytest.mark.real

SET = ("set", "AE:STORESCP", "--yes", "--no-reload")


@pytest.fixture
def shared(site: CliSite) -> Iterator[SharedSite]:
    with sharing_accounts(site) as made:
        yield made


def test_two_accounts_see_one_history_and_only_the_own_changes_can_be_reverted(shared: SharedSite) -> None:
    adm1, op2 = shared.adm1, shared.op2
    made = adm1.run(*SET, "dicomDescription=from adm1")
    assert (made.returncode, made.stderr) == (0, "")
    assert op2.run(*SET, "dicomDescription=from op2").returncode == 0
    assert [path.stat().st_mode & 0o777 for path in shared.records()] == [0o640, 0o640]
    assert {path.stat().st_gid for path in shared.records()} == {shared.folder.stat().st_gid}

    listed = json.loads(op2.run("history", "--json").stdout)["rollouts"]
    assert [(each["reference"], each["user"]) for each in listed] == [("1", "root"), ("61001-1", "61001")]
    shown = op2.run("history", "61001-1").stdout
    assert "+ dicomDescription: from adm1" in shown or "→ from adm1" in shown
    assert "Undo:      only 61001 can revert this change" in shown

    before = shared.site.octets()
    refused = op2.run("undo", "61001-1", "--yes")
    assert refused.returncode == 3
    assert "made change 61001-1. Only this account can read" in refused.stderr
    assert "ask 61001 to run: dcmcfg undo 1" in refused.stderr
    assert shared.site.octets() == before
    closed = op2.run("history", "--mark-resolved", "61001-1")
    assert (closed.returncode, "Only this account can read" in closed.stderr) == (3, True)

    assert op2.run("undo", "61002-1", "--yes", "--no-reload").returncode == 0
    results = {each["reference"]: each for each in json.loads(adm1.run("history", "--json").stdout)["rollouts"]}
    assert results["61002-1"]["undone_by"] == 2
    assert results["61002-2"]["undo_of"] == 1
    assert "reverted by 61002-2" in adm1.run("history", "--wide", COLUMNS="200").stdout


def test_secrets_and_vendor_data_are_not_shared(shared: SharedSite) -> None:
    secret = "Tr0ub4dor"
    (shared.adm1.home / "pin").write_text(secret)
    (shared.adm1.home / "pin").chmod(0o644)
    made = shared.adm1.run(
        "set",
        "dcm4chee-arc",
        "dcmKeyStorePin=@pin",
        "dicomVendorData=vendors own",
        "--yes",
        "--no-reload",
        "--force-vendor-data",
    )
    assert made.returncode == 0, made.stderr
    (record,) = shared.records()
    text = record.read_text()
    assert secret not in text
    assert "vendors own" not in text
    shown = shared.op2.run("history", "61001-1").stdout
    assert "dcmKeyStorePin: (secret)" in shown
    assert "dicomVendorData: (vendor data)" in shown


@pytest.mark.parametrize(
    ("mode", "group", "reason", "next_step"),
    sample(
        [
            (0o2777, None, "all accounts have access to this folder", "sudo chmod 2770 "),
            (0o0770, None, "its mode is 0770, not 2770", "sudo chgrp "),
            (0o2770, OTHER_GROUP, "is not a member of the folder's group", "sudo usermod -aG "),
            (0o2770, 0, "its group is root", "sudo chgrp "),
        ],
        0.4,
    ),
)
def test_an_unsafe_folder_is_refused_before_anything_is_written(
    shared: SharedSite, mode: int, group: int | None, reason: str, next_step: str
) -> None:
    if group is not None:
        os.chown(shared.folder, 0, group)
    shared.folder.chmod(mode)
    before = shared.site.octets()
    refused = shared.adm1.run(*SET, "dicomDescription=x")
    assert (refused.returncode, shared.site.octets()) == (3, before)
    assert reason in refused.stderr
    assert next_step in refused.stderr
    listed = shared.adm1.run("history")
    assert (listed.returncode, reason in listed.stderr) == (0, True)


KILLED_AT = """
import os, signal
from dcmcfg.__main__ import main
from dcmcfg.rollout.shared_history import SharedHistory
setattr(SharedHistory, {event!r}, lambda self, record: os.kill(os.getpid(), signal.SIGKILL))
main()
"""


@pytest.mark.parametrize(
    ("event", "result"), sample([("handle_recorded", "interrupted"), ("handle_ended", "applied")], 0.5)
)
def test_the_record_of_a_killed_process_is_shared_by_its_next_command(
    shared: SharedSite, event: str, result: str
) -> None:
    program = KILLED_AT.format(event=event)
    with shared.adm1.start_python("-c", program, *SET, "dicomDescription=from adm1") as killed:
        killed.communicate(timeout=60)
    assert killed.returncode == -9
    assert (shared.adm1.state / "rollouts" / "1" / "plan.ldif").exists()
    # Nobody but the account itself can add its record, and its next command does.
    shared.op2.run("history")
    results = {path: json.loads(path.read_text())["status"] for path in shared.records()}
    assert list(results.values()) == ([] if event == "handle_recorded" else ["interrupted"])
    shared.adm1.run("history")
    listed = json.loads(shared.op2.run("history", "--json").stdout)["rollouts"]
    assert [(each["reference"], each["result"]) for each in listed] == [("61001-1", result)]
    made = shared.op2.run(*SET, "dicomDescription=from op2")
    assert made.returncode == 0
    warned = "change 61001-1 by another account is unfinished; to see it: dcmcfg history 61001-1"
    assert (warned in made.stderr) == (result == "interrupted")


@pytest.mark.skipif(not LONG, reason="takes a few seconds; DCMCFG_LONG=1 runs it")
def test_an_account_outside_the_group_cannot_read_the_history_and_is_told_how_to_join(shared: SharedSite) -> None:
    shared.adm1.run(*SET, "dicomDescription=from adm1")
    listed = shared.guest.run("history")
    assert (listed.returncode, "from adm1" in listed.stdout) == (0, False)
    assert "the account 61003 is not a member of the folder's group" in listed.stderr


def test_two_accounts_exclude_each_other(shared: SharedSite) -> None:
    url = shared.site.slapd.url
    with lock_directory(shared.adm1.home / "other-state", url, shared.folder):
        before = shared.site.octets()
        refused = shared.op2.run(*SET, "dicomDescription=from op2")
        assert (refused.returncode, shared.site.octets()) == (3, before)
        assert f"another change is in progress on this directory (process {os.getpid()} of " in refused.stderr
    assert shared.op2.run(*SET, "dicomDescription=from op2").returncode == 0


def test_settings_that_cannot_be_read_do_not_hide_the_own_history(run: Run, tmp_path: Path) -> None:
    profile = tmp_path / "xdg" / "config" / "dcmcfg" / "profiles" / "default.toml"
    profile.parent.mkdir(parents=True, mode=0o700)
    profile.write_text("not TOML")
    listed = run("history")
    assert (listed.exit_code, listed.stdout) == (0, "No changes were applied from this account\n")
    assert "only the changes of this account are known, because the settings cannot be read" in listed.stderr
    profile.unlink()
    for folder, reason in ((tmp_path / "missing", "No such file or directory"), (tmp_path, ", not 2770")):
        listed = run("history", "--history-dir", str(folder))
        assert (listed.exit_code, reason in listed.stderr) == (0, True)


def test_a_resumed_change_is_shared_with_its_result(
    run: Run, site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2770)
    monkeypatch.setenv("DCMCFG_HISTORY_DIR", str(folder))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(SharedHistory, "handle_recorded", stop)
        assert run(*SET, "dicomDescription=x").exit_code != 0
    (record,) = folder.glob("*.json")
    assert json.loads(record.read_text())["status"] == "interrupted"
    resumed = run("apply", "--resume", "--yes", "--no-reload")
    assert resumed.exit_code == 0, resumed.stderr
    content = json.loads(record.read_text())
    assert (content["status"], content["applied_step_count"], content["reload"]) == ("applied", 1, "not requested")
