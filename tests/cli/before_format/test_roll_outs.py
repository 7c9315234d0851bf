"""Records of roll-outs from before the format number: listed, undone and made again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.before_format.conftest import At
from tests.cli.before_format.files import ROLL_OUTS, after, before, octets, tree
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, NAME, CliSite

pytestmark = pytest.mark.real
LOADED = ("loaded", "")
NOT_ASKED = ("not requested", "")
FAILED = (
    "failed",
    "The directory was changed. Not reloaded: IllegalArgumentException: wrong (HTTP 409). "
    "The archive keeps its previous configuration",
)
#: Of each roll-out of ``history``, newest first: result, entries, steps, made, left out, undoes, undone by, reload.
HISTORY = {
    10: ("applied", {"change": 1}, 1, 1, 0, 4, None, LOADED),
    9: ("applied", {"change": 1}, 1, 1, 0, None, None, ("unknown", "")),
    8: ("closed manually", {"add": 2, "rename": 1, "change": 3, "delete": 1}, 7, 2, 0, None, None, None),
    7: ("applied", {"change": 1}, 1, 1, 1, None, None, NOT_ASKED),
    6: ("applied", {"change": 1}, 1, 1, 1, 5, None, NOT_ASKED),
    5: ("applied", {"change": 2}, 2, 2, 0, None, 6, NOT_ASKED),
    4: ("applied", {"change": 1}, 1, 1, 0, 1, 10, LOADED),
    3: ("applied", {"rename": 2, "change": 3}, 5, 5, 0, None, None, FAILED),
    2: ("applied", {"add": 4}, 4, 4, 0, None, None, NOT_ASKED),
    1: ("applied", {"change": 1}, 1, 1, 0, None, None, LOADED),
}
COMMANDS = {
    10: "dcmcfg undo 4 --yes",
    9: "dcmcfg set longterm dicomDescription=Library --yes",
    8: "dcmcfg apply changes.ldif --yes --no-reload --step-by-step",
    7: "dcmcfg apply some.ldif --continue --yes --no-reload",
    6: "dcmcfg undo 5 --what-fits --yes --no-reload",
    5: "dcmcfg apply two.ldif --yes --no-reload",
    4: "dcmcfg undo 1 --yes",
    3: "dcmcfg rename ae LONGTERM TAPE --yes",
    2: "dcmcfg ae add WS8@ws8:104 --device ws8 --yes --no-reload",
    1: "dcmcfg set-external-retrieve DCM4CHEE --yes",
}
TAPE = f"dicomAETitle=TAPE,dicomDeviceName=longterm,{DEVICES}"
LONGTERM = f"dicomAETitle=LONGTERM,dicomDeviceName=longterm,{DEVICES}"


def description(site: CliSite, device: str) -> str:
    return site.values("dicomDescription", f"dicomDeviceName={device},{DEVICES}")[0]


@pytest.mark.parametrize("name", sorted(path.name for path in ROLL_OUTS.iterdir()))
def test_the_server_of_a_fixture_holds_its_tree_with_its_operational_attributes(at: At, name: str) -> None:
    site = at(name)
    assert site.octets() == octets(tree(ROLL_OUTS / name))
    found = site.slapd.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", site.slapd.base_dn, "+")
    for attribute in ("entryUUID", "entryCSN"):
        line = re.compile(rf"^{attribute}: .*$", re.MULTILINE)
        assert sorted(line.findall(found.stdout)) == sorted(line.findall(tree(ROLL_OUTS / name)))


def test_a_written_roll_out_is_listed_undone_and_made_again(at: At, run: Run) -> None:
    site = at("written")
    (listed,) = json.loads(run("history", "--json").stdout)["rollouts"]
    assert (listed["number"], listed["started_at"], listed["user"], listed["host"]) == (
        1,
        json.loads((ROLL_OUTS / "written" / "state/rollouts/1/head.json").read_text())["when"],
        "admin",
        "admin-pc",
    )
    assert (listed["ldap_url"], listed["command"]) == (site.slapd.url, COMMANDS[1])
    assert site.values(NAME) == ("DCM4CHEE",)

    undo_result = run("undo", "1", "--yes")
    assert (undo_result.exit_code, undo_result.stderr) == (0, "")
    assert undo_result.stdout.splitlines()[1] == site.headline
    assert site.octets() == octets(before())
    assert site.archive.reloads == 1

    assert run("undo", "2", "--yes").exit_code == 0
    assert site.octets() == octets(tree(ROLL_OUTS / "written"))
    results = [(each["number"], each["undo_of"], each["undone_by"]) for each in roll_outs(run)]
    assert results == [(3, 2, None), (2, 1, 3), (1, None, None)]


def test_history_shows_one_roll_out_whole_without_its_secrets(at: At, run: Run) -> None:
    at("applied")
    shown = run("history", "1")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "dcmcfg apply changes.ldif --yes --no-reload --step-by-step" in shown.stdout
    assert "dcmKeyStorePin" in shown.stdout
    assert "not-a-real-pin" not in shown.stdout + run("history", "1", "--json").stdout


def test_every_kind_of_step_is_undone_with_its_secrets(at: At, run: Run) -> None:
    site = at("applied")
    assert site.octets() == octets(after())
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(before())
    assert run("undo", "2", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(after())


def test_the_undo_file_of_a_record_is_applied_and_counts_as_its_undo(at: At, run: Run) -> None:
    site = at("applied")
    assert run("apply", roll_outs(run)[0]["undo_file"], "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(before())
    assert [each["undone_by"] for each in roll_outs(run)] == [None, 2]


def test_an_entry_that_somebody_has_changed_since_is_not_overwritten(at: At, run: Run, tmp_path: Path) -> None:
    site = at("applied")
    somebody = tmp_path / "somebody.ldif"
    somebody.write_text(
        f"dn: dicomDeviceName=storescp,{DEVICES}\nchangetype: modify\n"
        "replace: dicomDescription\ndicomDescription: somebody else\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(somebody)).returncode == 0
    now = site.octets()
    for arguments in (("undo", "1"), ("apply", roll_outs(run)[0]["undo_file"])):
        refused = run(*arguments, "--yes")
        assert refused.exit_code == 3
        assert f"dicomDeviceName=storescp,{DEVICES}" in refused.stderr
    assert site.octets() == now
    assert run("undo", "1", "--partial", "--yes", "--no-reload").exit_code == 1
    assert description(site, "storescp") == "somebody else"
    assert {**site.octets(), f"dicomDeviceName=storescp,{DEVICES}": {}} == {
        **octets(before()),
        f"dicomDeviceName=storescp,{DEVICES}": {},
    }


def test_a_record_that_was_edited_is_refused(at: At, run: Run) -> None:
    site = at("written")
    undo_file = Path(roll_outs(run)[0]["undo_file"])
    undo_file.write_text(undo_file.read_text().replace("DCM4CHEE", "STORESCP"))
    refused = run("undo", "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert str(undo_file) in refused.stderr
    assert site.values(NAME) == ("DCM4CHEE",)


def test_a_record_of_another_server_is_refused(at: At, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    site = at("written")
    monkeypatch.setenv("DCMCFG_LDAP_URL", site.slapd.url.replace("127.0.0.1", "localhost"))
    refused = run("undo", "1", "--yes")
    assert refused.exit_code == 3
    assert f"--ldap-url {site.slapd.url}" in refused.stderr


def test_history_lists_every_kind_of_record(at: At, run: Run) -> None:
    at("history")
    found = {
        each["number"]: (
            each["result"],
            each["counts"],
            each["step_count"],
            each["applied_step_count"],
            each["rejected_count"],
            each["undo_of"],
            each["undone_by"],
            each["reload"] and (each["reload"]["outcome"], each["reload"]["reason"]),
        )
        for each in roll_outs(run)
    }
    assert found == HISTORY
    assert list(found) == list(HISTORY)
    assert {each["number"]: each["command"] for each in roll_outs(run)} == COMMANDS
    for number in HISTORY:
        for one in (run("history", str(number)), run("history", str(number), "--json")):
            assert (one.exit_code, one.stderr) == (0, "")
    assert FAILED[1] in run("history", "3").stdout


def test_an_undone_roll_out_is_refused_and_the_rejects_file_is_named(at: At, run: Run, tmp_path: Path) -> None:
    at("history")
    assert run("undo", "4", "--yes").exit_code == 3
    left_out = run("undo", "5", "--yes")
    assert left_out.exit_code == 3
    assert str(tmp_path / "undo-5.rejects.ldif") in left_out.stderr


def test_each_record_of_a_long_history_is_undone(at: At, run: Run) -> None:
    """The undo of a part is undone as well, and an undo of an undo."""
    site = at("history")
    assert (site.values(NAME), description(site, "longterm")) == (("DCM4CHEE",), "Library")
    assert run("undo", "--yes", "--no-reload").exit_code == 0, "the newest that stands is roll-out 9"
    assert description(site, "longterm") == "Tapes"
    assert run("undo", "10", "--yes").exit_code == 0
    assert site.values(NAME) == ()
    assert run("undo", "6", "--yes", "--no-reload").exit_code == 0
    assert (description(site, "workstation"), description(site, "storescp")) == ("two", "somebody else")
    assert run("undo", "7", "--yes", "--no-reload").exit_code == 0
    assert description(site, "longterm") == "External archive"
    assert TAPE in site.octets()
    assert run("undo", "3", "--yes", "--no-reload").exit_code == 0
    assert TAPE not in site.octets()
    assert LONGTERM in site.octets()
    assert run("undo", "2", "--yes", "--no-reload").exit_code == 0
    assert f"dicomDeviceName=ws8,{DEVICES}" not in site.octets()
    results = {each["number"]: (each["undo_of"], each["undone_by"]) for each in roll_outs(run)}
    assert results == {
        16: (2, None),
        15: (3, None),
        14: (7, None),
        13: (6, None),
        12: (10, None),
        11: (9, None),
        10: (4, 12),
        9: (None, 11),
        8: (None, None),
        7: (None, 14),
        6: (5, 13),
        5: (None, None),
        4: (1, None),
        3: (None, 15),
        2: (None, 16),
        1: (None, 4),
    }


def test_a_recorded_rename_is_known_to_files_with_the_old_name(at: At, run: Run, tmp_path: Path) -> None:
    site = at("history")
    (tmp_path / "old.ldif").write_text(
        f"dn: {LONGTERM}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n"
    )
    now = site.octets()
    refused = run("apply", "old.ldif", "--yes")
    assert refused.exit_code == 3
    assert re.search(r"TAPE.*\b3\b|\b3\b.*TAPE", refused.stderr, re.DOTALL)
    assert site.octets() == now


@pytest.mark.parametrize("name", ["undo-5.rejects.ldif", "some.rejects.ldif"])
def test_rejected_records_fit_once_they_were_fixed(at: At, run: Run, tmp_path: Path, name: str) -> None:
    """The records that were left out are LDIF with comments: here they are fixed, and applied."""
    site = at("history")
    text = (ROLL_OUTS / "history" / name).read_text()
    fixed = text.replace("dicomDeviceName=nobody", "dicomDeviceName=storescp")
    fixed = fixed.replace("dicomDescription: two", "dicomDescription: somebody else")
    fixed = re.sub(r"^control: .*\n(?: .*\n)*", "", fixed, flags=re.MULTILINE)
    (tmp_path / name).write_text(fixed)
    applied = run("apply", name, "--yes", "--no-reload")
    assert applied.exit_code == 0, applied.stderr
    assert description(site, "storescp") == ("x" if name.startswith("some") else "Storage SCP")


def roll_outs(run: Run) -> list[dict[str, Any]]:
    listed = run("history", "--json")
    assert (listed.exit_code, listed.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(listed.stdout)["rollouts"]
    return found
