"""The answers that ``dcmcfg verify`` of many studies keeps."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from dcmcfg.lab.move_scp import MoveResponse
from tests.bulk.archive import Archive, archive_of
from tests.cli.conftest import Run
from tests.cli.many.scripted import FIVE, Script, Verify, command, named
from tests.cli.verifying import set_values
from tests.running_slapd import RunningSlapd

pytestmark = pytest.mark.real
AE = "dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


def test_kept_answers_are_judged_by_what_this_run_requires(run: Run, site: RunningSlapd) -> None:
    with archive_of(FIVE, availability="ONLINE") as pacs:
        arguments = (*command(pacs), *named(FIVE))
        assert run(*arguments).exit_code == 0
        done = run(*arguments, "--require-route")
        assert done.exit_code == 1
        assert done.stdout.startswith(
            "5 studies: 5 not verified (5 delivered, but the route is unproven), all for similar reasons. dcmcfg sent "
            "no new requests"
        )
        assert (
            "Route     5 studies: delivered (according to the archive): route not shown, but --require-route is set. "
            "Reasons: " in done.stdout
        )
        assert "Failures" not in done.stdout
        assert "          Next step: To verify the route of a purged study, run the same command with " in done.stdout
        assert "with --only-failed" not in done.stdout, "asking again does not show the route"
        assert run(*arguments).exit_code == 0, "what was required is not kept"
        assert sorted(pacs.moves) == FIVE
        assert run(*arguments, "--require-route", "--only-failed").exit_code == 1
        assert len(pacs.moves) == 10
        assert run(*arguments).exit_code == 0


def test_a_store_is_for_one_question_and_named_by_the_user(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify(*named(FIVE[:2]), *store).exit_code == 0
    other = verify(*named(FIVE[:2]), *store, "--calling", "OTHER")
    assert other.exit_code == 3
    assert "other parameters: calling: DCMCFG in the store, OTHER in this run" in other.stderr
    longer = verify(*named(FIVE[:3]), *store)
    assert longer.exit_code == 0
    assert "Note      studies with an earlier result: 2 (the oldest from " in longer.stdout
    assert Counter(pacs.moves) == Counter(FIVE[:3])


def test_a_yes_to_a_part_is_none_to_another(verify: Verify, pacs: Archive, tmp_path: Path) -> None:
    store = ("--results", str(tmp_path / "mine.sqlite"))
    assert verify("--study", FIVE[0], *store).exit_code == 0
    one = verify("--study", FIVE[0], *store, "--image", "1.2.3.4")
    assert one.exit_code == 3
    assert (
        "other parameters: level: study in the store, image in this run; instances: none in the store, 1.2.3.4 in this "
        "run" in one.stderr
    )
    two = verify("--study", FIVE[0], *store, "--expect", "2")
    assert two.exit_code == 3
    assert "other parameters: expected: none in the store, 2 in this run" in two.stderr


def test_a_yes_of_before_the_tree_was_changed_is_no_zero_until_it_is_asked_anew_or_taken(
    run: Run, own_site: RunningSlapd, pacs: Archive, script: Script, tmp_path: Path
) -> None:
    bad = FIVE[1]
    script.answers[bad] = MoveResponse(0xC801)
    arguments = (*command(pacs), *named(FIVE[:3]))
    assert run(*arguments).exit_code == 1
    set_values(own_site, tmp_path, AE, dcmAcceptedMoveDestination="STORESCP")
    del script.answers[bad]

    second_run = run(*arguments, "--only-failed")
    assert second_run.exit_code == 0
    assert second_run.stdout.startswith("3 studies: 3 reported as sent by the archive\n")
    assert (
        "Note      2 of 3 studies succeeded before a configuration change. --only-failed keeps the results of these "
        "studies" in second_run.stdout
    )
    assert Counter(pacs.moves) == Counter([*FIVE[:3], bad])

    green = run(*arguments)
    assert green.exit_code == 1
    assert green.stdout.startswith(
        "3 studies: 1 reported as sent by the archive, 2 outdated. dcmcfg sent no new requests. The latest "
        "stored result is from 20"
    )
    assert (
        'Failures  2 studies: the relevant configuration has changed since this result. Stored result: "rep'
        in green.stdout
    )
    assert (
        "Next step The configuration has changed. To verify all studies again, run the same command with --again\n"
    ) in green.stdout
    assert "--only-failed" not in green.stdout

    content = json.loads(run(*arguments, "--json").stdout)
    assert (content["accepted"], content["outcome_counts"]) == (False, {"reported": 1, "outdated": 2, "pending": 0})
    assert (len(content["tree"]["sha256"]), content["tree"]["results_from_other_tree_count"]) == (64, 2)
    assert [each["from_other_tree"] for each in content["studies"]] == [True, False, True]

    assert run(*arguments, "--again").exit_code == 0
    assert (run(*arguments).exit_code, len(pacs.moves)) == (0, 7)


@pytest.mark.parametrize("has_own_file", [False, True])
def test_only_the_failed_studies_are_asked_again_after_the_route_was_changed(
    run: Run, own_site: RunningSlapd, pacs: Archive, script: Script, tmp_path: Path, has_own_file: bool
) -> None:
    bad = FIVE[1]
    script.answers[bad] = MoveResponse(0xA801)
    own_file = ("--results", str(tmp_path / "own.sqlite")) if has_own_file else ()
    arguments = (*command(pacs), *named(FIVE[:3]), *own_file)
    assert run(*arguments).exit_code == 1
    assert run("set-external-retrieve", "DCM4CHEE", "--yes", "--no-reload").exit_code == 0
    del script.answers[bad]

    repeated = run(*arguments, "--only-failed")
    assert repeated.exit_code == 0
    assert Counter(pacs.moves) == Counter([*FIVE[:3], bad])
    assert (
        "Note      using the results from before a configuration change (dcmExternalRetrieveAEDestination: none in the "
        "store, DCM4CHEE in this run). dcmcfg keeps the results of successful studies" in repeated.stdout
    )
    assert "Note      2 of 3 studies succeeded before a configuration change" in repeated.stdout
    again = run(*arguments, "--only-failed")
    assert (again.exit_code, len(pacs.moves)) == (0, 4)
    assert "using the results from before" not in again.stdout


def test_a_log_that_did_not_change_is_told_once_for_the_whole_run(verify: Verify, tmp_path: Path) -> None:
    log = tmp_path / "moves.jsonl"
    log.touch()
    done = verify(*named(FIVE[:2]), "--external-log", str(log))
    output = " ".join(done.stdout.split())
    note = f"Note the log {log} did not change during the run. Either the external archive received no request, or"
    assert output.count(note) == 1
    assert "To read the external archive's log" not in output
    again = verify(*named(FIVE[:2]), "--external-log", str(log))
    assert "did not change" not in again.stdout, "no request was sent"
