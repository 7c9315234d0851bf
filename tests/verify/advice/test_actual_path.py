"""Of another way than the configured one, it is told which record to look at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import Evidence
from tests.verify.advice.cases import first_step
from tests.verify.evidence import GOOD, LOCAL_STUDY, PURGED, received_instances, stored

CASES: dict[str, tuple[Evidence, str]] = {
    "purged, delivered, but not in the record": (
        replace(stored(GOOD, PURGED, LOCAL_STUDY), move_records=()),
        "check that the log is from the external archive that has the study",
    ),
    "called directly": (
        replace(GOOD, received=received_instances(calling="LONGTERM")),
        "in the external archive's log, find the AE to which the external archive sent the study",
    ),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in first_step(evidence)
