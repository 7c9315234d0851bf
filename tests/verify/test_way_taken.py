"""Where the files are after the move must agree with the route that the tree configures, else it is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import Evidence, Stored
from dcmcfg.verify.route_assessment import judge_route
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import ALONE, DIRECT, GOOD, LOCAL_STUDY, PURGED, UIDS, VIA_ARCHIVE, arrived, listed, recorded

BOTH = replace(GOOD, records=None, expected=listed("ONLINE"))
BACK = replace(BOTH, route=VIA_ARCHIVE, received=arrived(calling="DCM4CHEE"))
PAST = replace(BOTH, route=DIRECT, received=arrived(calling="LONGTERM"))
MIXED = (*arrived(UIDS[:1], "DCM4CHEE"), *arrived(UIDS[1:], "LONGTERM"))
MASKED = replace(VIA_ARCHIVE, sends_as=frozenset({"MASKED"}))
CAME, STAYED, UNKNOWN = Stored(PURGED, LOCAL_STUDY), Stored(PURGED, PURGED), Stored(PURGED, None)


@pytest.mark.parametrize(
    ("evidence", "finding"),
    [
        (replace(BACK, stored=CAME), RouteFinding.SHOWN),
        (replace(BACK, stored=CAME, received=None), RouteFinding.SHOWN),
        (replace(BACK, stored=STAYED), RouteFinding.NOT_SHOWN),
        (replace(BACK, stored=UNKNOWN), RouteFinding.NOT_SHOWN),
        (replace(PAST, stored=STAYED), RouteFinding.SHOWN),
        (replace(PAST, stored=CAME), RouteFinding.CONTRADICTED),  # not reloaded?
        (replace(PAST, stored=UNKNOWN), RouteFinding.NOT_SHOWN),
        (replace(PAST, stored=STAYED, received=arrived(calling="DCM4CHEE")), RouteFinding.NOT_SHOWN),
        (replace(PAST, stored=STAYED, received=arrived(calling="GATEWAY")), RouteFinding.NOT_SHOWN),
        (replace(PAST, stored=STAYED, received=MIXED), RouteFinding.NOT_SHOWN),
        (replace(BACK, stored=CAME, received=arrived(calling="GATEWAY")), RouteFinding.NOT_SHOWN),
        (replace(BACK, stored=CAME, received=arrived(calling="MASKED"), route=MASKED), RouteFinding.SHOWN),
        (replace(PAST, stored=STAYED, received=None), RouteFinding.NOT_SHOWN),  # relayed, and nobody saw it
    ],
)
def test_the_files_afterwards_must_fit_the_way(evidence: Evidence, finding: RouteFinding) -> None:
    assert judge_route(evidence, delivered=True).finding is finding


def test_the_external_archives_own_record_outweighs_a_doubt() -> None:
    assert judge_route(replace(BACK, stored=UNKNOWN, records=(recorded(),)), delivered=True).finding is (
        RouteFinding.SHOWN
    )


def test_no_record_outweighs_that_the_files_did_not_come_back() -> None:
    route = judge_route(replace(BACK, stored=STAYED, records=(recorded(),)), delivered=True)
    assert route.finding is RouteFinding.NOT_SHOWN
    assert any("although the tree has them sent to DCM4CHEE" in reason for reason in route.reasons)


def test_a_tree_with_both_ways_needs_a_receiver() -> None:
    both = replace(VIA_ARCHIVE, asks=frozenset({("LONGTERM", "DCM4CHEE"), ("LONGTERM", "WORKSTATION")}))
    evidence = replace(BACK, route=both, stored=STAYED)
    assert judge_route(evidence, delivered=True).finding is RouteFinding.SHOWN
    assert judge_route(replace(evidence, received=None), delivered=True).finding is RouteFinding.NOT_SHOWN


def test_availability_alone_does_not_say_which_way() -> None:
    evidence = replace(ALONE, expected=listed("NEARLINE"), after=listed("ONLINE"), stored=Stored())
    assert judge_route(evidence, delivered=True).finding is RouteFinding.NOT_SHOWN
