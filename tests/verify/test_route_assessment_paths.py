"""Where the files are after the C-MOVE must agree with the route that the tree configures, else it is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import DatabaseEvidence, Evidence
from dcmcfg.verify.route_assessment import judge_route
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import (
    ALONE,
    DIRECT,
    GOOD,
    LOCAL_STUDY,
    PURGED,
    UIDS,
    VIA_ARCHIVE,
    instances_before_move,
    received_instances,
    recorded,
)

BOTH = replace(GOOD, move_records=None, instances_before=instances_before_move("ONLINE"))
BACK = replace(BOTH, route=VIA_ARCHIVE, received=received_instances(calling="DCM4CHEE"))
PAST = replace(BOTH, route=DIRECT, received=received_instances(calling="LONGTERM"))
MIXED = (*received_instances(UIDS[:1], "DCM4CHEE"), *received_instances(UIDS[1:], "LONGTERM"))
MASKED = replace(VIA_ARCHIVE, sending_ae_titles=frozenset({"MASKED"}))
CAME, STAYED, UNKNOWN = (
    DatabaseEvidence(PURGED, LOCAL_STUDY),
    DatabaseEvidence(PURGED, PURGED),
    DatabaseEvidence(PURGED, None),
)


@pytest.mark.parametrize(
    ("evidence", "finding"),
    [
        (replace(BACK, database=CAME), RouteFinding.SHOWN),
        (replace(BACK, database=CAME, received=None), RouteFinding.SHOWN),
        (replace(BACK, database=STAYED), RouteFinding.NOT_SHOWN),
        (replace(BACK, database=UNKNOWN), RouteFinding.NOT_SHOWN),
        (replace(PAST, database=STAYED), RouteFinding.SHOWN),
        (replace(PAST, database=CAME), RouteFinding.CONTRADICTED),  # not reloaded?
        (replace(PAST, database=UNKNOWN), RouteFinding.NOT_SHOWN),
        (replace(PAST, database=STAYED, received=received_instances(calling="DCM4CHEE")), RouteFinding.NOT_SHOWN),
        (replace(PAST, database=STAYED, received=received_instances(calling="GATEWAY")), RouteFinding.NOT_SHOWN),
        (replace(PAST, database=STAYED, received=MIXED), RouteFinding.NOT_SHOWN),
        (replace(BACK, database=CAME, received=received_instances(calling="GATEWAY")), RouteFinding.NOT_SHOWN),
        (replace(BACK, database=CAME, received=received_instances(calling="MASKED"), route=MASKED), RouteFinding.SHOWN),
        (replace(PAST, database=STAYED, received=None), RouteFinding.NOT_SHOWN),  # relayed, and nobody saw it
    ],
)
def test_the_files_afterwards_must_fit_the_way(evidence: Evidence, finding: RouteFinding) -> None:
    assert judge_route(evidence, delivered=True).finding is finding


def test_the_external_archives_own_record_outweighs_a_doubt() -> None:
    assert judge_route(replace(BACK, database=UNKNOWN, move_records=(recorded(),)), delivered=True).finding is (
        RouteFinding.SHOWN
    )


def test_no_record_outweighs_that_the_files_did_not_come_back() -> None:
    route = judge_route(replace(BACK, database=STAYED, move_records=(recorded(),)), delivered=True)
    assert route.finding is RouteFinding.NOT_SHOWN
    assert any(
        "according to the configuration, the study goes through DCM4CHEE, but after the C-MOVE" in reason
        for reason in route.reasons
    )


def test_a_tree_with_both_ways_needs_a_receiver() -> None:
    both = replace(VIA_ARCHIVE, external_requests=frozenset({("LONGTERM", "DCM4CHEE"), ("LONGTERM", "WORKSTATION")}))
    evidence = replace(BACK, route=both, database=STAYED)
    assert judge_route(evidence, delivered=True).finding is RouteFinding.SHOWN
    assert judge_route(replace(evidence, received=None), delivered=True).finding is RouteFinding.NOT_SHOWN


def test_availability_alone_does_not_say_which_way() -> None:
    evidence = replace(
        ALONE,
        instances_before=instances_before_move("NEARLINE"),
        instances_after=instances_before_move("ONLINE"),
        database=DatabaseEvidence(),
    )
    assert judge_route(evidence, delivered=True).finding is RouteFinding.NOT_SHOWN
