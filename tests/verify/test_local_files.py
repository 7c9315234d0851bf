"""Where the files were according to the archive's database: what that does to route, headline and advice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.archive.stored_studies import StoredStudy
from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.advice.external_archive_unknown import NO_EXTERNAL_ARCHIVE
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import LOCAL_STUDY_NOTE, SECOND_RUN_NOTE, judge_evidence
from dcmcfg.verify.local_files import FileLocality, count_recalled, locate_files_before_move
from dcmcfg.verify.route_assessment import judge_route
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import (
    ALONE,
    GOOD,
    LOCAL_STUDY,
    PURGED,
    UIDS,
    UNKNOWN_STUDY,
    UNWITNESSED,
    instances_before_move,
    received_instances,
    recorded,
    stored,
    study,
)

FALLBACK = replace(ALONE.route, fallback_move_scp="OLDPACS", fallback_destination="DCM4CHEE")


def reasons(evidence: Evidence, *, delivered: bool = True) -> tuple[str, ...]:
    return judge_route(evidence, delivered=delivered).reasons


def finding(evidence: Evidence, *, delivered: bool = True) -> RouteFinding:
    return judge_route(evidence, delivered=delivered).finding


def test_a_local_study_proves_nothing_and_the_headline_says_so() -> None:
    verdict = judge_evidence(stored(ALONE, LOCAL_STUDY, LOCAL_STUDY))
    assert verdict.headline == f"verified: 3 of 3 instances received by WORKSTATION; {LOCAL_STUDY_NOTE}"
    assert (verdict.exit_code, verdict.route.finding, verdict.route.shown_count) == (0, RouteFinding.NOT_TRIED, 0)
    assert verdict.next_steps == ("to verify a purged study, run dcmcfg verify --recall --dest WORKSTATION",)
    assert "A local study proves nothing about external retrieve" in verdict.route.reasons[1]
    assert SECOND_RUN_NOTE not in verdict.notes


def test_a_local_study_is_not_tried_whatever_the_tree_configures() -> None:
    unset = replace(
        stored(ALONE, LOCAL_STUDY, LOCAL_STUDY), route=replace(ALONE.route, external_retrieve_destination=None)
    )
    assert finding(unset) is RouteFinding.NOT_TRIED
    assert judge_evidence(unset, require_route=True).exit_code == 1


def test_a_local_study_that_fails_says_nothing_about_external_retrieve_either() -> None:
    failed = replace(stored(ALONE, LOCAL_STUDY), received=(), outcome=MoveOutcome(0xA702, failed=3))
    verdict = judge_evidence(failed)
    assert verdict.headline.endswith("; 3 failed; nothing arrived at WORKSTATION")
    assert verdict.route.finding is RouteFinding.NOT_TRIED
    assert "the archive could not send the study to WORKSTATION" in verdict.next_steps[0]


def test_a_required_route_is_not_given_by_a_local_study() -> None:
    local = judge_evidence(stored(ALONE, LOCAL_STUDY), require_route=True)
    assert (local.headline, local.exit_code) == (f"NOT verified: {LOCAL_STUDY_NOTE}", 1)
    unknown = judge_evidence(replace(ALONE, instances_before=instances_before_move("ONLINE")), require_route=True)
    assert (unknown.headline, unknown.exit_code) == ("NOT verified: route not shown, but --require-route is set", 1)
    assert judge_evidence(GOOD, require_route=True).exit_code == 0


@pytest.mark.parametrize("availability", ["ONLINE", "NEARLINE"])
def test_a_purged_study_that_comes_back_and_is_delivered_shows_the_route(availability: str) -> None:
    evidence = stored(ALONE, PURGED, LOCAL_STUDY, availability)
    route = judge_route(evidence, delivered=True)
    assert (route.finding, route.shown_count) == (RouteFinding.SHOWN, 3)
    assert route.reasons[:2] == (
        "before the C-MOVE, the archive's database had no local file for 3 instances",
        "after the C-MOVE, the database also has files for 3 instances (recalled)",
    )
    assert count_recalled(evidence) == 3
    assert finding(evidence, delivered=False) is RouteFinding.NOT_SHOWN


@pytest.mark.parametrize("after", [PURGED, study("fs1", "fs1", "")])
def test_a_study_that_does_not_come_back_whole_does_not_show_a_route_back(after: StoredStudy) -> None:
    evidence = stored(ALONE, PURGED, after)
    missing = 3 - count_recalled(evidence)
    words = "1 instance" if missing == 1 else "3 instances"
    assert (
        "according to the configuration, the study goes through DCM4CHEE, but after the C-MOVE, the archive still "
        f"has no local file for {words}" in (reasons(evidence))
    )
    assert finding(evidence) is RouteFinding.NOT_SHOWN


def test_without_an_answer_after_the_move_the_way_is_not_shown() -> None:
    evidence = stored(ALONE, PURGED, None)
    assert finding(evidence) is RouteFinding.NOT_SHOWN
    assert any(
        reason.startswith("the location of the files after the C-MOVE is unknown") for reason in reasons(evidence)
    )


def test_a_partly_purged_study_shows_the_route_for_its_purged_part() -> None:
    verdict = judge_evidence(stored(ALONE, study("fs1", "", ""), LOCAL_STUDY))
    assert (
        verdict.headline == "verified: 3 of 3 instances received by WORKSTATION; "
        "the evidence shows the route of only 2 of these instances"
    )
    assert (
        verdict.route.reasons[0] == "before the C-MOVE, the archive's database had no local file for 2 of 3 instances"
    )
    assert (
        "the files of the other instances were on the storage fs1 of the archive. "
        "These instances prove nothing about the route" in verdict.route.reasons
    )


@pytest.mark.parametrize(
    ("before", "where", "away"),
    [
        (UNKNOWN_STUDY, FileLocality.UNKNOWN, 0),
        (PURGED, FileLocality.NOT_LOCAL, 3),
        (LOCAL_STUDY, FileLocality.LOCAL, 0),
        (study("fs1", "fs1", ""), FileLocality.PARTLY_LOCAL, 1),
        (study("fs1", "fs1"), FileLocality.UNKNOWN, 0),  # not every expected instance
        (replace(LOCAL_STUDY, instances=None), FileLocality.UNKNOWN, 0),
        (study("tape", "tape", "tape"), FileLocality.UNCONFIGURED_STORAGE, 0),
        (study("tape", "fs1", "fs1"), FileLocality.PARTLY_LOCAL, 0),
        (study("tape", "tape", ""), FileLocality.PARTLY_LOCAL, 1),
    ],
)
def test_where_the_files_were(before: StoredStudy, where: FileLocality, away: int) -> None:
    files = locate_files_before_move(stored(ALONE, before))
    assert (files.locality, files.not_local_count) == (where, away)


def test_a_part_of_a_study_is_judged_by_itself() -> None:
    evidence = replace(
        stored(ALONE, study("fs1", "", ""), LOCAL_STUDY), instances_before=instances_before_move("ONLINE", UIDS[:1])
    )
    assert locate_files_before_move(evidence).locality is FileLocality.LOCAL


def test_availability_suggests_a_purge_and_proves_none() -> None:
    nearline = replace(
        UNWITNESSED, instances_before=instances_before_move("NEARLINE"), instances_after=instances_before_move("ONLINE")
    )
    files = locate_files_before_move(nearline)
    assert (files.locality, files.not_local_count, files.probably_not_local_count, files.is_from_database) == (
        FileLocality.PROBABLY_NOT_LOCAL,
        0,
        3,
        False,
    )
    assert finding(nearline) is RouteFinding.NOT_SHOWN
    assert (
        "before the C-MOVE, Instance Availability of 3 instances was not ONLINE. But possibly, the archive still had "
        "the files (the archive's database or the external archive's log can show the route: see --archive-url and "
        "--external-log)"
    ) in reasons(nearline)
    assert (
        locate_files_before_move(replace(ALONE, instances_before=instances_before_move("ONLINE"))).locality
        is FileLocality.UNKNOWN
    )
    assert locate_files_before_move(replace(ALONE, instances_before=())).locality is FileLocality.UNKNOWN


def test_online_without_a_witness_says_what_would_show_the_route() -> None:
    online = replace(UNWITNESSED, instances_before=instances_before_move("ONLINE"))
    assert any(
        reason.startswith(
            "the location of the files before the C-MOVE is unknown (the archive's database or the external "
            "archive's log can show the route: see --archive-url and --external-log"
        )
        for reason in reasons(online)
    )


def test_files_on_a_storage_that_is_not_configured_show_nothing() -> None:
    elsewhere = stored(ALONE, study("tape", "tape", "tape"), study("tape", "tape", "tape"))
    assert finding(elsewhere) is RouteFinding.NOT_SHOWN
    words = (
        "before the C-MOVE, the files were on the storage tape, according to the archive's database. This storage is "
        "not in the LDAP configuration"
    )
    assert any(reason.startswith(words) for reason in reasons(elsewhere))


def test_nearline_of_a_file_that_is_here_is_that_of_its_storage() -> None:
    evidence = stored(ALONE, LOCAL_STUDY, None, availability="NEARLINE")
    assert finding(evidence) is RouteFinding.NOT_TRIED
    assert any("although the archive has the files" in reason for reason in reasons(evidence))


def test_a_record_of_a_recall_does_not_make_a_local_study_prove_anything() -> None:
    evidence = replace(stored(ALONE, LOCAL_STUDY), move_records=(recorded(),))
    assert finding(evidence) is RouteFinding.NOT_TRIED
    assert any("shows a completed C-MOVE, although the archive had the files" in reason for reason in reasons(evidence))


def test_a_purged_study_without_an_external_archive_cannot_be_fetched_and_that_is_the_first_advice() -> None:
    orphan = stored(ALONE, study("", "", "", external=""))
    failed = replace(orphan, received=(), outcome=MoveOutcome(0xA702, failed=3))
    assert any(
        reason.startswith("the archive's database has no external archive for this study")
        for reason in reasons(failed, delivered=False)
    )
    assert judge_evidence(failed).next_steps[0] == NO_EXTERNAL_ARCHIVE


def test_an_external_archive_that_the_tree_does_not_know_is_named() -> None:
    known = replace(stored(ALONE, PURGED), route=replace(ALONE.route, ae_titles=frozenset({"LONGTERM"})))
    assert not any("has no AE" in reason for reason in reasons(known))
    unknown = replace(known, route=replace(ALONE.route, ae_titles=frozenset({"NEWTERM"})))
    assert any(reason.startswith("the tree has no AE LONGTERM") for reason in reasons(unknown))


def test_a_study_that_the_database_does_not_know_is_named() -> None:
    unknown = stored(ALONE, UNKNOWN_STUDY)
    words = (
        "before the C-MOVE, a search in the archive's database through the AE DCM4CHEE did not find the requested study"
    )
    assert f"{words}, although the archive lists 3 instances by C-FIND" in reasons(unknown)
    assert words in reasons(replace(unknown, instances_before=()))


def test_a_study_that_comes_from_the_fallback_archive_is_expected_as_listed_afterwards() -> None:
    fetched = replace(
        stored(ALONE, UNKNOWN_STUDY, LOCAL_STUDY),
        instances_before=(),
        instances_after=instances_before_move("ONLINE"),
        route=FALLBACK,
    )
    verdict = judge_evidence(fetched)
    assert verdict.headline == "verified: 3 of 3 instances received by WORKSTATION; route not shown"
    assert verdict.route.configured_path == "fallback archive OLDPACS → DCM4CHEE → WORKSTATION (dcmFallbackCMoveSCP)"


def test_files_of_an_unknown_study_do_not_show_the_fallback_archive() -> None:
    """A modality that sends the study meanwhile leaves the same traces."""
    fetched = replace(
        stored(ALONE, UNKNOWN_STUDY, LOCAL_STUDY),
        instances_before=(),
        instances_after=instances_before_move("ONLINE"),
        route=FALLBACK,
    )
    assert finding(fetched) is RouteFinding.NOT_SHOWN
    log = "the log of OLDPACS (--external-log) can show which AE sent these instances"
    assert f"after the C-MOVE, the database has local files for 3 instances; {log}" in reasons(fetched)
    logged = replace(fetched, move_records=(replace(recorded(), called_ae_title="OLDPACS"),))
    assert finding(logged) is RouteFinding.SHOWN


def test_files_that_go_from_one_storage_to_another_are_not_recalled() -> None:
    evidence = stored(ALONE, study("tape", "tape", "tape"), LOCAL_STUDY)
    assert (count_recalled(evidence), finding(evidence)) == (0, RouteFinding.NOT_SHOWN)


def test_an_incomplete_study_is_named() -> None:
    incomplete = stored(ALONE, replace(LOCAL_STUDY, completeness="PARTIAL", failed_retrieves=2))
    assert "the archive marks the study as PARTIAL; failed retrieves: 2" in reasons(incomplete)


def test_the_availability_before_and_after_is_reported() -> None:
    unchanged = replace(
        UNWITNESSED, instances_before=instances_before_move("ONLINE"), instances_after=instances_before_move("ONLINE")
    )
    assert "Instance Availability before the C-MOVE: ONLINE, after the C-MOVE: ONLINE" in reasons(unchanged)


def test_a_foreign_caller_still_contradicts_the_route_of_a_purged_study() -> None:
    direct = replace(stored(ALONE, PURGED, PURGED), received=received_instances(calling="LONGTERM"))
    assert finding(direct) is RouteFinding.CONTRADICTED
