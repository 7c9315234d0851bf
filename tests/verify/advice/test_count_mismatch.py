"""Of a 0000 whose numbers do not fit, it is told what usually makes them so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.verify.evidence import ConfiguredRoute, Evidence
from tests.verify.advice.cases import FOREIGN_ROUTE, first_step
from tests.verify.evidence import DIRECT, GOOD, UIDS, UNWITNESSED, instances_before_move, reporting

CASES: dict[str, tuple[Evidence, str]] = {
    "nothing, unknown study": (
        reporting(replace(UNWITNESSED, instances_before=())),
        "To retrieve a study that only the external archive has, run dcmcfg set DEVICE dcmFallbackCMoveSCP=AET",
    ),
    "nothing, unknown study, one external archive": (
        reporting(
            replace(
                UNWITNESSED,
                instances_before=(),
                route=ConfiguredRoute(device="dcm4chee-arc", external_requests=frozenset({("LONGTERM", "")})),
            )
        ),
        "To retrieve a study that only the external archive LONGTERM has, run dcmcfg set dcm4chee-arc "
        "dcmFallbackCMoveSCP=LONGTERM",
    ),
    "nothing, recalled": (reporting(replace(GOOD, received=())), "dcmCStoreSCUOfCMoveSCP"),
    "nothing, never asked": (reporting(UNWITNESSED), "the archive received no instance of the study"),
    "nothing, sent straight": (
        reporting(replace(UNWITNESSED, route=DIRECT)),
        "An external archive without this study also answers with status 0000, without counters",
    ),
    "nothing, not purged as far as is known": (
        reporting(replace(UNWITNESSED, instances_before=instances_before_move("ONLINE"))),
        "dcmRestrictRetrieveSilently",
    ),
    "nothing, the external archive is told to send elsewhere": (
        replace(reporting(UNWITNESSED), route=FOREIGN_ROUTE),
        ("The archive does not get the objects and cannot forward them; dcmcfg set-external-retrieve DCM4CHEE"),
    ),
    "too few, partly local before": (
        replace(
            reporting(UNWITNESSED, completed=1),
            instances_before=(*instances_before_move("ONLINE", UIDS[:1]), *instances_before_move("NEARLINE", UIDS[1:])),
        ),
        "the archive requires a mapping for the external archive in dcmCStoreSCUOfCMoveSCP. To set the mapping: dcmcfg",
    ),
    "too few, none local before": (
        reporting(UNWITNESSED, completed=1),
        "check whether the external archive LONGTERM has all 3 instances",
    ),
    "more than are listed": (reporting(UNWITNESSED, completed=4), "the archive sent more instances than it lists"),
    "some are to come": (
        replace(UNWITNESSED, outcome=MoveOutcome(0, completed=3, remaining=2)),
        "check the archive's log",
    ),
    "none are listed": (
        reporting(replace(UNWITNESSED, instances_before=()), completed=3),
        "lists no instance by C-FIND",
    ),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in first_step(evidence)
