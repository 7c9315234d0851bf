"""``dcmcfg verify`` of many studies, some of which fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dcmcfg.lab.move_scp import MoveResponse
from tests.bulk.archive import Archive, archive_of, studies
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Script, Verify, command, named, plain
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real


def test_studies_that_fail_are_told_in_groups_and_asked_again_when_that_is_wanted(
    verify: Verify, pacs: Archive, site: RunningSlapd, script: Script
) -> None:
    script.answers = {uid: MoveResponse(0xC801, "Move Destination not allowed") for uid in FIVE[1:3]}
    done = verify(*named(FIVE))
    assert done.exit_code == 1
    assert plain(done.stdout, pacs, site) == (
        "5 studies: 3 reported as sent by the archive, 2 not verified\n\nC-MOVE from DCMCFG to "
        "DCM4CHEE@127.0.0.1:PORT, Move Destination STORESCP\n5 attempts; instances sent (as reported by the archive): "
        "3\nRoute (number of studies): not shown 5\nTo show the route, use --require-route, "
        "which queries the archive's database. To read the external archive's log, use --external-log FILE. Request "
        "other purged studies: a delivered study may be local now, and a local study shows no route.\n\nFailures  2 "
        f"studies: status C801, refused: the archive does not allow this Move Destination\n          {FIVE[1]}\n       "
        f"   {FIVE[2]}\n          Next step: In LDAP, dcmAcceptedMoveDestination of DCM4CHEE is not set, so any "
        "destination is allowed. But the archive still uses an older configuration: run dcmcfg reload. If the error "
        "remains, the archive reads another LDAP directory. To check, run dcmcfg status --directory\nResults   "
        "STORE\nNext step Fix the problems, then run the same command with --only-failed\n"
    )
    script.answers = {}
    assert verify(*named(FIVE), "--only-failed").exit_code == 0
    assert Counter(pacs.moves) == Counter(FIVE) + Counter(FIVE[1:3])
    assert verify(*named(FIVE), "--again").exit_code == 0
    assert len(pacs.moves) == 5 + 2 + 5


def test_that_all_fail_for_like_reasons_is_told_early_and_in_the_end(run: Run, site: RunningSlapd) -> None:
    twelve = studies(12)
    with archive_of(twelve, lambda _, __: MoveResponse(0xA801)) as pacs:
        done = run(*command(pacs), *named(twelve))
    assert done.exit_code == 1
    assert done.stdout.startswith("12 studies: 12 not verified, all for similar reasons\n")
    assert done.stderr.startswith("the first 10 studies all failed for similar reasons: status A801, refused: ")
    assert done.stderr.endswith("; press Ctrl-C to stop\n")
    assert done.stderr.count("\n") == 1


def test_where_the_archive_counts_failures_either_side_may_have_failed(
    run: Run, own_site: RunningSlapd, pacs: Archive, script: Script
) -> None:
    assert run("set-external-retrieve", "DCM4CHEE", "--yes", "--no-reload").exit_code == 0
    script.answers = dict.fromkeys(FIVE[:2], MoveResponse(0xA702, failed=1))
    done = run(*command(pacs), *named(FIVE[:2]), "--retries", "0")
    assert done.exit_code == 1
    (both,) = (" ".join(each.split()) for each in done.stdout.split("2 studies: status A702")[1:])
    assert (
        f"{FIVE[1]} Next step: Either the external archive LONGTERM could not send to DCM4CHEE (see the log of the "
        "external archive), " in both
    )


def test_a_log_that_tells_nothing_is_told_once(verify: Verify, tmp_path: Path) -> None:
    log = tmp_path / "external.log"
    log.write_text("My thesis\n")
    done = verify(*named(FIVE[:2]), "--external-log", str(log), "--parallel", "2")
    notes = done.stdout.split("Note ")[1:]
    (note,) = (" ".join(each.split()) for each in notes)
    assert note.startswith(f"2 of 2 studies: the format of the log {log} is unknown")


def test_an_archive_that_breaks_each_association_ends_the_run_and_the_same_command_goes_on(
    verify: Verify, pacs: Archive, site: RunningSlapd, script: Script
) -> None:
    script.answers = dict.fromkeys(FIVE)
    done = verify(*named(FIVE), "--patience-s", "0.3")
    assert done.exit_code == 1
    assert done.stdout.startswith("5 studies: 5 pending\n")
    output = " ".join(plain(done.stdout, pacs, site).split())
    assert output.endswith(
        "Next step DCM4CHEE@127.0.0.1:PORT: for 0.3 s, the archive broke every association. Last reason: no final "
        "response: the peer aborted the association (source: application). Check the archive's log for the reason Next "
        "step To continue, run the same command again. dcmcfg skips studies that already have a result"
    )
    assert done.stderr.startswith(
        "the archive is unavailable: the archive breaks every association. Last reason: no final response: "
    )
    script.answers = {}
    assert verify(*named(FIVE)).exit_code == 0
