"""What became of the files has to go with the way that the tree configures, else the route is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.route import judge_route
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.evidence import DIRECT, GOOD, VIA_ARCHIVE, arrived, listed, recorded

ALONE = replace(GOOD, records=None)
BACK = replace(ALONE, route=VIA_ARCHIVE, received=arrived(calling="DCM4CHEE"))
PAST = replace(ALONE, route=DIRECT, received=arrived(calling="LONGTERM"))


@pytest.mark.parametrize(
    ("evidence", "finding"),
    [
        (replace(BACK, after=listed("ONLINE")), RouteFinding.SHOWN),
        (replace(BACK, after=None), RouteFinding.SHOWN),
        (replace(BACK, after=listed("")), RouteFinding.SHOWN),
        (replace(BACK, after=listed("NEARLINE")), RouteFinding.NOT_SHOWN),  # a nearline storage of its own?
        (replace(PAST, after=listed("NEARLINE")), RouteFinding.SHOWN),
        (replace(PAST, after=listed("ONLINE")), RouteFinding.CONTRADICTED),  # not reloaded?
        (replace(PAST, received=arrived(calling="DCM4CHEE")), RouteFinding.NOT_SHOWN),
        (replace(PAST, received=arrived(calling="GATEWAY")), RouteFinding.SHOWN),
        (replace(PAST, received=None), RouteFinding.SHOWN),
    ],
)
def test_where_the_files_are_afterwards_must_fit_the_way(evidence: Evidence, finding: RouteFinding) -> None:
    assert judge_route(evidence, delivered=True).finding is finding


def test_the_external_archives_own_record_weighs_more_than_a_doubt() -> None:
    evidence = replace(BACK, after=listed("NEARLINE"), records=(recorded(),))
    route = judge_route(evidence, delivered=True)
    assert route.finding is RouteFinding.SHOWN
    assert any("none of them is in the archive's own storage" in reason for reason in route.reasons)


def test_a_tree_with_both_ways_leaves_it_open() -> None:
    both = replace(VIA_ARCHIVE, asks=frozenset({("LONGTERM", "DCM4CHEE"), ("LONGTERM", "WORKSTATION")}))
    assert (
        judge_route(replace(BACK, route=both, after=listed("NEARLINE")), delivered=True).finding is RouteFinding.SHOWN
    )
