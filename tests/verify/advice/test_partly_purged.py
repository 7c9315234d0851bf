"""Of a study of which the archive had a part, the setting is named that has it forward the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import REJECTED, failing, listening
from tests.verify.evidence import ALONE, LOCAL_STUDY, UIDS, stored, study

_BEFORE = study("fs1", "", "")
_ROUTE = replace(ALONE.route, device="dcm4chee-arc")
RECALLED = replace(listening(stored(ALONE, _BEFORE, LOCAL_STUDY), *UIDS[:1]), route=_ROUTE)
NOTHING_CAME = replace(listening(stored(ALONE, _BEFORE, _BEFORE), *UIDS[:1]), route=_ROUTE)
CASES: dict[str, tuple[Evidence, str]] = {
    "recalled and not forwarded": (
        failing(RECALLED, 0xB000, completed=1),
        (
            "the archive recalled 2 instances from the external archive LONGTERM into its own storage, but did not "
            "forward these instances. For a partly purged study, the archive forwards recalled instances only with "
            "this setting: dcmcfg set dcm4chee-arc dcmCStoreSCUOfCMoveSCP+=LONGTERM=LONGTERM"
        ),
    ),
    "nothing came back": (
        failing(NOTHING_CAME, 0xB000, completed=1),
        (
            "the archive sent only the instances in its own storage. The archive requested the other instances from "
            "the external archive LONGTERM, but received no instance. The log of the external archive shows the "
            "reason. The external archive must accept the calling AE title DCM4CHEE, because the archive uses its "
            "own AE title for a partly purged study. To see the settings, run dcmcfg work-order --external LONGTERM "
            "--calling DCM4CHEE"
        ),
    ),
    "rejected": (
        failing(replace(NOTHING_CAME, received=()), 0xA702, REJECTED),
        (
            "the external archive LONGTERM or WORKSTATION rejected the association. Both AEs must accept the calling "
            "AE title DCM4CHEE, because the archive uses its own AE title for a partly purged study. To list the "
            "settings for the external archive's administrator, run dcmcfg work-order --external LONGTERM --calling "
            "DCM4CHEE"
        ),
    ),
}


@pytest.mark.parametrize(("evidence", "step"), CASES.values(), ids=CASES)
def test_it_is_the_only_step(evidence: Evidence, step: str) -> None:
    assert judge_evidence(evidence).next_steps == (step,)


def test_what_failed_on_its_way_has_other_steps() -> None:
    (step,) = judge_evidence(failing(RECALLED, 0xB000, completed=1, failed=2)).next_steps
    assert "dcmCStoreSCUOfCMoveSCP" not in step
