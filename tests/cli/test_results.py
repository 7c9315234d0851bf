"""``dcmcfg results``: what runs over many studies keep, listed and cleared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dcmcfg.bulk.run_options import RunParameters
from dcmcfg.bulk.store import ResultStore
from dcmcfg.settings.folders import get_state_folder
from tests.bulk.test_store_catalog import make
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run


@pytest.fixture
def folder() -> Path:
    return get_state_folder() / "verify"


@pytest.fixture
def two(folder: Path) -> tuple[Path, Path]:
    return make(folder / "0123456789abcdef.sqlite"), make(folder / "fedcba9876543210.sqlite")


def test_they_are_listed_with_what_they_are_about(run: Run, two: tuple[Path, Path], folder: Path) -> None:
    done = run("results", "list")
    size = two[0].stat().st_size
    _, heading, _, *rows, total = done.stdout.splitlines()
    assert (done.exit_code, done.stderr) == (0, "")
    assert heading.split() == [
        "Name",
        "Used",
        "(UTC)",
        "Archive",
        "Destination",
        "Finished",
        "Pending",
        "Size",
        "Source",
    ]
    assert [[each[0], *each[3:]] for each in map(str.split, filter(None, rows))] == [
        [name, "DCM4CHEE@here:11112", "STORESCP", "1", "2", f"{size / 1000:.0f}", "kB", "/lists/may.txt"]
        for name in ("fedcba9876543210", "0123456789abcdef")
    ]
    assert total == f"2 stores, {2 * size / 1000:.0f} kB in {folder}"
    content = json.loads(run("results", "list", "--json").stdout)
    assert content["folder"] == str(folder)
    assert [
        (each["name"], each["finished_count"], each["pending_count"], each["problem"]) for each in content["results"]
    ] == [
        ("fedcba9876543210", 1, 2, None),
        ("0123456789abcdef", 1, 2, None),
    ]


def test_in_a_narrow_terminal_each_takes_one_line(
    run: Run, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = run("results", "list").stdout
    _, heading, _, first, second, _, note, total = text.splitlines()
    assert heading.split() == ["Name", "Used", "(UTC)", "Destination", "Finished", "Pending"]
    assert [[each.split()[0], *each.split()[3:]] for each in (first, second)] == [
        ["fedcba9876543210", "STORESCP", "1", "2"],
        ["0123456789abcdef", "STORESCP", "1", "2"],
    ]
    assert note == "Not shown: Archive, Size, Source. --wide shows all columns."
    assert total.startswith("2 stores, ")
    assert max(map(len, text.splitlines()[:-1])) <= 80
    assert "DCM4CHEE@here:11112" in run("results", "list", "--wide").stdout


def test_where_there_is_none_that_is_said(run: Run, folder: Path) -> None:
    done = run("results", "list")
    assert (done.exit_code, done.stdout) == (0, f"No results in {folder}\n")
    assert not folder.exists()


def test_those_of_a_name_are_deleted_and_the_others_stay(run: Run, two: tuple[Path, Path], folder: Path) -> None:
    done = run("results", "clear", "0123", "--yes")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "Deleted: 0123456789abcdef\n", "")
    assert [each.name for each in folder.iterdir()] == [two[1].name]
    unknown = run("results", "clear", "0123", "--yes")
    assert (unknown.exit_code, unknown.stdout) == (3, "")
    assert unknown.stderr == (
        "dcmcfg: 0123: no result store has this name\n  next: existing stores: fedcba9876543210\n"
    )


def test_those_of_an_age_are_deleted(run: Run, two: tuple[Path, Path]) -> None:
    assert run("results", "clear", "--older-than-days", "1", "--yes").stdout == "Nothing was deleted.\n"
    done = run("results", "clear", "--older-than-days", "0", "--yes", "--json")
    assert json.loads(done.stdout) == {"deleted": ["fedcba9876543210", "0123456789abcdef"]}
    assert [each.exists() for each in two] == [False, False]


def test_one_that_a_run_uses_is_left(run: Run, two: tuple[Path, Path]) -> None:
    facts = {"archive": "DCM4CHEE@here:11112", "destination": "STORESCP"}
    with ResultStore.open(two[0], RunParameters(facts)):
        done = run("results", "clear", "--older-than-days", "0", "--yes")
    assert (done.exit_code, done.stdout) == (1, "Deleted: fedcba9876543210\n")
    assert done.stderr.startswith("Not deleted: 0123456789abcdef: another run uses this result store (process ")
    assert two[0].exists()


def test_it_is_asked_first(run: Run, two: tuple[Path, Path]) -> None:
    nobody = run("results", "clear", "0123")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert nobody.stderr.endswith(
        "dcmcfg: there is no terminal for the confirmation; nothing was changed\n  next: pass --yes to confirm\n"
    )
    code, shown = at_terminal(("results", "clear", "0123"), [("results? [y/N]: ", "n")])
    assert (code, shown.splitlines()[-1]) == (1, "dcmcfg: declined; nothing was deleted")
    assert all(each.exists() for each in two)
    code, shown = at_terminal(("results", "clear", "0123"), [("results? [y/N]: ", "y")])
    assert (code, shown.splitlines()[-1]) == (0, "Deleted: 0123456789abcdef")


@pytest.mark.parametrize("arguments", [(), ("0123", "--older-than-days", "1")])
def test_what_is_to_be_deleted_is_said_in_one_way(run: Run, arguments: tuple[str, ...]) -> None:
    done = run("results", "clear", *arguments)
    assert done.exit_code == 2
    assert "Specify --older-than-days N, or a NAME from the list of 'dcmcfg results list'" in done.stderr
