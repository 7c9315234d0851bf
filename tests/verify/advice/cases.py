"""Evidence of what can go wrong, and what is advised."""

from __future__ import annotations

from dataclasses import replace

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.route.path import EMPTY_SUCCESS, RouteFailure
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.judgement import judge_evidence
from tests.verify.evidence import UNWITNESSED, VIA_ARCHIVE, received_instances

A801 = replace(UNWITNESSED, outcome=MoveOutcome(0xA801, "Move Destination: WORKSTATION unknown"))
UNKNOWN_AE = replace(A801, outcome=MoveOutcome(0xA801, "Unknown AE: WORKSTATION"))
#: The external archive is told to send to an AE that forwards nothing.
FOREIGN_ROUTE = replace(
    VIA_ARCHIVE,
    external_retrieve_destination="STORESCP",
    misrouting=RouteFailure(
        EMPTY_SUCCESS,
        "STORESCP is an AE of the device storescp, so LONGTERM sends the objects to this device. The archive does not "
        "get the objects and cannot forward them",
        "dcmcfg set-external-retrieve DCM4CHEE",
    ),
)
REFUSED = "java.net.ConnectException: Connection refused"
REJECTED = "A-ASSOCIATE-RJ[result: 1 - rejected-permanent, source: 1 - servi"
DOWN = replace(UNWITNESSED, move_records=(), outcome=MoveOutcome(0xA702, REFUSED))


def first_step(evidence: Evidence) -> str:
    return judge_evidence(evidence).next_steps[0]


def failing(evidence: Evidence, status: int, comment: str = "", **counters: int) -> Evidence:
    return replace(evidence, outcome=MoveOutcome(status, comment, **counters))  # type: ignore[arg-type]  # counters


def listening(evidence: Evidence, *uids: str) -> Evidence:
    """Return *evidence* with our receiver as the destination, at which *uids* arrived."""
    return replace(evidence, received=received_instances(uids))
