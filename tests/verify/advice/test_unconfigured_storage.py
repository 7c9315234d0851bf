"""Of files on a storage that is not configured, no external archive is blamed."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.verify.judgement import judge_evidence
from tests.verify.advice.cases import failing
from tests.verify.evidence import ALONE, stored, study

ELSEWHERE = study("fs9", "fs9", "fs9")
LOST = replace(stored(ALONE, ELSEWHERE, ELSEWHERE), received=(), route=replace(ALONE.route, device="dcm4chee-arc"))


def test_the_storage_is_named_with_the_ways_out() -> None:
    for evidence in (failing(LOST, 0xA702), failing(LOST, 0x0000)):
        assert judge_evidence(evidence).next_steps == (
            (
                "the files are on the storage fs9, which is not in the LDAP configuration. The archive cannot read "
                "these files, "
                "and sent no C-MOVE to an external archive. Configure the storage again, or set an alternative "
                "C-MOVE SCP that has the study: dcmcfg set dcm4chee-arc dcmAltCMoveSCP=AET"
            ),
        )


def test_the_archive_that_is_asked_instead_is_named() -> None:
    evidence = replace(LOST, route=replace(LOST.route, alternative_move_scp="OLDARC"))
    (step,) = judge_evidence(failing(evidence, 0xC000)).next_steps
    assert "The archive sent a C-MOVE to OLDARC (dcmAltCMoveSCP) with the Move Destination WORKSTATION" in step
    assert "dcmcfg work-order --external OLDARC" in step
