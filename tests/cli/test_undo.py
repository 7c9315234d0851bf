"""``dcmcfg undo``, ``dcmcfg history`` and ``dcmcfg apply --resume``: what was rolled out, and back."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dcmcfg.rollout.lock import get_account_name, lock_directory
from dcmcfg.settings.folders import get_state_folder
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, DEVICES, NAME, CliSite, undo_files

pytestmark = pytest.mark.real


def two_changes(tmp_path: Path) -> str:
    path = tmp_path / "two.ldif"
    path.write_text(
        "".join(
            f"dn: dicomDeviceName={name},{DEVICES}\nchangetype: modify\nreplace: dicomDescription\n"
            "dicomDescription: x\n\n"
            for name in ("dcm4chee-arc", "storescp")
        )
    )
    return str(path)


def torn_off(run: Run, site: CliSite, tmp_path: Path, *options: str) -> None:
    """Leave what kill -9 leaves when the first of two steps was made and the second had not arrived."""
    assert run("apply", two_changes(tmp_path), "--yes", *options).exit_code == 0
    taken = site.slapd.run_client("ldapmodify", "-f", str(one_undo(tmp_path)))
    assert taken.returncode == 0, taken.stderr
    (undo_files()[-1].parent / "journal").write_text("planned\nbegins 1 1\nbegins 2 2\nbeg")


def one_undo(tmp_path: Path) -> Path:
    """The undo of the second step alone: the first record of the undo of both."""
    path = tmp_path / "one.ldif"
    path.write_text("version: 1\n\n" + undo_files()[-1].read_text().split("\n\n")[1] + "\n")
    return path


def when(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "(when)", text)


def test_undo_shows_asks_changes_and_reloads_as_any_change(run: Run, site: CliSite) -> None:
    before = site.octets()
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    unasked = run("undo")
    assert (unasked.exit_code, site.values(NAME)) == (1, ("DCM4CHEE",))
    undo_result = run("undo", "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    lines = when(undo_result.stdout).splitlines()
    user = lines[0].partition(" by ")[2].partition(":")[0]
    assert lines[:2] == [
        f"Reverts change 1 of (when) UTC by {user}: dcmcfg set-external-retrieve DCM4CHEE --yes",
        site.headline,
    ]
    assert lines[-4:] == [
        "1 to change, in one change",
        "Applied in one change.",
        "To revert it: dcmcfg undo 2",
        "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of the archive returns "
        "the changed values.",
    ]
    assert site.octets() == before
    again = run("undo", "2", "--yes", "--json")
    assert (again.exit_code, json.loads(again.stdout)["rollout"]) == (0, 3)
    assert site.values(NAME) == ("DCM4CHEE",)


def test_history_tells_each_roll_out_and_leaves_secrets_out(run: Run, site: CliSite, tmp_path: Path) -> None:
    file = tmp_path / "secret.ldif"
    file.write_text(f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: dcmKeyStorePin\ndcmKeyStorePin: geheim\n")
    assert run("history").stdout == "No changes were applied from this account\n"
    assert run("apply", str(file), "--yes").exit_code == 0
    assert run("undo", "--yes").exit_code == 0
    listed = run("history")
    rows = [line.split() for line in listed.stdout.splitlines() if line[:3].strip().isdigit()]
    assert [(row[0], *row[3:]) for row in rows] == [
        ("2", "1", "changed", "applied", "dcmcfg", "undo", "--yes"),
        ("1", "1", "changed", "reverted", "by", "2", "dcmcfg", "apply", str(file), "--yes"),
    ]
    assert f"\nDirectory: {site.slapd.url}\n" in listed.stdout
    one = run("history", "1")
    assert one.exit_code == 0
    assert "Result:    reverted by 2\n" in one.stdout
    assert f"Command:   dcmcfg apply {file} --yes\n" in one.stdout
    assert "# secret value omitted: dcmKeyStorePin\n" in one.stdout
    assert "geheim" in (undo_files()[0].parent / "plan.ldif").read_text()
    as_json = run("history", "--json"), run("history", "1", "--json")
    assert not any("geheim" in result.stdout for result in (listed, one, *as_json))
    newest, oldest = json.loads(as_json[0].stdout)["rollouts"]
    assert (newest["number"], newest["undo_of"], newest["result"], newest["undone_by"]) == (2, 1, "applied", None)
    assert (oldest["counts"], oldest["undone_by"]) == ({"change": 1}, 2)
    assert (oldest["step_count"], oldest["applied_step_count"]) == (1, 1)
    assert json.loads(as_json[1].stdout)["changes"].startswith("# secret value omitted: ")


def test_history_tells_what_became_of_the_reload(run: Run, site: CliSite) -> None:
    site.archive.by_path["ctrl/reload"] = (409, b"IllegalArgumentException: wrong")
    failed = run("set", "storescp", "dicomDescription=a", "--yes")
    assert failed.exit_code == 4
    site.archive.run_as_an_archive_does()
    assert run("set", "storescp", "dicomDescription=b", "--yes").exit_code == 0
    assert run("set", "storescp", "dicomDescription=c", "--yes", "--no-reload").exit_code == 0
    results = [each["reload"] for each in json.loads(run("history", "--json").stdout)["rollouts"]]
    assert [each["outcome"] for each in results] == ["not requested", "loaded", "failed"]
    assert results[2]["reason"].startswith(
        "The directory was changed. The archive could not load the new configuration: "
    )
    assert f"\nReload:    failed: {results[2]['reason']}\n" in run("history", "1").stdout
    assert "\nReload:    loaded\n" in run("history", "2").stdout
    rows = [" ".join(line.split()) for line in run("history").stdout.splitlines() if line[:3].strip().isdigit()]
    assert ["reload failed" in row for row in rows] == [False, False, True]
    folder = undo_files()[0].parent
    assert stat.S_IMODE((folder / "reload.json").stat().st_mode) == 0o600
    (folder / "reload.json").write_text('{"outcome": "unknown", "what": ""}')
    assert "applied, reload unknown" in run("history").stdout
    for damaged in ("", "[]", '{"outcome": "x", "what": ""}'):
        (folder / "reload.json").write_text(damaged)
        assert json.loads(run("history", "1", "--json").stdout)["reload"] is None


def test_applying_the_undo_file_counts_as_its_undo(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    assert run("apply", str(undo_files()[0]), "--yes").exit_code == 0
    assert "reverted by 2" in run("history", "1").stdout
    nothing = run("undo", "--yes")
    assert nothing.exit_code == 3
    assert nothing.stderr == (
        f"dcmcfg: {site.slapd.url}: there is no change to revert\n"
        "  next: to redo change 1, revert its undo: dcmcfg undo 2; to list all changes: dcmcfg history\n"
    )


def test_what_was_rolled_out_elsewhere_is_told_with_the_option_that_leads_there(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    other = site.slapd.url.replace("127.0.0.1", "localhost")
    monkeypatch.setenv("DCMCFG_LDAP_URL", other)
    refused = run("undo", "1", "--yes")
    assert (refused.exit_code, refused.stderr) == (
        3,
        f"dcmcfg: {other}: change 1 was made on {site.slapd.url}\n"
        f"  next: select that directory: --ldap-url {site.slapd.url}; if that directory no longer exists, for example "
        "that of a removed lab, the change requires no undo\n",
    )


@pytest.mark.parametrize("command", ["undo", "history"])
@pytest.mark.parametrize("number", ["x", "0", "1.5"])
def test_a_roll_out_is_named_by_its_number(run: Run, command: str, number: str) -> None:
    result = run(command, number)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(
        f"Error: Invalid value for '[N]': '{number}' is not the number of a change. To list the changes: dcmcfg "
        "history\n"
    )


@pytest.mark.parametrize("command", ["undo", "history"])
def test_an_own_change_has_only_a_number(run: Run, site: CliSite, command: str) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    own, other = f"{get_account_name()}-1", "adm1x-1"
    alone = "this site has no shared history (history_dir). For your own changes, specify only the number"
    for name, next_step in (
        (own, "to see your change 1: dcmcfg history 1"),
        (f"{get_account_name()}-7", "to list your changes: dcmcfg history"),
        (other, "to list your changes: dcmcfg history"),
    ):
        result = run(command, name)
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr == f"dcmcfg: there is no change {name}. {alone}\n  next: {next_step}\n"


def test_an_undo_file_of_an_earlier_version_is_applied_as_before(run: Run, site: CliSite) -> None:
    before = site.octets()
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    earlier = get_state_folder() / "undo" / "20261123T233907.469737Z-18062.ldif"
    earlier.parent.mkdir()
    earlier.write_text(undo_files()[0].read_text())
    assert run("apply", str(earlier), "--yes").exit_code == 0
    assert site.octets() == before


def test_a_changing_command_is_refused_while_one_is_unfinished(run: Run, site: CliSite, tmp_path: Path) -> None:
    torn_off(run, site, tmp_path)
    now = site.octets()
    refused = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert when(refused.stderr) == (
        f"dcmcfg: {site.slapd.url}: change 1 ((when) UTC) is unfinished: 1 of 2 steps are applied. This command "
        "changed nothing\n  next: to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo\n"
    )
    dry = run("set-external-retrieve", "DCM4CHEE", "--dry-run")
    nothing = run("set-external-retrieve", "--clear")
    for warned in (dry, nothing):
        assert (warned.exit_code, when(warned.stderr)) == (
            0,
            "warning: change 1 ((when) UTC) is unfinished: 1 of 2 steps are applied. This command changed "
            "nothing; to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo\n",
        )
    assert "No changes." in nothing.stdout
    assert "partially applied, 1 of 2" in " ".join(run("history", "1").stdout.split())
    assert site.octets() == now


def test_a_dry_run_names_the_command_for_its_plan_but_not_for_that_of_an_undo(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    plans = [str(tmp_path / name) for name in ("set.ldif", "undo.ldif")]
    planned = run("set", "AE:STORESCP", "dicomDescription=x", "--dry-run", "-o", plans[0])
    assert planned.stdout.endswith(f"plan: {plans[0]}\nTo apply it: dcmcfg apply {plans[0]}\n")
    assert run("apply", plans[0], "--yes").exit_code == 0
    assert run("undo", "--dry-run", "-o", plans[1]).stdout.endswith(f"plan: {plans[1]}\n")


def test_resume_finishes_it_and_one_undo_takes_all_of_it_back(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    torn_off(run, site, tmp_path)
    resumed = run("apply", "--resume", "--yes")
    assert (resumed.exit_code, resumed.stderr) == (0, "")
    assert " (1 of 2 steps are applied): dcmcfg apply " in resumed.stdout
    assert "1 to change, in one change\n" in resumed.stdout
    assert "Result:    applied\n" in run("history", "1").stdout
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before


def test_resume_reloads_only_if_the_interrupted_command_requested_it(run: Run, site: CliSite, tmp_path: Path) -> None:
    torn_off(run, site, tmp_path, "--no-reload")
    resumed = run("apply", "--resume", "--yes")
    assert (resumed.exit_code, resumed.stderr, site.archive.reloads) == (0, "", 0)
    assert resumed.stdout.endswith(
        "The archive was not reloaded, because the interrupted command requested no reload. To reload it: "
        "dcmcfg reload\n"
    )
    assert run("undo", "--yes", "--no-reload").exit_code == 0

    torn_off(run, site, tmp_path)
    reloads = site.archive.reloads
    assert run("apply", "--resume", "--yes").exit_code == 0
    assert site.archive.reloads == reloads + 1


def test_resume_of_an_older_record_reloads_because_the_request_is_unknown(
    run: Run, site: CliSite, tmp_path: Path
) -> None:
    torn_off(run, site, tmp_path, "--no-reload")
    head = undo_files()[-1].parent / "head.json"
    content = json.loads(head.read_text()) | {"format": 1}
    del content["reload_requested"]
    head.write_text(json.dumps(content))
    assert run("apply", "--resume", "--yes").exit_code == 0
    assert site.archive.reloads == 1


def test_undo_takes_back_what_an_interrupted_one_had_done(run: Run, site: CliSite, tmp_path: Path) -> None:
    before = site.octets()
    torn_off(run, site, tmp_path)
    assert run("undo", "--yes").exit_code == 0
    assert site.octets() == before
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0


def test_status_and_snapshot_warn_of_an_unfinished_change(run: Run, site: CliSite, tmp_path: Path) -> None:
    torn_off(run, site, tmp_path)
    change = "warning: change 1 ((when) UTC) is unfinished: 1 of 2 steps are applied"
    commands = "to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo\n"
    status = run("status")
    assert (status.exit_code, when(status.stderr)) == (0, f"{change}; {commands}")
    saved = run("snapshot", str(tmp_path / "saved.ldif"))
    effect = "The snapshot might contain only a part of this change"
    assert (saved.exit_code, when(saved.stderr)) == (0, f"{change}. {effect}; {commands}")
    with lock_directory(get_state_folder(), site.slapd.url):
        assert run("status").stderr == "warning: change 1 is in progress\n"
    (undo_files()[-1].parent / "head.json").write_text("damaged")
    damaged = run("status")
    assert (damaged.exit_code, "the record of a change cannot be read" in damaged.stderr) == (0, True)


def test_resume_with_nothing_unfinished_says_so(run: Run, site: CliSite, tmp_path: Path) -> None:
    result = run("apply", "--resume")
    assert result.exit_code == 3
    assert "there is no unfinished change on this directory" in result.stderr
    assert run("apply", "--resume", two_changes(tmp_path)).exit_code == 2
    assert run("apply").exit_code == 2


def test_close_notes_that_the_tree_was_put_right_by_hand(run: Run, site: CliSite, tmp_path: Path) -> None:
    torn_off(run, site, tmp_path)
    assert run("history", "--mark-resolved").exit_code == 2
    assert run("history", "1", "--mark-resolved").exit_code == 0
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    assert "closed manually" in run("history", "1").stdout
    assert run("history", "2", "--mark-resolved").exit_code == 3


def test_while_another_process_rolls_out_a_change_is_refused(run: Run, site: CliSite) -> None:
    before = site.octets()
    with lock_directory(get_state_folder(), site.slapd.url):
        refused = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"dcmcfg: {site.slapd.url}: another change is in progress on this directory (process {os.getpid()}); this "
        "command changed nothing\n  next: wait until the other change has finished, then repeat this command; "
        "to see the other change: dcmcfg history\n"
    )
    assert site.octets() == before


def test_the_lock_of_a_killed_process_does_not_block(run: Run, site: CliSite) -> None:
    program = (
        "import os, signal; from pathlib import Path; from dcmcfg.rollout.lock import lock_directory\n"
        f"with lock_directory(Path({str(get_state_folder())!r}), {site.slapd.url!r}): "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert len(list((get_state_folder() / "locks").iterdir())) == 1
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0


def test_a_damaged_record_is_told_and_nothing_is_changed(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    (undo_files()[0].parent / "journal").write_text("")
    now = site.octets()
    for arguments in (("set-external-retrieve", "--clear", "--yes"), ("undo", "--yes"), ("history",)):
        result = run(*arguments)
        assert result.exit_code == 3
        assert "the journal of a change cannot be read (it is damaged); nothing was changed" in result.stderr
    assert site.octets() == now


def test_a_state_folder_that_cannot_be_written_changes_nothing(run: Run, site: CliSite) -> None:
    before = site.octets()
    get_state_folder().parent.mkdir(parents=True)
    get_state_folder().write_text("a file")
    result = run("set-external-retrieve", "DCM4CHEE", "--yes")
    assert result.exit_code == 3
    assert "dcmcfg cannot write to the state folder" in result.stderr
    assert site.octets() == before


def test_the_shell_completes_numbers(run: Run, site: CliSite) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes").exit_code == 0
    environment = {"_DCMCFG_COMPLETE": "bash_complete", "COMP_WORDS": "dcmcfg undo ", "COMP_CWORD": "2"}
    assert run(env=environment).stdout == "plain,1\n"


def test_an_undo_of_which_something_was_left_out_has_not_taken_it_back(run: Run, site: CliSite, tmp_path: Path) -> None:
    assert run("apply", two_changes(tmp_path), "--yes").exit_code == 0
    change_record = f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: modify\nreplace: dicomDescription\n"
    (tmp_path / "moved.ldif").write_text(change_record + "dicomDescription: somebody else\n")
    site.slapd.run_client("ldapmodify", "-f", str(tmp_path / "moved.ldif"))
    rejects = ("--rejects", str(tmp_path / "rejects.ldif"))
    assert run("apply", str(undo_files()[-1]), "--continue", *rejects, "--yes").exit_code == 1
    roll_outs = json.loads(run("history", "--json").stdout)["rollouts"]
    assert [(each["undo_of"], each["undone_by"]) for each in roll_outs] == [(None, None), (None, None)]


def test_what_was_made_below_since_is_named_with_the_roll_outs_that_made_it(run: Run, site: CliSite) -> None:
    before = site.octets()
    assert run("ae", "add", "WS9@ws9:104", "--device", "ws9", "--yes").exit_code == 0
    assert run("ae", "add", "WS8@ws8:104", "--device", "ws9", "--yes").exit_code == 0
    assert run("set", "storescp", "dicomDescription=other", "--yes").exit_code == 0
    refused = run("undo", "1", "--yes")
    assert refused.exit_code == 3
    assert refused.stderr == (
        f"dcmcfg: dicomDeviceName=ws9,{DEVICES}: the configuration has changed since change 1 was made. Problem: "
        "the entry has 2 "
        "children: "
        "cn=dicom-ws8, dicomAETitle=WS8\n"
        "  next: revert the later changes first: dcmcfg undo 2; or edit the entry manually; to revert the steps that "
        "can still be reverted: dcmcfg undo 1 --partial\n"
    )
    for number in ("3", "2", "1"):
        assert run("undo", number, "--yes").exit_code == 0
    assert site.octets() == before


def test_a_later_change_of_another_attribute_need_not_be_reverted(run: Run, site: CliSite) -> None:
    for assignment in ("dicomDescription=first", "dicomInstalled=FALSE", "dicomDescription=second"):
        assert run("set", "storescp", assignment, "--yes").exit_code == 0
    refused = run("undo", "1", "--yes")
    assert refused.exit_code == 3
    assert (
        "the configuration has changed since change 1 was made. Problem: somebody has changed dicomDescription ("
        in refused.stderr
    )
    assert "  next: revert the later changes first: dcmcfg undo 3; or edit the entry manually; " in refused.stderr
    assert [run("undo", number, "--yes").exit_code for number in ("3", "1")] == [0, 0]


def killed_undo(run: Run, site: CliSite, tmp_path: Path, *, journal: str) -> None:
    """Leave an unfinished roll-out 1, and of its undo what kill -9 leaves before its first change."""
    torn_off(run, site, tmp_path)
    now = site.octets()
    assert run("undo", "--yes").exit_code == 0
    again = site.slapd.run_client("ldapmodify", "-f", str(undo_files()[-1]))
    assert (again.returncode, site.octets()) == (0, now), again.stderr
    (undo_files()[-1].parent / "journal").write_text(journal)


@pytest.mark.parametrize("journal", ["planned\n", "planned\nbegins 1 1\n"])
def test_an_undo_killed_before_its_first_change_is_done_by_the_next_undo(
    run: Run, site: CliSite, tmp_path: Path, journal: str
) -> None:
    before = site.octets()
    killed_undo(run, site, tmp_path, journal=journal)
    undo_result = run("undo", "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    assert undo_result.stdout.startswith("Reverts change 1 of ")
    assert site.octets() == before
    assert run("history", "2", "--json").stdout.count('"result": "nothing changed"') == 1


def test_a_resume_after_such_an_undo_asks_which_way_is_meant(run: Run, site: CliSite, tmp_path: Path) -> None:
    killed_undo(run, site, tmp_path, journal="planned\n")
    now = site.octets()
    refused = run("apply", "--resume", "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert when(refused.stderr) == (
        f"dcmcfg: {site.slapd.url}: change 2 (the undo of change 1) was interrupted and has changed nothing; change 1 "
        "((when) UTC) is unfinished: 1 of 2 steps are applied. This command changed nothing\n"
        "  next: to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo\n"
    )
    assert site.octets() == now
    resumed = run("apply", "--resume", "--yes")
    assert (resumed.exit_code, resumed.stdout.startswith("Resumes change 1 of ")) == (0, True)


def test_another_number_is_refused_while_one_is_unfinished(run: Run, site: CliSite, tmp_path: Path) -> None:
    assert run("set", "workstation", "dicomDescription=first", "--yes").exit_code == 0
    torn_off(run, site, tmp_path)
    refused = run("undo", "1", "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "change 2 (" in refused.stderr
    assert "  next: to finish the change: dcmcfg apply --resume; to revert the change: dcmcfg undo\n" in refused.stderr


def test_at_80_columns_sentences_are_wrapped_and_commands_are_not(
    run: Run, site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = "set AE:STORESCP 'dicomDescription=Storage of the radiology'"
    applied = run("set", "AE:STORESCP", "dicomDescription=Storage of the radiology", "--yes").stdout
    headline = f"{site.slapd.bind_dn} @ {site.slapd.url} · archive"
    assert applied.startswith(f"{headline}\n  {site.archive.url}\n")
    assert "The archive has reloaded (204). dcmcfg cannot confirm this change: no service of\n  the archive" in applied
    reverted = run("undo", "--dry-run").stdout
    assert re.match(rf"Reverts change 1 of [^\n]*:\n  dcmcfg {re.escape(command)} --yes\n{headline}\n", reverted)
