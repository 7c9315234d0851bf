"""``dcmcfg upgrade apply`` and ``dcmcfg upgrade gap`` on a real directory server."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from dcmcfg.changes import Change
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.errors import DirectoryError
from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.writer import format_entry
from dcmcfg.settings.folders import get_state_folder
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import CliSite, attributes, settle_at
from tests.cli.test_upgrade import hospital, options_to_target
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.upgrade.customised import Releases
from tests.upgrade.small_release import ARCHIVE as SMALL_ARCHIVE
from tests.upgrade.small_release import default_entries, write_releases

__all__ = ["hospital"]


def make_plan(run: Run, releases: Releases, path: Path, *more: str) -> Path:
    planned = run("upgrade", "plan", *options_to_target(releases, *more), "-o", str(path))
    assert planned.exit_code == 0, planned.stderr
    return path


def list_snapshots() -> list[str]:
    folder = get_state_folder() / "snapshots"
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.real
def test_the_applied_plan_is_checked_and_only_the_gap_is_left(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    before = hospital.octets()
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    dry = run("upgrade", "apply", str(plan), "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    declined = run("upgrade", "apply", str(plan), "--no-reload", input="n\n")
    assert declined.exit_code == 1, declined.stderr
    assert hospital.octets() == before
    assert list_snapshots() == []

    applied = run("upgrade", "apply", str(plan), "--yes", "--no-reload")

    assert applied.exit_code == 0, applied.stderr
    assert "still change" not in applied.stderr
    assert "warning: the archive is running." in applied.stderr
    source, target = (releases.find_folder(each) for each in ("5.31.0", "5.33.1"))
    updates = releases.upstream / "updates"
    assert applied.stdout.replace("--profile test ", "").endswith(
        "Checked: a new plan of the same upgrade changes nothing.\n"
        "Next: install the new release of the archive and start it. Then list the remaining differences from a new "
        "installation, and verify that a study can be retrieved:\n"
        f"  dcmcfg upgrade gap --from {source} --to {target} --updates {updates}\n"
        "  dcmcfg verify --study STUDY_UID --dest AE_TITLE\n"
    )
    (snapshot,) = [line.removeprefix("snapshot: ") for line in applied.stdout.splitlines() if line[:9] == "snapshot:"]
    assert Path(snapshot).stat().st_mode & 0o777 == 0o600

    again = run("upgrade", "apply", str(plan), "--yes", "--no-reload")
    assert again.exit_code == 3
    assert "this plan was already applied (change 1), so nothing was changed\n" in again.stderr
    assert "to list what is left to change: dcmcfg " in again.stderr
    assert "unchanged:" not in again.stdout
    assert "did you mean" not in again.stderr
    assert list_snapshots() == [Path(snapshot).name]

    # Only what no update file makes is left.
    folders = options_to_target(releases)
    gap_plan = tmp_path / "gap.ldif"
    listed = run("upgrade", "gap", *folders, "-o", str(gap_plan))
    assert (listed.exit_code, listed.stderr) == (1, "")
    kinds = re.findall(r"\((\w+)\): (\d+) entr", listed.stdout)
    counts = ", ".join(f"{kind}: {count}" for kind, count in kinds)
    assert listed.stdout.splitlines()[-2:] == [
        f"plan: {gap_plan} ({counts})",
        f"To apply it: dcmcfg upgrade apply {gap_plan}",
    ]
    absent = next(each for each in ("corrections", "values", "removals") if each not in dict(kinds))
    unlisted = run("upgrade", "gap", *folders, "--gap", absent, "-o", str(tmp_path / "none.ldif"))
    assert (unlisted.exit_code, unlisted.stdout) == (
        0,
        f"Compared with a new installation, there are no differences of these kinds ({absent}), except for the site's "
        "own changes\nplan: not written, because it would change nothing\n",
    )
    assert listed.stdout.splitlines()[:2] == [
        "Entries that a new installation has (additions): 1 entry",
        "  dcmuiPermissionName=Action - Storage Verification - Single Action,dcmuiConfigName=default,"
        "dicomDeviceName=dcm4chee-arc",
    ]
    dry = json.loads(run("upgrade", "apply", str(gap_plan), "--dry-run", "--json").stdout)
    assert (dry["changed"], dry["result_check"]) == (False, None)
    applied = run("upgrade", "apply", str(gap_plan), "--yes", "--no-reload", "--json")
    assert applied.exit_code == 0, applied.stderr
    complete: dict[str, object] = {"outcome": "complete", "remaining_dns": [], "problem": None, "command": None}
    assert json.loads(applied.stdout)["result_check"] == complete
    fresh_tree = releases.build("hospital", "5.33.1", clones_like="5.31.0")
    assert hospital.octets() == {str(each.dn): attributes(each) for each in fresh_tree.entries.values()}
    none = run("upgrade", "gap", *folders)
    assert (none.exit_code, none.stdout) == (
        0,
        "Compared with a new installation, there are no differences, except for the site's own changes\n",
    )
    # The configuration is at the target, which is no contradiction to --from.
    again = run("upgrade", "plan", *folders)
    assert "warning: the configuration matches" not in again.stdout
    assert "the configuration is already at release 5.33.1\n" in again.stdout

    restored = run("restore", snapshot, "--yes", "--no-reload")
    assert restored.exit_code == 0, restored.stderr
    assert hospital.octets() == before


@pytest.mark.real
def test_an_applied_plan_after_which_something_is_left_is_reported(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    text = plan.read_text("utf-8")
    head, *changes = text.split("\n\n")
    (removed,) = [each for each in changes if each.startswith("dn: dicomAETitle=AS_RECEIVED,dicomDeviceName")]
    plan.write_text("\n\n".join((head, *(each for each in changes if each != removed))), "utf-8")

    applied = run("upgrade", "apply", str(plan), "--yes", "--no-reload", "--json")

    assert applied.exit_code == 1
    check = json.loads(applied.stdout)["result_check"]
    assert (check["outcome"], check["problem"]) == ("incomplete", None)
    assert [each.partition(",")[0] for each in check["remaining_dns"]] == ["dicomAETitle=AS_RECEIVED"]
    assert check["command"].startswith("dcmcfg upgrade plan ")
    assert "a new plan of this upgrade would change dicomAETitle=AS_RECEIVED," in applied.stderr
    assert "To see these changes: dcmcfg " in applied.stderr
    next_step, command = applied.stderr.splitlines()[-2:]
    assert next_step == (
        "Next: plan the changes that are left, and apply the new plan before you start the new release:"
    )
    assert command.endswith(" -o NEW_PLAN.ldif")
    assert f" --to {releases.find_folder('5.33.1')} " in applied.stderr


@pytest.mark.real
def test_a_check_that_is_interrupted_or_impossible_does_not_hide_that_the_change_is_applied(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    text = plan.read_text("utf-8").replace("5.33.1", "5.99.9")
    plan.write_text(re.sub(r"\A(version: 1\n)", r"\1# Open decisions: 2\n", text), "utf-8")

    applied = run("upgrade", "apply", str(plan), "--yes", "--no-reload")

    assert applied.exit_code == 0, applied.stderr
    assert "warning: the plan contains 2 decisions that are open. For an open decision, " in applied.stderr
    missing = releases.find_folder("5.33.1").with_name("5.99.9")
    assert (
        f"the change is applied, but the result could not be checked: {missing}: the folder does not " in applied.stderr
    )
    assert "Checked:" not in applied.stdout
    assert run("undo", "1", "--yes", "--no-reload").exit_code == 0

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    # The undo has written the entries, so the old plan is refused.
    reverted = run("upgrade", "apply", str(plan), "--yes", "--no-reload")
    assert reverted.exit_code == 3
    message, next_step = reverted.stderr.splitlines()[-2:]
    assert message == (
        "dcmcfg: this plan was already applied (change 1) and reverted (change 2). These two changes have changed the "
        "entries of the plan, so the plan is no longer valid"
    )
    assert next_step.startswith("  next: plan again: dcmcfg ")
    # The history of another account does not have these changes.
    with monkeypatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
        other = run("upgrade", "apply", str(plan), "--yes", "--no-reload").stderr.splitlines()[-4:]
    assert re.fullmatch(r"dcmcfg: \d+ of \d+ changes cannot be applied:", other[0])
    assert "somebody has changed the entry (entryCSN: expected " in other[1]
    assert re.fullmatch(
        r"  … and \d+ entries for the same reason \(to list your own changes: dcmcfg history\)", other[2]
    )
    assert other[3].startswith("  next: plan again: dcmcfg ")
    plan = make_plan(run, releases, tmp_path / "new.ldif")
    monkeypatch.setattr("dcmcfg.cli.upgrade.apply.read_releases", interrupt)
    interrupted = run("upgrade", "apply", str(plan), "--yes", "--no-reload")
    assert interrupted.exit_code == 130
    assert "the change is applied, but the check of the result was interrupted. To repeat the check: dcmcfg" in (
        interrupted.stderr
    )


@pytest.mark.real
def test_a_configuration_that_has_changed_since_is_refused_with_the_command_to_plan_again(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    changed = run("set", "dcm4chee-arc/AS_RECEIVED", "dcmQueryRetrieveViewID=hideAll", "--yes", "--no-reload")
    assert changed.exit_code == 0, changed.stderr

    refused = run("upgrade", "apply", str(plan), "--yes", "--no-reload")

    assert refused.exit_code == 3
    assert f"--to {releases.find_folder('5.33.1')} " in refused.stderr.split("next: plan again: dcmcfg ")[1]
    assert list_snapshots() == []


@pytest.mark.real
def test_an_unfinished_change_is_reported_and_refused_before_anything_else(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    assert run("upgrade", "apply", str(plan), "--yes", "--no-reload").exit_code == 0
    # As if the process had been killed after the first step.
    (journal,) = (get_state_folder() / "rollouts").glob("*/journal")
    with journal.open("a", encoding="ascii") as file:
        file.write("ended 1\n")
    before, snapshots = hospital.octets(), list_snapshots()

    folders = options_to_target(releases)
    for command in (("plan", *folders), ("status", *folders[2:])):
        assert "is unfinished: 1 of " in run("upgrade", *command).stderr
    refused = run("upgrade", "apply", str(plan), "--yes", "--no-reload")
    assert refused.exit_code == 3
    assert "is unfinished: 1 of " in refused.stderr
    assert "snapshot:" not in refused.stdout
    assert (hospital.octets(), list_snapshots()) == (before, snapshots)


@pytest.mark.real
def test_a_resumed_upgrade_names_the_command_that_checks_it(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(run, releases, tmp_path / "plan.ldif")
    apply, applied = LdapDirectory.apply, list[Change]()

    def apply_once(directory: LdapDirectory, change: Change) -> None:
        if applied:
            raise DirectoryError("the server is busy")
        applied.append(change)
        apply(directory, change)

    with monkeypatch.context() as patched:
        patched.setattr(LdapDirectory, "apply", apply_once)
        stopped = run("upgrade", "apply", str(plan), "--yes", "--no-reload", "--step-by-step")
    assert "the server is busy" in stopped.stderr

    resumed = run("apply", "--resume", "--yes")

    assert resumed.exit_code == 0, resumed.stderr
    head, _, command = resumed.stdout.rstrip("\n").rpartition("complete: ")
    assert head.endswith("To reload it: dcmcfg reload\nThis change is an upgrade. To check that the upgrade is ")
    checked = run(*shlex.split(command)[1:])
    assert checked.exit_code == 0, checked.stderr
    assert "the configuration is already at release 5.33.1\n" in checked.stdout


@pytest.mark.real
def test_an_answer_about_a_role_is_in_the_history_and_counts_for_the_next_plan(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: Scripted
) -> None:
    folders = write_releases(tmp_path)
    options = ("--from", str(folders[0]), "--to", str(folders[1]))
    # The device refers to this AE, so it cannot just be missing.
    kept = [each for each in default_entries() if f"dicomAETitle=DCM4CHEE,{SMALL_ARCHIVE}" not in str(each.dn)]
    (tmp_path / "site.ldif").write_text("".join(map(format_entry, kept)), "utf-8")
    server = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD)
    server.prepare()
    server.load_files([tmp_path / "site.ldif"])
    with server:
        settle_at(monkeypatch, RunningSlapd(server), archive)
        plan, again = tmp_path / "plan.ldif", tmp_path / "again.ldif"
        assert run("upgrade", "plan", *options).exit_code == 2
        answered = run("upgrade", "plan", *options, "--role", "DCM4CHEE=-", "-o", str(plan))
        assert answered.exit_code == 0, answered.stderr
        applied = run("upgrade", "apply", str(plan), "--yes", "--no-reload")
        assert applied.exit_code == 0, applied.stderr
        assert run("upgrade", "plan", *options, "--gap", "all", "-o", str(again)).exit_code == 0
        assert '"roles":{"DCM4CHEE":"-"}' in again.read_text("utf-8")
        # An answer of the user comes first, and one of a reverted upgrade does not count.
        assert "no AE NONE" in run("upgrade", "plan", *options, "--role", "DCM4CHEE=NONE").stderr
        assert run("undo", "--yes", "--no-reload").exit_code == 0
        assert run("upgrade", "plan", *options).exit_code == 2


def test_a_file_that_is_not_the_plan_of_an_upgrade_is_refused(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.ldif"
    other.write_text("version: 1\n\ndn: dc=org\nchangetype: delete\n")
    refused = run("upgrade", "apply", str(other), "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "this file is not the plan of an upgrade" in refused.stderr
    missing = run("upgrade", "apply", str(tmp_path / "missing.ldif"), "--yes")
    assert (missing.exit_code, missing.stdout) == (3, "")
    damaged = tmp_path / "damaged.ldif"
    damaged.write_text('version: 1\n# dcmcfg upgrade: {"from": 1}\n\n')
    assert "is damaged" in run("upgrade", "apply", str(damaged), "--yes").stderr


def test_without_the_earlier_release_the_own_changes_are_among_the_differences(run: Run, releases: Releases) -> None:
    folders = ("--to", str(releases.find_folder("5.33.1")), "--tree", str(releases.build_file("trimmed", "5.33.1")))
    listed = json.loads(run("upgrade", "gap", *folders, "--json").stdout)
    assert listed["own_changes_included"] is True
    assert any("dicomDeviceName=storescp" in each["dn"] for each in listed["differences"])
    assert {each["kind"] for each in listed["differences"]} == {"additions"}
    refused = run("upgrade", "gap", *folders, "-o", "plan.ldif")
    assert refused.exit_code == 2
    assert "--output requires --from" in refused.stderr
    pristine = str(releases.build_file("pristine", "5.33.1"))
    none = run("upgrade", "gap", "--to", str(releases.find_folder("5.33.1")), "--tree", pristine)
    assert (none.exit_code, none.stdout) == (0, "Compared with a new installation, there are no differences\n")


def test_a_gap_is_refused_before_the_upgrade(run: Run, releases: Releases) -> None:
    tree = str(releases.build_file("pristine", "5.31.0"))
    refused = run("upgrade", "gap", *options_to_target(releases, "--tree", tree))
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "the site does not have all official changes of 5.33.1 yet: 353 entries must still change" in refused.stderr
