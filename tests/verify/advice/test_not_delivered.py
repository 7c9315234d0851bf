"""Of what the archive reports and we did not see, it is told who can tell where it went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import Evidence
from tests.verify.advice.cases import first_step, listening
from tests.verify.evidence import DIRECT, GOOD, UIDS, received_instances

STRAIGHT = replace(GOOD, route=DIRECT, move_records=None)
CASES: dict[str, tuple[Evidence, str]] = {
    "nothing": (listening(GOOD), "another storage SCP"),
    "nothing, sent straight": (
        listening(STRAIGHT),
        "the external archive LONGTERM sends straight to WORKSTATION, at the address in the AE list of the external "
        "archive",
    ),
    "some, sent straight": (
        listening(STRAIGHT, *UIDS[:2]),
        "Check in the log of the external archive LONGTERM what happened to the other instances",
    ),
    "some, by the archive": (
        listening(GOOD, *UIDS[:2]),
        "Check in the log of the archive DCM4CHEE what happened to the other instances",
    ),
    "others for our C-MOVE": (
        listening(GOOD, "9.1"),
        "DCM4CHEE sent these instances for this C-MOVE",
    ),
    "others by somebody else": (
        replace(
            GOOD, received=tuple(replace(each, move_originator_ae_title=None) for each in received_instances(("9.1",)))
        ),
        "another AE may have sent",
    ),
    "the same as another study": (
        replace(GOOD, received=tuple(replace(each, study_uid="9.9") for each in received_instances())),
        "the instances arrived with another Study Instance UID",
    ),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in first_step(evidence)
