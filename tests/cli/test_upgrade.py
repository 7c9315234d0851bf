"""``dcmcfg upgrade``: a customised configuration gets the changes of a release, and undo takes them back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import CliSite, attributes, settle_at
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd


@pytest.fixture(scope="session")
def update_folders(upstream: Path) -> tuple[str, ...]:
    return ("--updates", str(upstream / "updates"))


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory, upstream: Path) -> Path:
    """A hospital's tree at 5.31.0 as ``site.ldif``, and as ``fresh.ldif`` the same made from 5.33.1."""
    releases = os.environ.get("DCMCFG_RELEASES")
    if not releases:
        pytest.skip("DCMCFG_RELEASES is not set: no customised tree is upgraded")
    folder = tmp_path_factory.mktemp("customised")
    program = Path(releases).parent / "customise.py"
    for name, release, more in (
        ("site", "5.31.0", ()),
        ("fresh", "5.33.1", ("--clones-like", str(upstream / "5.31.0"))),
    ):
        subprocess.run(
            [
                sys.executable,
                str(program),
                "hospital",
                str(upstream / release),
                "--out",
                f"{folder}/{name}.ldif",
                *more,
            ],
            check=True,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
    return folder


@pytest.fixture
def hospital(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trees: Path, archive: Scripted) -> Iterator[CliSite]:
    server = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD)
    server.prepare()
    server.load_files([trees / "site.ldif"])
    with server:
        yield settle_at(monkeypatch, RunningSlapd(server), archive)


def options_to(upstream: Path, *more: str) -> tuple[str, ...]:
    return ("--from", str(upstream / "5.31.0"), "--to", str(upstream / "5.33.1"), *more)


@pytest.mark.real
def test_the_applied_plan_equals_the_fresh_release_and_undo_takes_all_back(
    run: Run, hospital: CliSite, trees: Path, upstream: Path, update_folders: tuple[str, ...], tmp_path: Path
) -> None:
    before = hospital.octets()
    arguments = options_to(upstream, *update_folders, "--gap", "all")
    plan = tmp_path / "plan.ldif"
    planned = run("upgrade", "plan", *arguments, "-o", str(plan))
    assert (planned.exit_code, planned.stderr) == (0, "")
    assert planned.stdout.endswith(f"plan: {plan}\nTo apply it: dcmcfg apply {plan}\n")
    assert plan.stat().st_mode & 0o777 == 0o600
    assert hospital.octets() == before
    applied = run("apply", str(plan), "--yes", "--no-reload")
    assert applied.exit_code == 0, applied.stderr
    with (trees / "fresh.ldif").open("rb") as source:
        records = read_all(source, "fresh")
        fresh = {str(each.entry.dn): attributes(each.entry) for each in records if isinstance(each, ContentRecord)}
    result = hospital.octets()
    assert result.keys() == fresh.keys()
    assert {dn for dn in fresh if fresh[dn] != result[dn]} == set()
    again = json.loads(run("upgrade", "plan", *arguments, "--json").stdout)
    assert (again["changes"], again["decisions"]) == ([], [])
    assert again["status"]["configuration"]["last_release"] == "5.33.1"
    undone = run("undo", "--yes", "--no-reload")
    assert undone.exit_code == 0, undone.stderr
    assert hospital.octets() == before
