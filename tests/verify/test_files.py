"""Where the files were, by the archive's database: what that does to route, headline and advice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.archive.stored import StoredObject, StoredStudy
from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.advice.holder_unknown import NO_EXTERNAL_ARCHIVE
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.files import Files, files_before
from dcmcfg.verify.judge import LOCAL, ONLINE_HINT, SECOND_RUN, judge
from dcmcfg.verify.route import judge_route
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import (
    ALONE,
    GOOD,
    LOCAL_STUDY,
    STUDY,
    UIDS,
    UNWITNESSED,
    arrived,
    listed,
    recorded,
    stored,
)

PURGED = StoredStudy(STUDY, number=3, availability="NEARLINE", external="LONGTERM")
RECALLED = replace(PURGED, availability="ONLINE", storage_ids=("fs1",))


def objects(*local: bool, external: str = "LONGTERM") -> tuple[StoredObject, ...]:
    """Objects of the study that have a file, or are in the external archive."""
    return tuple(
        StoredObject(uid, ("fs1",)) if here else StoredObject(uid, (), external)
        for uid, here in zip(UIDS, local, strict=True)
    )


def reasons(evidence: Evidence, *, delivered: bool = True) -> tuple[str, ...]:
    return judge_route(evidence, delivered=delivered).reasons


def test_a_local_study_proves_nothing_and_the_headline_says_so() -> None:
    verdict = judge(stored(ALONE, LOCAL_STUDY, LOCAL_STUDY, objects(True, True, True)))
    assert verdict.headline == f"verified: 3 of 3 instances received by WORKSTATION; {LOCAL}"
    assert (verdict.exit_code, verdict.route.finding, verdict.route.instances) == (0, RouteFinding.NOT_TRIED, 0)
    assert verdict.next_steps == ("dcmcfg verify --recall --dest WORKSTATION takes a study that is really purged",)
    assert "that it delivers them proves nothing about external retrieve" in verdict.route.reasons[1]
    assert SECOND_RUN not in verdict.notes
    assert ONLINE_HINT not in verdict.notes


def test_a_local_study_that_fails_says_nothing_about_external_retrieve_either() -> None:
    failed = replace(stored(ALONE, LOCAL_STUDY), received=(), outcome=MoveOutcome(0xA702, failed=3))
    verdict = judge(failed)
    assert verdict.headline.endswith("; 3 failed; nothing arrived at WORKSTATION")
    assert verdict.route.finding is RouteFinding.NOT_TRIED
    assert "it is WORKSTATION that it could not send to" in verdict.next_steps[0]


def test_a_required_route_is_not_given_by_a_local_study() -> None:
    local = judge(stored(ALONE, LOCAL_STUDY), require_route=True)
    assert (local.headline, local.exit_code) == (f"NOT verified: {LOCAL}", 1)
    untold = judge(replace(ALONE, expected=listed("ONLINE")), require_route=True)
    assert (untold.headline, untold.exit_code) == ("NOT verified: route not shown, and it is required", 1)
    assert judge(GOOD, require_route=True).exit_code == 0


def test_what_had_no_file_and_is_delivered_came_from_elsewhere_whatever_the_availability() -> None:
    route = judge_route(stored(ALONE, PURGED, RECALLED, availability="ONLINE"), delivered=True)
    assert (route.finding, route.instances) == (RouteFinding.SHOWN, 3)
    assert route.reasons[:2] == (
        "before the move, the archive's database had no file of 3 instances",
        "after the move, it has files on fs1: the study was recalled",
    )
    assert judge_route(stored(ALONE, PURGED, RECALLED), delivered=False).finding is RouteFinding.NOT_SHOWN


def test_what_does_not_come_back_although_the_tree_says_so_is_told() -> None:
    evidence = stored(ALONE, PURGED, PURGED)
    told = (
        "after the move, none of them is in the archive's own storage, although the tree has them come back to DCM4CHEE"
    )
    assert told in reasons(evidence)
    assert judge_route(evidence, delivered=True).finding is RouteFinding.NOT_SHOWN
    direct = replace(evidence, route=replace(ALONE.route, destination=None))
    assert not any("come back" in reason for reason in reasons(direct))


def test_of_a_study_that_is_partly_local_the_rest_is_shown() -> None:
    evidence = stored(ALONE, RECALLED, RECALLED, objects(True, False, False))
    verdict = judge(evidence)
    assert verdict.headline == "verified: 3 of 3 instances received by WORKSTATION; route shown for 2 of them"
    assert verdict.route.reasons[0] == "before the move, the archive's database had no file of 2 of 3 instances"
    assert "the others were still local, on fs1: of them it proves nothing" in verdict.route.reasons


@pytest.mark.parametrize(
    ("before", "told", "finding", "away"),
    [
        (StoredStudy(STUDY, known=False), None, Files.UNTOLD, 0),
        (PURGED, None, Files.AWAY, 3),
        (LOCAL_STUDY, None, Files.HERE, 0),
        (LOCAL_STUDY, objects(True, True, True), Files.HERE, 0),
        (LOCAL_STUDY, objects(True, True, False), Files.IN_PART, 1),
        (LOCAL_STUDY, objects(False, False, False), Files.AWAY, 3),
        (LOCAL_STUDY, objects(True, True, True)[:2], Files.UNTOLD, 0),
        (replace(LOCAL_STUDY, number=5), None, Files.UNTOLD, 0),  # those asked for are a part of the study
        (replace(LOCAL_STUDY, storage_ids=("tape",)), None, Files.AWAY, 3),  # not configured: as good as no file
    ],
)
def test_where_the_files_were(
    before: StoredStudy, told: tuple[StoredObject, ...] | None, finding: Files, away: int
) -> None:
    files = files_before(stored(ALONE, before, None, told))
    assert (files.finding, files.away) == (finding, away)


def test_without_the_database_the_availability_counts_and_local_is_never_known() -> None:
    assert files_before(replace(ALONE, expected=listed("NEARLINE"))).finding is Files.AWAY
    assert files_before(replace(ALONE, expected=listed("ONLINE"))).finding is Files.UNTOLD
    assert files_before(replace(ALONE, expected=())).finding is Files.UNTOLD


def test_files_on_a_storage_that_is_not_configured_are_told() -> None:
    elsewhere = stored(ALONE, replace(LOCAL_STUDY, storage_ids=("tape",)))
    assert reasons(elsewhere)[0].endswith("no file of 3 instances that it can read (tape is not configured)")


def test_nearline_of_a_file_that_is_here_is_that_of_its_storage() -> None:
    evidence = stored(ALONE, LOCAL_STUDY, None, objects(True, True, True), availability="NEARLINE")
    assert judge_route(evidence, delivered=True).finding is RouteFinding.NOT_TRIED
    assert "NEARLINE is said although the files are here: by the storage's own availability" in reasons(evidence)


def test_a_record_of_a_recall_of_what_was_here_is_a_contradiction_that_is_told() -> None:
    evidence = replace(stored(ALONE, LOCAL_STUDY), records=(recorded(),))
    assert judge_route(evidence, delivered=True).finding is RouteFinding.SHOWN
    assert any("that completed, although the files were here" in reason for reason in reasons(evidence))


def test_a_purged_study_without_an_external_archive_cannot_be_fetched_and_that_is_the_first_advice() -> None:
    orphan = stored(ALONE, replace(PURGED, external=""), None, objects(False, False, False, external=""))
    failed = replace(orphan, received=(), outcome=MoveOutcome(0xA702, failed=3))
    assert any(reason.startswith("no external archive is recorded") for reason in reasons(failed, delivered=False))
    assert judge(failed).next_steps[0] == NO_EXTERNAL_ARCHIVE


def test_an_external_archive_that_the_tree_does_not_know_is_told() -> None:
    known = replace(stored(ALONE, PURGED), route=replace(ALONE.route, titles=frozenset({"LONGTERM"})))
    assert not any("has no AE" in reason for reason in reasons(known))
    unknown = replace(known, route=replace(ALONE.route, titles=frozenset({"NEWTERM"})))
    assert any(reason.startswith("the tree has no AE LONGTERM") for reason in reasons(unknown))


def test_a_study_that_the_database_does_not_know_is_told() -> None:
    unknown = stored(ALONE, StoredStudy(STUDY, known=False))
    told = "the archive's database has no such study for DCM4CHEE"
    assert f"{told}, although it lists 3 instances by C-FIND" in reasons(unknown)
    assert told in reasons(replace(unknown, expected=()))


def test_an_incomplete_study_is_told() -> None:
    incomplete = stored(ALONE, replace(LOCAL_STUDY, completeness="PARTIAL", failed_retrieves=2))
    assert "the archive counts the study as PARTIAL, failed retrieves: 2" in reasons(incomplete)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (listed("ONLINE"), "after the move, 3 of them are ONLINE: recalled"),
        (listed("NEARLINE"), "after the move, 3 of them are as before"),
        (listed("ONLINE", UIDS[:1]), "after the move, the archive no longer lists 2 of them"),
        (listed("ONLINE", UIDS[:1]), "after the move, 1 of them is ONLINE: recalled"),
    ],
)
def test_without_the_database_the_change_of_availability_is_told(after: tuple[object, ...], told: str) -> None:
    evidence = replace(UNWITNESSED, after=after)  # type: ignore[arg-type]  # instances
    assert told in reasons(evidence)


def test_an_availability_that_did_not_change_is_told() -> None:
    unchanged = replace(UNWITNESSED, expected=listed("ONLINE"), after=listed("ONLINE"))
    assert "Instance Availability before the move: ONLINE, after it: ONLINE" in reasons(unchanged)


def test_a_foreign_caller_still_contradicts_the_route_of_a_purged_study() -> None:
    direct = replace(stored(ALONE, PURGED, PURGED), received=arrived(calling="LONGTERM"))
    assert judge_route(direct, delivered=True).finding is RouteFinding.CONTRADICTED
