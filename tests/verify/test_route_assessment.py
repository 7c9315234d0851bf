"""By which way: shown, not shown, contradicted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.evidence import ConfiguredRoute, DatabaseEvidence, Evidence, MoveRecord
from dcmcfg.verify.route_assessment import count_shown_instances, judge_route, select_conclusive_records
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import (
    DIRECT,
    GOOD,
    LOCAL_STUDY,
    PURGED,
    UNWITNESSED,
    VIA_ARCHIVE,
    instances_before_move,
    received_instances,
    recorded,
    study,
)

ONLINE = replace(UNWITNESSED, instances_before=instances_before_move("ONLINE"))
#: According to the archive's database: purged before the C-MOVE, here after it.
RECALLED = replace(ONLINE, database=DatabaseEvidence(PURGED, LOCAL_STUDY))
PASSED = replace(ONLINE, database=DatabaseEvidence(PURGED, PURGED))
#: LONGTERM is dcmAltCMoveSCP as well, or the fallback without a destination of its own.
AS_ALTERNATIVE = replace(VIA_ARCHIVE, external_requests=frozenset({("LONGTERM", "WORKSTATION")}))
#: What the archive's own log shows of a C-MOVE whose instances do not come back to the archive.
RELAYED = replace(recorded("WORKSTATION"), is_from_archive_log=True)
HIDDEN = MoveRecord(
    started=datetime(2026, 1, 2, tzinfo=UTC),
    calling_ae_title="DCMCFG",
    called_ae_title="LONGTERM",
    destination_ae_title="DCM4CHEE",
    study_uid="",
)
SHOWN, NOT_SHOWN, CONTRADICTED = RouteFinding.SHOWN, RouteFinding.NOT_SHOWN, RouteFinding.CONTRADICTED

CASES: dict[str, tuple[Evidence, RouteFinding]] = {
    "purged before, no record": (RECALLED, SHOWN),
    "nearline before, no record": (UNWITNESSED, NOT_SHOWN),
    "offline before": (replace(UNWITNESSED, instances_before=instances_before_move("OFFLINE")), NOT_SHOWN),
    "online before, no record": (ONLINE, NOT_SHOWN),
    "availability not given": (replace(UNWITNESSED, instances_before=instances_before_move("")), NOT_SHOWN),
    "availability made up": (replace(UNWITNESSED, instances_before=instances_before_move("TAPE")), NOT_SHOWN),
    "online before, recorded": (replace(ONLINE, move_records=(recorded(),)), SHOWN),
    "online before, record without this study": (replace(ONLINE, move_records=()), NOT_SHOWN),
    "purged before, record without this study": (replace(RECALLED, move_records=()), CONTRADICTED),
    "nearline before, record without this study": (replace(UNWITNESSED, move_records=()), NOT_SHOWN),
    "record of a move by somebody else": (replace(ONLINE, move_records=(recorded(calling="OTHER"),)), NOT_SHOWN),
    "purged before, record of somebody else": (
        replace(RECALLED, move_records=(recorded(calling="OTHER"),)),
        CONTRADICTED,
    ),
    "record of a mixed retrieve, called by the archive": (
        replace(ONLINE, move_records=(recorded(calling="DCM4CHEE"),)),
        NOT_SHOWN,
    ),
    "record of a mixed retrieve, and the database": (
        replace(
            ONLINE,
            database=DatabaseEvidence(study("fs1", "", ""), LOCAL_STUDY),
            move_records=(recorded(calling="DCM4CHEE"),),
        ),
        SHOWN,
    ),
    "record of a mixed retrieve, called by the archive under another title": (
        replace(
            UNWITNESSED,
            route=replace(VIA_ARCHIVE, calling_ae_titles=frozenset({"MASKED"})),
            move_records=(recorded(calling="MASKED"),),
        ),
        NOT_SHOWN,
    ),
    "record of another retrieve of the archive": (
        replace(ONLINE, move_records=(recorded("OTHER", calling="DCM4CHEE"),)),
        NOT_SHOWN,
    ),
    "record of another retrieve of the archive, purged before": (
        replace(RECALLED, move_records=(recorded("OTHER", calling="DCM4CHEE"),)),
        SHOWN,
    ),
    "record without a caller": (replace(ONLINE, move_records=(recorded(calling=""),)), NOT_SHOWN),
    "record without a caller, to another destination": (
        replace(RECALLED, move_records=(recorded("OTHER", calling=""),)),
        SHOWN,
    ),
    "record without a Move Destination": (replace(ONLINE, move_records=(recorded(""),)), NOT_SHOWN),
    "relayed, by the archive's log": (replace(ONLINE, route=DIRECT, move_records=(RELAYED,)), NOT_SHOWN),
    "relayed, by the archive's log and its database": (
        replace(PASSED, route=DIRECT, move_records=(RELAYED,)),
        NOT_SHOWN,
    ),
    "relayed, by the archive's log, and received": (
        replace(ONLINE, route=DIRECT, move_records=(RELAYED,), received=received_instances(calling="LONGTERM")),
        SHOWN,
    ),
    "a hidden move that may have sent it": (replace(RECALLED, move_records=(HIDDEN,)), SHOWN),
    "a hidden move that has sent nothing": (
        replace(RECALLED, move_records=(replace(HIDDEN, status=0xA702, completed=0),)),
        CONTRADICTED,
    ),
    "record of a refusal": (replace(ONLINE, move_records=(recorded(status=0xA801, completed=None),)), NOT_SHOWN),
    "record with zero completed": (replace(ONLINE, move_records=(recorded(completed=0),)), NOT_SHOWN),
    "relayed although set": (replace(UNWITNESSED, move_records=(recorded("WORKSTATION"),)), CONTRADICTED),
    "relayed because unset": (replace(ONLINE, route=DIRECT, move_records=(recorded("WORKSTATION"),)), SHOWN),
    "through the archive although unset": (replace(ONLINE, route=DIRECT, move_records=(recorded(),)), CONTRADICTED),
    "relayed although set, as the tree has the alternative asked": (
        replace(UNWITNESSED, route=AS_ALTERNATIVE, move_records=(recorded("WORKSTATION"),)),
        SHOWN,
    ),
    "through the archive, although the tree has the alternative asked": (
        replace(UNWITNESSED, route=AS_ALTERNATIVE, move_records=(recorded(),)),
        CONTRADICTED,
    ),
    "called by the alternative itself": (
        replace(PASSED, route=AS_ALTERNATIVE, received=received_instances(calling="LONGTERM")),
        SHOWN,
    ),
    "called by the external archive although set": (
        replace(GOOD, move_records=None, received=received_instances(calling="LONGTERM")),
        CONTRADICTED,
    ),
    "called by the external archive because unset": (
        replace(PASSED, route=DIRECT, received=received_instances(calling="LONGTERM")),
        SHOWN,
    ),
    "called by a stranger": (replace(ONLINE, received=received_instances(calling="STRANGER")), NOT_SHOWN),
    "called by the archive": (replace(ONLINE, received=received_instances()), NOT_SHOWN),
}


@pytest.mark.parametrize(("evidence", "finding"), CASES.values(), ids=CASES)
def test_a_delivered_study_has_the_route(evidence: Evidence, finding: RouteFinding) -> None:
    assert judge_route(evidence, delivered=True).finding is finding


@pytest.mark.parametrize("evidence", [evidence for evidence, finding in CASES.values() if finding is SHOWN])
def test_no_route_is_shown_when_nothing_was_delivered(evidence: Evidence) -> None:
    route = judge_route(evidence, delivered=False)
    assert (route.finding, route.shown_count) == (NOT_SHOWN, 0)


def test_a_relayed_refusal_is_not_shown_and_says_what_the_external_archive_answered() -> None:
    evidence = replace(ONLINE, route=DIRECT, move_records=(recorded("WORKSTATION", 0xA801, None),))
    route = judge_route(evidence, delivered=False)
    assert route.finding is NOT_SHOWN
    assert "the external archive answered A801 and completed no instance" in route.reasons


def neutral(record: MoveRecord) -> list[str]:
    """Return the reasons that come from *record* alone."""
    judged = judge_route(replace(ONLINE, move_records=(record,)), delivered=True)
    return [reason for reason in judged.reasons if "Instance Availability" not in reason]


def test_the_archives_log_of_a_relay_says_what_would_show_the_route() -> None:
    route = judge_route(replace(ONLINE, route=DIRECT, move_records=(RELAYED,)), delivered=True)
    assert (route.shown_count, route.reasons[0]) == (
        0,
        (
            "per the archive's log, the archive sent a C-MOVE to LONGTERM (calling AE title DCMCFG, Move Destination "
            "WORKSTATION): 0000, 3 completed; the archive only passes on this response from the external archive (to "
            "observe the delivery, use --receive)"
        ),
    )


def test_records_that_do_not_show_the_route_say_why() -> None:
    own = "the external archive's log"
    assert neutral(recorded(calling="")) == [f"{own} has a C-MOVE for this study without a calling AE title"]
    assert neutral(recorded("OTHER", calling="DCM4CHEE")) == [
        (
            f"{own}: C-MOVE from DCM4CHEE, Move Destination OTHER, 3 completed; "
            "the archive sent this C-MOVE under its own AE title, possibly for another retrieve"
        )
    ]
    assert neutral(recorded("")) == [
        f"{own}: C-MOVE from DCMCFG, 3 completed; the log does not show the Move Destination"
    ]


def test_a_record_with_nothing_sent_says_what_the_log_shows_of_it() -> None:
    prefix = "the external archive"
    assert neutral(recorded(completed=None)) == [
        f"{prefix} answered 0000; the external archive's log does not show the number of instances of this study"
    ]
    assert neutral(recorded(completed=0)) == [f"{prefix} answered 0000 and completed no instance"]
    assert neutral(replace(recorded(completed=0), reported_completed=3)) == [
        (
            f"{prefix} answered 0000; the external archive reported 3 completed, but its log shows no successful "
            "C-STORE for this request"
        )
    ]
    silent = replace(recorded(completed=None), status=None)
    assert neutral(silent) == [f"{prefix} received a request, but its log shows no final response"]


def test_a_move_of_an_unknown_study_is_printed_with_what_the_log_shows_of_it() -> None:
    prefix = "the external archive's log: C-MOVE from DCMCFG for an unknown study, Move Destination DCM4CHEE"
    assert neutral(replace(HIDDEN, status=0, completed=3, missing_study_reason="X")) == [
        f"{prefix}: 0000, 3 completed; X"
    ]
    assert neutral(replace(HIDDEN, failure="no")) == [f"{prefix}: failed (no)"]
    assert neutral(HIDDEN) == [f"{prefix}: the log does not show the result"]
    unclear = replace(HIDDEN, calling_ae_title="", destination_ae_title="", missing_study_reason="X")
    assert neutral(unclear) == [
        (
            "the external archive's log: C-MOVE from an unknown caller for an unknown study: the log "
            "does not show the result; X"
        )
    ]


def test_only_records_that_show_the_route_are_witnesses() -> None:
    own, partly = recorded(calling="DCM4CHEE"), replace(recorded(completed=2), reported_completed=3)
    assert select_conclusive_records(ONLINE, [own, partly, RELAYED]) == [partly]
    assert count_shown_instances(ONLINE, [own, partly, RELAYED]) == 2
    assert neutral(partly) == [
        (
            "the external archive's log: C-MOVE from DCMCFG, Move Destination DCM4CHEE, 2 completed (per the C-STOREs "
            "in the log; the external archive reported 3)"
        )
    ]


def test_a_refused_relay_although_set_is_contradicted() -> None:
    evidence = replace(ONLINE, move_records=(recorded("WORKSTATION", 0xA801, None),))
    assert judge_route(evidence, delivered=False).finding is CONTRADICTED


def test_a_record_without_the_move_contradicts_nothing_while_it_may_still_go_on() -> None:
    silent = MoveOutcome(None, interruption="no response within 9 s")
    evidence = replace(RECALLED, received=received_instances(), move_records=(), outcome=silent)
    route = judge_route(evidence, delivered=True)
    assert route.finding is SHOWN
    assert "the external archive's log shows no C-MOVE for this study in this run" in route.reasons


@pytest.mark.parametrize(
    ("configured", "way"),
    [
        (DIRECT, "external archive → WORKSTATION: dcmExternalRetrieveAEDestination is not set"),
        (
            VIA_ARCHIVE,
            "external archive → DCM4CHEE → WORKSTATION (dcmExternalRetrieveAEDestination on device dcm4chee-arc)",
        ),
    ],
)
def test_the_way_says_what_the_tree_configures(configured: ConfiguredRoute, way: str) -> None:
    assert judge_route(replace(GOOD, route=configured), delivered=True).configured_path == way


def test_who_called_is_told_in_every_witnessed_case() -> None:
    route = judge_route(GOOD, delivered=True)
    assert "callers of the receiver: DCM4CHEE (as reported by the caller)" in route.reasons


def test_a_local_study_has_the_same_reasons_whether_or_not_other_studies_changed_the_log() -> None:
    local = replace(RECALLED, move_records=(), database=DatabaseEvidence(LOCAL_STUDY, LOCAL_STUDY))
    unchanged = replace(local, unchanged_log=Path("moves.jsonl"))
    assert judge_route(local, delivered=True) == judge_route(unchanged, delivered=True)


def test_an_unchanged_log_is_named_unless_the_study_is_local() -> None:
    log = Path("/var/log/longterm.log")
    unchanged = replace(RECALLED, move_records=(), unchanged_log=log)
    remark = (
        "the log /var/log/longterm.log did not change after the C-MOVE was sent. Either the external archive "
        "received no request, or longterm.log is a copy or the log of another AE"
    )
    assert remark in judge_route(unchanged, delivered=True).reasons
    local = replace(unchanged, database=DatabaseEvidence(LOCAL_STUDY, LOCAL_STUDY))
    assessment = judge_route(local, delivered=True)
    assert assessment.finding is RouteFinding.NOT_TRIED
    assert not any("was written" in each or "longterm.log" in each for each in assessment.reasons)


def test_in_a_run_over_many_studies_an_unchanged_log_has_the_reason_of_a_log_that_other_studies_changed() -> None:
    shared = replace(GOOD, move_records=(), log_is_shared=True)
    unchanged = replace(shared, unchanged_log=Path("moves.jsonl"))
    assert judge_route(unchanged, delivered=True) == judge_route(shared, delivered=True)
    assert (
        "the external archive's log shows no C-MOVE for this study in this run"
        in judge_route(unchanged, delivered=True).reasons
    )
