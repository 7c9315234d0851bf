"""``dcmcfg verify`` of many studies, where it cannot go well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from junitparser import Error, JUnitXml

from tests.archive.scripted import Scripted
from tests.bulk.archive import Archive, archive_of, studies
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, command, named
from tests.cli.sites import CliSite, settle_at
from tests.cli.verifying import WORKSTATION, set_values
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


def test_a_destination_that_no_study_can_reach_ends_it_before_the_first(
    run: Run, own_site: RunningSlapd, pacs: Archive, tmp_path: Path
) -> None:
    address = f"{pacs.peer.host}:{pacs.peer.port}"
    done = run("verify", "--dest", "WORKSTATON", "--connect", address, *named(FIVE))
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == (
        "dcmcfg: the AE WORKSTATON does not exist in LDAP, so the archive would refuse every study\n"
        "  next: did you mean WORKSTATION, WORKLIST? Otherwise specify another AE with --dest, or create the AE: "
        "dcmcfg ae add WORKSTATON@HOST:PORT\n"
    )
    set_values(own_site, tmp_path, WORKSTATION, dicomInstalled="FALSE")
    done = run("verify", "--dest", "WORKSTATION", "--connect", address, *named(FIVE))
    assert done.exit_code == 3
    assert "WORKSTATION is not installed (dicomInstalled)" in done.stderr
    assert pacs.associations == 0


@pytest.fixture
def before_adding(unchanged: RunningSlapd, archive: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliSite]:
    """A site at which a temporary destination could be added; nothing of it may have changed, or been asked for."""
    site = settle_at(monkeypatch, unchanged, archive)
    before = site.octets()
    yield site
    assert (site.octets(), archive.requests) == (before, [])


def temporary(pacs: Archive, *arguments: str) -> tuple[str, ...]:
    return ("verify", "--temporary-dest", "--yes", "--connect", f"{pacs.peer.host}:{pacs.peer.port}", *arguments)


@pytest.mark.parametrize(
    ("content", "code", "problem"),
    [
        ("1.2.3\n1.02\n", 2, "1 line contains no Study Instance UID:\n    line 2: '1.02': not a UID: "),
        ("# none\n", 2, "the file lists no studies\n"),
        (None, 3, "cannot read the file (No such file or directory)\n"),
    ],
)
def test_a_list_with_a_mistake_is_refused_before_a_destination_is_added_for_it(
    run: Run, before_adding: CliSite, pacs: Archive, tmp_path: Path, content: str | None, code: int, problem: str
) -> None:
    listed = tmp_path / "list.txt"
    if content is not None:
        listed.write_text(content)
    done = run(*temporary(pacs, "--studies", str(listed)))
    assert (done.exit_code, done.stdout, pacs.associations) == (code, "", 0)
    assert done.stderr.startswith(f"dcmcfg: {listed}: {problem}")


def test_a_query_is_asked_before_a_destination_is_added_for_it(run: Run, before_adding: CliSite, pacs: Archive) -> None:
    done = run(*temporary(pacs, "--query", "PatientID=NOBODY"))
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("dcmcfg: PatientID=NOBODY: no study matches\n")
    with archive_of(studies(101)) as large:
        done = run(*temporary(large, "--query", "PatientID=P1"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert (
        "101 studies match. dcmcfg requires a confirmation, but there is no terminal. Nothing was "
        "requested from the archive\n"
    ) in done.stderr


def test_a_store_of_another_question_is_refused_before_a_destination_is_added(
    run: Run, before_adding: CliSite, pacs: Archive, tmp_path: Path
) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert run(*command(pacs), *named(FIVE[:1]), *store).exit_code == 0
    done = run(*temporary(pacs, *named(FIVE[:1]), *store))
    assert (done.exit_code, done.stdout) == (3, "")
    assert (
        "the result store has results of runs with other parameters: destination: STORESCP in the store, a temporary "
        "one in this run" in done.stderr
    )


def test_a_study_whose_query_fails_is_not_asked_for(run: Run, site: RunningSlapd, tmp_path: Path) -> None:
    with archive_of(FIVE[:1]) as pacs:
        done = run(*command(pacs), *named(FIVE[:1]), "--model", "patient", "--level", "series", "--again")
        assert done.exit_code == 0
        assert (
            "Note      --again also stores the result of the study. If the result is positive, the same command with "
            in done.stdout
        )
        for option, requests in (("--only-failed", 1), ("--again", 2)):
            done = run(*command(pacs), *named(FIVE[:1]), "--model", "patient", "--level", "series", option)
            assert done.exit_code == 0
            assert len(pacs.moves) == requests
        done = run(*command(pacs), *named(FIVE[1:2]), "--level", "series", "--junit", str(tmp_path / "second.xml"))
        assert done.exit_code == 3
    cases = list(next(iter(JUnitXml.fromfile(str(tmp_path / "second.xml")))))
    assert [type(result) for case in cases for result in case.result] == [Error]


def test_an_archive_that_is_not_there_is_told_and_nothing_was_sent(run: Run, site: RunningSlapd) -> None:
    with archive_of(FIVE) as pacs:
        pass
    done = run(*command(pacs), *named(FIVE))
    assert done.exit_code == 3
    assert done.stdout.startswith("5 studies: 5 pending\n")
    assert "connection refused: nothing listens at this address" in done.stdout
    assert re.search(r"to see whether the archive is started: dcmcfg (.* )?status", " ".join(done.stdout.split()))
