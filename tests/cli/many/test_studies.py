"""``dcmcfg verify`` of many studies: which they are."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.bulk.archive import Archive, archive_of, studies
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Verify, command, named, plain
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


def test_several_studies_are_one_run_and_the_same_command_again_asks_for_nothing(
    verify: Verify, pacs: Archive, site: RunningSlapd
) -> None:
    done = verify(*named(FIVE))
    assert (done.exit_code, done.stderr) == (0, "")
    assert plain(done.stdout, pacs, site) == (
        "5 studies: 5 reported as sent by the archive\n"
        "\n"
        "C-MOVE from DCMCFG to DCM4CHEE@127.0.0.1:PORT, Move Destination STORESCP\n"
        "5 attempts; instances sent (as reported by the archive): 5\n"
        "Route (number of studies): not shown 5\n"
        "To show the route, use --require-route, which queries the archive's database. To read the external archive's "
        "log, use --external-log FILE. Request other purged studies: a delivered study may be local now, and a local "
        "study shows no route.\n"
        "\n"
        "Results   STORE\n"
    )
    assert sorted(pacs.moves) == FIVE
    again = verify(*named(FIVE))
    assert again.exit_code == 0
    assert again.stdout.startswith(
        "5 studies: 5 reported as sent by the archive. dcmcfg sent no new requests. The latest stored result is from 20"
    )
    assert (
        "Note      every study already has a result, so dcmcfg sent no request. To request all studies again: --again\n"
        in again.stdout
    )
    assert sorted(pacs.moves) == FIVE


def test_a_list_with_broken_lines_is_told_whole_and_nothing_is_asked(
    verify: Verify, pacs: Archive, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"{FIVE[0]}\nnonsense\n1.02\n")
    done = verify("--studies", str(listed))
    assert done.exit_code == 2
    assert done.stderr == (
        f"dcmcfg: {listed}: 2 lines contain no Study Instance UID:\n    line 2: 'nonsense': not a UID: it contains "
        "characters other than digits and dots\n    line 3: '1.02': not a UID: a component is empty or begins with a "
        "zero, or there is only one component\n  next: correct each line, or put a # at the start of the line. "
        "dcmcfg sent no request\n"
    )
    assert pacs.moves == []
    done = verify("--studies", str(listed), "--results", str(tmp_path / "results.sqlite"))
    assert (done.exit_code, list(tmp_path.glob("results*"))) == (2, [])


def test_a_list_may_come_from_standard_input(verify: Verify, pacs: Archive) -> None:
    done = verify("--studies", "-", "--json", input="\n".join([*FIVE[:2], FIVE[0]]))
    report = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (report["accepted"], report["verified"]) == (True, False), "nobody of ours saw them"
    assert (report["outcome_counts"], report["route_counts"]) == ({"reported": 2, "pending": 0}, {"not_shown": 2})
    assert (report["has_new_results"], sorted(report["result_period"])) == (True, ["first_at", "last_at"])
    assert "duplicate entries ignored: 1" in report["notes"]
    assert [study["study_instance_uid"] for study in report["studies"]] == FIVE[:2]
    assert sorted(pacs.moves) == FIVE[:2]


def test_the_studies_that_match_a_query_are_counted_and_kept(verify: Verify, pacs: Archive) -> None:
    done = verify("--query", "patientid=P1", "--limit", "3", "--json")
    report = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "more than 3 studies match, but dcmcfg verifies only 3 studies\n")
    assert "more than 3 studies match; dcmcfg ignores the studies above this limit (--limit)" in report["notes"]
    assert len(pacs.moves) == 3
    again = json.loads(verify("--query", "patientid=P1", "--limit", "3", "--json").stdout)
    assert again["notes"][-2].startswith("using the list of studies from ")
    assert len(pacs.moves) == 3


def test_a_query_on_a_store_of_a_list_is_asked(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify(*named(FIVE[:2]), *store).exit_code == 0
    done = verify("--query", "PatientID=P1", *store)
    assert (done.exit_code, done.stderr) == (0, "5 studies match\n")
    assert Counter(pacs.moves) == Counter(FIVE)


def test_very_many_that_match_are_asked_about_at_a_terminal(site: RunningSlapd) -> None:
    with archive_of(studies(101)) as pacs:
        code, shown = at_terminal((*command(pacs), "--query", "PatientID=P1"), [("[y/N]: ", "n")])
        assert (code, pacs.moves) == (1, [])
    assert "101 studies match\nRequest 101 studies? [y/N]: n\n" in shown
    assert "declined; nothing was requested\n" in shown


def test_a_query_that_nothing_matches_has_nothing_sent(run: Run, verify: Verify, pacs: Archive) -> None:
    done = verify("--query", "PatientID=NOBODY")
    assert done.exit_code == 3
    assert "no study matches" in done.stderr
    assert pacs.moves == []
    assert json.loads(run("results", "list", "--json").stdout)["results"] == [], "nothing is left behind"


def test_very_many_that_match_are_not_asked_for_unless_so_many_are_meant(run: Run, site: RunningSlapd) -> None:
    with archive_of(studies(101)) as pacs:
        done = run(*command(pacs), "--query", "PatientID=P1")
        assert done.exit_code == 1
        assert done.stderr == (
            "101 studies match\n"
            "dcmcfg: 101 studies match. dcmcfg requires a confirmation, but there is no terminal. Nothing was "
            "requested from the archive\n"
            "  next: to verify 101 studies without confirmation: --limit 101\n"
        )
        assert pacs.moves == []
