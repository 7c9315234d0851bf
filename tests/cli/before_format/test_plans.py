"""Plans that were written with ``--out`` before the format number: applied, and refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.before_format.conftest import At, Holding
from tests.cli.before_format.files import PLANS, ROLL_OUTS, after, before, octets
from tests.cli.conftest import Run
from tests.cli.sites import DEVICES, NAME

pytestmark = pytest.mark.real


@pytest.mark.parametrize("manner", [(), ("--transaction",), ("--step-by-step",)], ids=["", "transaction", "stepwise"])
def test_a_plan_is_applied_and_undone(holding: Holding, run: Run, manner: tuple[str, ...]) -> None:
    site = holding(before())
    applied = run("apply", str(PLANS / "plan.ldif"), *manner, "--yes")
    assert applied.exit_code == 0, applied.stderr
    assert site.octets() == octets(after())
    assert site.archive.reloads == 1
    assert run("undo", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(before())


@pytest.mark.parametrize("name", ["undo.ldif", "restore.ldif"])
def test_the_plan_of_an_undo_and_of_a_restore_is_applied(holding: Holding, run: Run, name: str) -> None:
    site = holding(after())
    assert run("apply", str(PLANS / name), "--dry-run").exit_code == 0
    assert site.octets() == octets(after())
    applied = run("apply", str(PLANS / name), "--yes", "--no-reload")
    assert applied.exit_code == 0, applied.stderr
    assert site.octets() == octets(before())


def test_the_plan_of_an_undo_is_refused_in_a_tree_whose_entries_were_written_again(at: At, run: Run) -> None:
    """It asserts the entryCSN of what it deletes: the same values were written by another run there."""
    site = at("applied")
    refused = run("apply", str(PLANS / "undo.ldif"), "--yes", "--no-reload")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "entryCSN" in refused.stderr
    assert site.octets() == octets(after())


def test_the_plan_of_an_undo_fits_the_tree_that_it_was_made_for(at: At, run: Run) -> None:
    site = at("applied")
    plan = str(ROLL_OUTS / "applied" / "undo-1.plan.ldif")
    assert run("apply", plan, "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(before())
    assert run("undo", "2", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(after())


def test_the_plan_of_set_external_retrieve_shows_the_same_changes_as_the_command(holding: Holding, run: Run) -> None:
    site = holding(before())
    planned = run("apply", str(PLANS / "external-retrieve.ldif"), "--dry-run")
    assert planned.exit_code == 0
    assert "external-retrieve.ldif was written for ldap://127.0.0.1:" in planned.stderr
    assert planned.stdout == run("set-external-retrieve", "DCM4CHEE", "--dry-run").stdout
    assert run("apply", str(PLANS / "external-retrieve.ldif"), "--yes").exit_code == 0
    assert site.values(NAME) == ("DCM4CHEE",)


@pytest.mark.parametrize("name", ["plan.ldif", "undo.ldif", "external-retrieve.ldif", "restore.ldif"])
def test_a_plan_is_written_today_as_it_was(holding: Holding, run: Run, tmp_path: Path, name: str) -> None:
    """What a plan of the old program asserts, one of the current program asserts too."""
    holding(before() if name in ("plan.ldif", "external-retrieve.ldif") else after())
    again = tmp_path / name
    written = run("apply", str(PLANS / name), "--dry-run", "--out", str(again))
    assert written.exit_code == 0, written.stderr
    assert _records(again) == _records(PLANS / name)


@pytest.mark.parametrize("name", ["plan.ldif", "external-retrieve.ldif"])
def test_a_plan_that_does_not_fit_any_more_is_refused_as_a_whole(
    holding: Holding, run: Run, tmp_path: Path, name: str
) -> None:
    site = holding(before())
    entry, attribute = (
        ("storescp", "dicomDescription")
        if name == "plan.ldif"
        else ("dcm4chee-arc", "dcmExternalRetrieveAEDestination")
    )
    somebody = tmp_path / "somebody.ldif"
    somebody.write_text(
        f"dn: dicomDeviceName={entry},{DEVICES}\nchangetype: modify\nreplace: {attribute}\n{attribute}: STORESCP\n"
    )
    assert site.slapd.run_client("ldapmodify", "-f", str(somebody)).returncode == 0
    now = site.octets()
    refused = run("apply", str(PLANS / name), "--yes")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert f"dicomDeviceName={entry},{DEVICES}" in refused.stderr
    assert site.octets() == now


def _records(path: Path) -> str:
    """The text below the comments at the head."""
    return "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("#"))
