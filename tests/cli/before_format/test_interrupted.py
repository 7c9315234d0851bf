"""Roll-outs from before the format number that were killed: resumed, undone, and closed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.before_format.conftest import At
from tests.cli.before_format.files import ROLL_OUTS, after, before, octets, tree
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, CliSite

pytestmark = pytest.mark.real
#: Of each roll-out that was killed: how many of its seven steps the server has.
KILLED = {
    "recorded": 0,
    "step-not-sent": 3,
    "response-lost": 4,
    "last-response-lost": 7,
    "in-transaction": 0,
    "commit-not-sent": 0,
    "commit-response-lost": 7,
    "resume-killed": 4,
}
#: Of each undo that was killed: how many of its steps the server has.
UNDO_KILLED = {
    "undo-recorded": 0,
    "undo-first-step-not-sent": 0,
    "undo-response-lost": 3,
    "undo-in-transaction": 0,
    "undo-between-parts": 6,
}
IN_PART = sorted(name for name, made in (KILLED | UNDO_KILLED).items() if 0 < made < 7)
WRITE = ("set", "workstation", "dicomDescription=x", "--yes", "--no-reload")
Listed = dict[int, tuple[str, int, int | None]]


def listed(run: Run) -> Listed:
    """Of each roll-out its result, how many steps are made, and which one has undone it."""
    found = run("history", "--json")
    assert (found.exit_code, found.stderr) == (0, "")
    roll_outs = json.loads(found.stdout)["rollouts"]
    return {each["number"]: (each["result"], each["applied_step_count"], each["undone_by"]) for each in roll_outs}


def done(run: Run, *arguments: str) -> None:
    result = run(*arguments, "--yes", "--no-reload")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("name", sorted(KILLED | UNDO_KILLED | {"undo-of-interrupted": 0, "undo-what-fits": 3}))
def test_history_lists_a_killed_roll_out_as_cut_off(at: At, run: Run, name: str) -> None:
    at(name)
    newest = max(listed(run))
    assert newest == (2 if name.startswith("undo") else 1)
    assert listed(run)[newest][0] == "interrupted"
    assert '"host": "admin-pc"' in run("history", str(newest), "--json").stdout


@pytest.mark.parametrize("name", KILLED)
def test_resume_makes_the_steps_that_are_left_and_one_undo_reverts_all(at: At, run: Run, name: str) -> None:
    site = at(name)
    done(run, "apply", "--resume")
    assert site.octets() == octets(after())
    assert listed(run) == {1: ("applied", 7, None)}
    done(run, "undo")
    assert site.octets() == octets(before())
    assert listed(run) == {2: ("applied", 7, None), 1: ("applied", 7, 2)}


@pytest.mark.parametrize("name", KILLED)
def test_undo_reverts_the_steps_that_were_made(at: At, run: Run, name: str) -> None:
    site, made = at(name), KILLED[name]
    if not made:
        refused = run("undo", "--yes", "--no-reload")
        assert (refused.exit_code, refused.stdout) == (3, "")
        assert listed(run) == {1: ("nothing changed", 0, None)}
    else:
        done(run, "undo")
        result = "applied" if made == 7 else "partially applied"
        assert listed(run) == {2: ("applied", made, None), 1: (result, made, 2)}
    assert site.octets() == octets(before())
    assert run(*WRITE).exit_code == 0, "nothing is unfinished any more"


@pytest.mark.parametrize("name", [name for name, made in KILLED.items() if made])
def test_an_undo_of_what_was_made_is_made_again(at: At, run: Run, name: str) -> None:
    site = at(name)
    now = site.octets()
    done(run, "undo")
    done(run, "undo", "2")
    assert site.octets() == now


@pytest.mark.parametrize("name", UNDO_KILLED)
def test_resume_finishes_an_undo_which_is_then_undone(at: At, run: Run, name: str) -> None:
    site = at(name)
    done(run, "apply", "--resume")
    assert site.octets() == octets(before())
    assert listed(run) == {2: ("applied", 7, None), 1: ("applied", 7, 2)}
    done(run, "undo", "2")
    assert site.octets() == octets(after())


@pytest.mark.parametrize("name", UNDO_KILLED)
def test_an_undo_that_was_killed_is_undone_or_has_changed_nothing(at: At, run: Run, name: str) -> None:
    site, made = at(name), UNDO_KILLED[name]
    if made:
        assert run("undo", "--yes").exit_code == 3, "the undo has to be named by its number"
        done(run, "undo", "2")
        assert listed(run) == {3: ("applied", made, None), 2: ("partially applied", made, 3), 1: ("applied", 7, None)}
        assert site.octets() == octets(after())
        done(run, "undo", "1")
    else:
        done(run, "undo")
        assert listed(run) == {3: ("applied", 7, None), 2: ("nothing changed", 0, None), 1: ("applied", 7, 3)}
    assert site.octets() == octets(before())


def test_the_undo_of_an_interrupted_roll_out_that_was_killed_is_done_or_the_roll_out_resumed(at: At, run: Run) -> None:
    site = at("undo-of-interrupted")
    assert listed(run) == {2: ("interrupted", 0, None), 1: ("partially applied", 3, None)}
    done(run, "undo")
    assert site.octets() == octets(before())
    assert listed(run) == {3: ("applied", 3, None), 2: ("nothing changed", 0, None), 1: ("partially applied", 3, 3)}


def test_resume_stops_once_where_the_undo_of_an_interrupted_roll_out_was_killed(at: At, run: Run) -> None:
    site = at("undo-of-interrupted")
    assert run("apply", "--resume", "--yes", "--no-reload").exit_code == 3
    done(run, "apply", "--resume")
    assert site.octets() == octets(after())
    assert listed(run) == {2: ("nothing changed", 0, None), 1: ("applied", 7, None)}


def test_an_undo_of_what_fits_that_was_killed_is_finished_and_undone(at: At, run: Run, tmp_path: Path) -> None:
    """What did not fit stays as somebody else has written it, and the record names the file with it."""
    site = at("undo-what-fits")
    storescp = f"dicomDeviceName=storescp,{DEVICES}"
    changed = {"dicomdescription": frozenset({b"somebody else"})}
    assert listed(run) == {2: ("interrupted", 2, None), 1: ("applied", 7, None)}
    done(run, "apply", "--resume")
    assert site.octets() == octets(before()) | {storescp: octets(before())[storescp] | changed}
    assert listed(run) == {2: ("applied", 6, None), 1: ("applied", 7, 2)}
    assert str(tmp_path / "undo-1.rejects.ldif") in run("undo", "1", "--yes").stderr
    done(run, "undo", "2")
    assert site.octets() == octets(after()) | {storescp: octets(after())[storescp] | changed}


@pytest.mark.parametrize("name", [*IN_PART, "undo-of-interrupted"])
def test_a_change_is_refused_until_it_is_settled_and_a_dry_run_warns(at: At, run: Run, name: str) -> None:
    site = at(name)
    refused = run(*WRITE)
    assert (refused.exit_code, refused.stdout) == (3, "")
    for text in ("dcmcfg apply --resume", "dcmcfg undo"):
        assert text in refused.stderr
    warned = run(*WRITE[:3], "--dry-run")
    assert warned.exit_code == 0
    assert "dcmcfg apply --resume" in warned.stderr
    assert site.octets() == octets(tree(ROLL_OUTS / name))


@pytest.mark.parametrize("name", IN_PART)
def test_history_close_settles_an_interrupted_roll_out(at: At, run: Run, name: str) -> None:
    at(name)
    assert run(*WRITE).exit_code == 3
    newest = max(listed(run))
    assert run("history", str(newest), "--mark-resolved").exit_code == 0
    assert listed(run)[newest][0] == "closed manually"
    assert run(*WRITE).exit_code == 0


@pytest.mark.parametrize("name", ["step-not-sent", "response-lost", "resume-killed"])
def test_undo_is_refused_where_another_client_has_changed_an_entry(at: At, run: Run, name: str) -> None:
    site = at(name)
    entry = f"cn=dicom-ws9,dicomDeviceName=ws9,{DEVICES}"
    another_client_replaces(site, entry, "dicomPort", "105")
    now = site.octets()
    refused = run("undo", "--yes", "--no-reload")
    assert refused.exit_code == 3
    assert "dicomDeviceName=ws9" in refused.stderr
    assert site.octets() == now
    another_client_replaces(site, entry, "dicomPort", "104")
    done(run, "undo")
    assert site.octets() == octets(before())


def another_client_replaces(site: CliSite, dn: str, name: str, value: str) -> None:
    path = site.slapd.slapd.folder / "somebody.ldif"
    path.write_text(f"dn: {dn}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n")
    changed = site.slapd.run_client("ldapmodify", "-f", str(path))
    assert changed.returncode == 0, changed.stderr
