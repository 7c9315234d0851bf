"""By which way: shown, not shown, contradicted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.evidence import ConfiguredRoute, Evidence, Stored
from dcmcfg.verify.route import judge_route
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import (
    DIRECT,
    GOOD,
    LOCAL_STUDY,
    PURGED,
    UNWITNESSED,
    VIA_ARCHIVE,
    arrived,
    listed,
    recorded,
    study,
)

ONLINE = replace(UNWITNESSED, expected=listed("ONLINE"))
#: According to the archive's database: purged before the move, here after it.
RECALLED = replace(ONLINE, stored=Stored(PURGED, LOCAL_STUDY))
PASSED = replace(ONLINE, stored=Stored(PURGED, PURGED))
#: LONGTERM is dcmAltCMoveSCP as well, or the fallback without a destination of its own.
AS_ALTERNATIVE = replace(VIA_ARCHIVE, asks=frozenset({("LONGTERM", "WORKSTATION")}))
SHOWN, NOT_SHOWN, CONTRADICTED = RouteFinding.SHOWN, RouteFinding.NOT_SHOWN, RouteFinding.CONTRADICTED

CASES: dict[str, tuple[Evidence, RouteFinding]] = {
    "purged before, no record": (RECALLED, SHOWN),
    "nearline before, no record": (UNWITNESSED, NOT_SHOWN),
    "offline before": (replace(UNWITNESSED, expected=listed("OFFLINE")), NOT_SHOWN),
    "online before, no record": (ONLINE, NOT_SHOWN),
    "availability not given": (replace(UNWITNESSED, expected=listed("")), NOT_SHOWN),
    "availability made up": (replace(UNWITNESSED, expected=listed("TAPE")), NOT_SHOWN),
    "online before, recorded": (replace(ONLINE, records=(recorded(),)), SHOWN),
    "online before, record without this study": (replace(ONLINE, records=()), NOT_SHOWN),
    "purged before, record without this study": (replace(RECALLED, records=()), CONTRADICTED),
    "nearline before, record without this study": (replace(UNWITNESSED, records=()), NOT_SHOWN),
    "record of a move by somebody else": (replace(ONLINE, records=(recorded(calling="OTHER"),)), NOT_SHOWN),
    "purged before, record of somebody else": (
        replace(RECALLED, records=(recorded(calling="OTHER"),)),
        CONTRADICTED,
    ),
    "record of a mixed retrieve, called by the archive": (
        replace(ONLINE, records=(recorded(calling="DCM4CHEE"),)),
        NOT_SHOWN,
    ),
    "record of a mixed retrieve, and the database": (
        replace(ONLINE, stored=Stored(study("fs1", "", ""), LOCAL_STUDY), records=(recorded(calling="DCM4CHEE"),)),
        SHOWN,
    ),
    "record of a mixed retrieve, called by the archive under another title": (
        replace(
            UNWITNESSED,
            route=replace(VIA_ARCHIVE, asks_as=frozenset({"MASKED"})),
            records=(recorded(calling="MASKED"),),
        ),
        NOT_SHOWN,
    ),
    "record of a refusal": (replace(ONLINE, records=(recorded(status=0xA801, completed=None),)), NOT_SHOWN),
    "record with zero completed": (replace(ONLINE, records=(recorded(completed=0),)), NOT_SHOWN),
    "relayed although set": (replace(UNWITNESSED, records=(recorded("WORKSTATION"),)), CONTRADICTED),
    "relayed because unset": (replace(ONLINE, route=DIRECT, records=(recorded("WORKSTATION"),)), SHOWN),
    "through the archive although unset": (replace(ONLINE, route=DIRECT, records=(recorded(),)), CONTRADICTED),
    "relayed although set, as the tree has the alternative asked": (
        replace(UNWITNESSED, route=AS_ALTERNATIVE, records=(recorded("WORKSTATION"),)),
        SHOWN,
    ),
    "through the archive, although the tree has the alternative asked": (
        replace(UNWITNESSED, route=AS_ALTERNATIVE, records=(recorded(),)),
        CONTRADICTED,
    ),
    "called by the alternative itself": (
        replace(PASSED, route=AS_ALTERNATIVE, received=arrived(calling="LONGTERM")),
        SHOWN,
    ),
    "called by the external archive although set": (
        replace(GOOD, records=None, received=arrived(calling="LONGTERM")),
        CONTRADICTED,
    ),
    "called by the external archive because unset": (
        replace(PASSED, route=DIRECT, received=arrived(calling="LONGTERM")),
        SHOWN,
    ),
    "called by a stranger": (replace(ONLINE, received=arrived(calling="STRANGER")), NOT_SHOWN),
    "called by the archive": (replace(ONLINE, received=arrived()), NOT_SHOWN),
}


@pytest.mark.parametrize(("evidence", "finding"), CASES.values(), ids=CASES)
def test_a_delivered_study_has_the_route(evidence: Evidence, finding: RouteFinding) -> None:
    assert judge_route(evidence, delivered=True).finding is finding


@pytest.mark.parametrize("evidence", [evidence for evidence, finding in CASES.values() if finding is SHOWN])
def test_no_route_is_shown_when_nothing_was_delivered(evidence: Evidence) -> None:
    route = judge_route(evidence, delivered=False)
    assert (route.finding, route.instances) == (NOT_SHOWN, 0)


def test_a_relayed_refusal_is_not_shown_and_says_what_the_external_archive_answered() -> None:
    evidence = replace(ONLINE, route=DIRECT, records=(recorded("WORKSTATION", 0xA801, None),))
    route = judge_route(evidence, delivered=False)
    assert route.finding is NOT_SHOWN
    assert "the external archive was asked and answered A801, nothing completed" in route.reasons


def test_a_refused_relay_although_set_is_contradicted() -> None:
    evidence = replace(ONLINE, records=(recorded("WORKSTATION", 0xA801, None),))
    assert judge_route(evidence, delivered=False).finding is CONTRADICTED


def test_a_record_without_the_move_contradicts_nothing_while_it_may_still_go_on() -> None:
    silent = MoveOutcome(None, interrupted="no response within 9 s")
    evidence = replace(RECALLED, received=arrived(), records=(), outcome=silent)
    route = judge_route(evidence, delivered=True)
    assert route.finding is SHOWN
    assert "the external archive's own record shows no C-MOVE of this study in this run" in route.reasons


@pytest.mark.parametrize(
    ("configured", "way"),
    [
        (DIRECT, "external archive → WORKSTATION (dcmExternalRetrieveAEDestination is not set)"),
        (
            VIA_ARCHIVE,
            "external archive → DCM4CHEE → WORKSTATION (dcmExternalRetrieveAEDestination on device dcm4chee-arc)",
        ),
    ],
)
def test_the_way_says_what_the_tree_configures(configured: ConfiguredRoute, way: str) -> None:
    assert judge_route(replace(GOOD, route=configured), delivered=True).way == way


def test_who_called_is_told_in_every_witnessed_case() -> None:
    route = judge_route(GOOD, delivered=True)
    assert "the receiver was called by DCM4CHEE (as reported by the caller)" in route.reasons
