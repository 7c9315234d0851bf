"""Temporary destinations that a run from before the format number has left: found, warned of, and removed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.before_format.conftest import At, Holding
from tests.cli.before_format.files import ROLL_OUTS, before, octets, tree
from tests.cli.conftest import Run

pytestmark = pytest.mark.real
LEFT = ["temporary", "temporary-cleaning"]


def title_of(name: str) -> str:
    """The AE title of the temporary destination: the name of the file by which a run claims it."""
    (claim,) = (ROLL_OUTS / name / "state" / "temporary").iterdir()
    return claim.name


def claims() -> list[str]:
    folder = Path(os.environ["XDG_STATE_HOME"]) / "dcmcfg" / "temporary"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


@pytest.mark.parametrize("name", LEFT)
def test_status_warns_of_it(at: At, run: Run, name: str) -> None:
    at(name)
    warned = run("status")
    assert warned.exit_code == 0
    assert title_of(name) in warned.stderr
    claim = json.loads((ROLL_OUTS / name / "state" / "temporary" / title_of(name)).read_text())
    assert claim["when"].replace("T", " ").removesuffix("Z") in warned.stderr
    assert "dcmcfg verify --clean-temporary" in warned.stderr
    assert json.loads(run("status", "--directory", "--json").stdout)["temporary_leftovers"] == [title_of(name)]


@pytest.mark.parametrize("name", LEFT)
def test_it_is_removed(at: At, run: Run, name: str) -> None:
    site = at(name)
    assert site.octets() != octets(before())
    cleaned = run("verify", "--clean-temporary", "--yes")
    assert cleaned.exit_code == 0, cleaned.stderr
    assert title_of(name) in cleaned.stdout + cleaned.stderr
    assert site.octets() == octets(before())
    assert site.archive.reloads == 1
    assert claims() == []
    assert run("status").stderr == ""
    newest, oldest = json.loads(run("history", "--json").stdout)["rollouts"]
    assert (newest["number"], newest["undo_of"], oldest["undone_by"]) == (2, 1, 2)


def test_another_account_finds_it_by_its_description(holding: Holding, run: Run) -> None:
    site = holding(tree(ROLL_OUTS / "temporary"))
    assert run("status").stderr == ""
    assert title_of("temporary") in run("status", "--directory").stderr
    assert site.octets() == octets(tree(ROLL_OUTS / "temporary"))


def test_status_ignores_what_was_left_on_another_server(at: At, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    site = at("temporary")
    monkeypatch.setenv("DCMCFG_LDAP_URL", site.slapd.url.replace("127.0.0.1", "localhost"))
    assert run("status").stderr == ""


def test_undo_removes_it_as_well(at: At, run: Run) -> None:
    site = at("temporary")
    assert run("undo", "1", "--yes", "--no-reload").exit_code == 0
    assert site.octets() == octets(before())
