"""Of a study that only the fallback archive can have, the fallback archive is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.verify.evidence import DatabaseEvidence, Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import failing
from tests.verify.evidence import ALONE, UNKNOWN_STUDY, UNWITNESSED

_ROUTE = replace(ALONE.route, fallback_move_scp="FALLBACK", ae_titles=frozenset({"WORKSTATION"}))
ASKED = replace(UNWITNESSED, instances_before=(), route=_ROUTE, database=DatabaseEvidence(UNKNOWN_STUDY, UNKNOWN_STUDY))
UNSEEN = replace(ASKED, database=DatabaseEvidence())
NOT_FOUND = "org.dcm4che3.conf.api.ConfigurationNotFoundException: Unknown AE"
CASES: dict[str, tuple[Evidence, str]] = {
    "some came, and nobody knows how many there are": (
        failing(ASKED, 0x0000, completed=3),
        (
            "the archive does not know the study. Its fallback archive FALLBACK (dcmFallbackCMoveSCP) sent 3 "
            "instances. If you know the number of instances, verify again with --expect N"
        ),
    ),
    "nothing came": (
        failing(ASKED, 0x0000, completed=0),
        "the archive does not know the study, and its fallback archive FALLBACK (dcmFallbackCMoveSCP) sent nothing: "
        "check the Study Instance UID",
    ),
    "nothing came, and the database was not asked": (
        failing(UNSEEN, 0x0000),
        "the archive does not know the study, and its fallback archive FALLBACK (dcmFallbackCMoveSCP) sent nothing: "
        "check the Study Instance UID",
    ),
    "the tree has no such AE": (
        failing(ASKED, 0xA702, NOT_FOUND),
        (
            "the tree has no AE FALLBACK, so the archive cannot open an association to this AE. To create the AE and "
            "reload the archive: dcmcfg ae add FALLBACK@HOST:PORT"
        ),
    ),
    "it failed": (
        failing(ASKED, 0xC001),
        (
            "the archive does not know the study, so it sent a C-MOVE to its fallback archive FALLBACK "
            "(dcmFallbackCMoveSCP). The log of FALLBACK shows why the fallback archive did not send all instances"
        ),
    ),
}


@pytest.mark.parametrize(("evidence", "step"), CASES.values(), ids=CASES)
def test_it_is_the_only_step(evidence: Evidence, step: str) -> None:
    assert judge_evidence(evidence).next_steps == (step,)


def test_a_study_that_the_archive_knows_has_other_steps() -> None:
    known = replace(UNWITNESSED, route=_ROUTE)
    assert not any("FALLBACK" in step for step in judge_evidence(failing(known, 0xA702)).next_steps)
