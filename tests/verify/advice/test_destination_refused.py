"""Of a destination that is refused, it is told who refuses it and what has it taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcmcfg.dicom.move import MoveOutcome
from dcmcfg.route.path import DESTINATION_REFUSED, RouteFailure
from dcmcfg.verify.evidence import ConfiguredRoute, DatabaseEvidence, Evidence, MoveRecord
from dcmcfg.verify.judgement import judge_evidence
from dcmcfg.verify.verdict import RouteFinding
from tests.verify.advice.cases import A801, FOREIGN_ROUTE, UNKNOWN_AE, first_step
from tests.verify.evidence import (
    ALONE,
    DIRECT,
    LOCAL_STUDY,
    PURGED,
    QUESTION,
    UNKNOWN_STUDY,
    VIA_ARCHIVE,
    recorded,
    stored,
    study,
)

SILENT = replace(A801, outcome=MoveOutcome(0xA801))
OF_TWO = tuple(replace(each, retrieve_ae_titles=("LONGTERM", "OTHER")) for each in A801.instances_before)
REFUSED_RELAY = recorded("WORKSTATION", 0xA801, None)
NOT_IN_TREE = replace(VIA_ARCHIVE, move_destination_known=False)
NOT_ALLOWED = replace(A801, outcome=MoveOutcome(0xC801, "Move Destination not allowed"))
HIDDEN = ("WORKSTATION", "WORKSTATION is not installed (dicomInstalled)", "dcmcfg set x dicomInstalled=TRUE")
UNKNOWN = replace(A801, instances_before=(), database=DatabaseEvidence(UNKNOWN_STUDY, UNKNOWN_STUDY))
#: LONGTERM is the fallback archive too, and knows DCM4CHEE, to which it sends what is purged.
FALLBACK = replace(VIA_ARCHIVE, fallback_move_scp="LONGTERM", device="dcm4chee-arc")
FALLBACK_BACK = replace(FALLBACK, fallback_destination="AS_RECEIVED")
FALLBACK_ASKED = (
    "the archive does not know the study, so it sent a C-MOVE to its fallback archive LONGTERM (dcmFallbackCMoveSCP). "
    "LONGTERM does not know the Move Destination "
)
IF_IT_WAS_THE_ARCHIVE = (
    "if the log of the external archive shows no C-MOVE request for this study, the archive itself refused the "
    "destination. The archive caches unknown AE titles (dcmAECacheStaleTimeout), so run dcmcfg reload"
)
ELSEWHERE = stored(A801, study("fs9", "fs9", "fs9"))
ALTERNATIVE = replace(VIA_ARCHIVE, alternative_move_scp="OTHER", storage_ids=frozenset({"fs1"}))
CASES: dict[str, tuple[Evidence, str]] = {
    "relayed, attribute unset": (replace(A801, route=DIRECT), "dcmcfg set-external-retrieve DCM4CHEE"),
    "relayed, attribute unset, recorded": (
        replace(A801, route=DIRECT, move_records=(REFUSED_RELAY,)),
        "dcmcfg set-external-retrieve DCM4CHEE",
    ),
    "attribute unset, in words that both use": (
        replace(UNKNOWN_AE, route=DIRECT),
        "but does not know the AE WORKSTATION",
    ),
    "with the attribute set": (
        A801,
        "the administrator of the external archive must add the AE DCM4CHEE. To see the host and DICOM port of "
        "DCM4CHEE",
    ),
    "with the attribute set, recorded": (
        replace(A801, move_records=(recorded("DCM4CHEE", 0xA801, None),)),
        "the administrator of the external archive must add the AE DCM4CHEE. To see the host and DICOM port of "
        "DCM4CHEE",
    ),
    "by an external archive that is told to send elsewhere": (
        replace(A801, route=FOREIGN_ROUTE),
        ("The archive does not get the objects and cannot forward them; dcmcfg set-external-retrieve DCM4CHEE"),
    ),
    "relayed although set": (replace(A801, move_records=(REFUSED_RELAY,)), "dcmcfg reload"),
    "by the archive, in its words": (
        UNKNOWN_AE,
        "the tree has the AE WORKSTATION, but the archive has not loaded this AE",
    ),
    "by the archive, the external archive was never asked": (replace(SILENT, move_records=()), "dcmcfg reload"),
    "relayed, by another external archive than the one whose log it is": (
        replace(A801, route=DIRECT, move_records=()),
        "dcmcfg set-external-retrieve DCM4CHEE",
    ),
    "attribute unset, in words that both use, with the log of one of two": (
        replace(UNKNOWN_AE, route=DIRECT, move_records=(), instances_before=OF_TWO),
        "most likely, the external archive LONGTERM, OTHER sends directly",
    ),
    "by the archive, not in the tree": (
        replace(A801, route=NOT_IN_TREE),
        "the tree has no AE WORKSTATION. Create the AE WORKSTATION and "
        "reload the archive: dcmcfg ae add WORKSTATION@HOST:PORT",
    ),
    "by the archive, misspelt": (
        replace(A801, route=replace(NOT_IN_TREE, similar_ae_titles=("WORKSTATION2",))),
        "did you mean WORKSTATION2? Otherwise create the AE",
    ),
    "by the archive, not installed": (
        replace(
            A801, route=replace(NOT_IN_TREE, ae_titles=frozenset({"WORKSTATION"}), unresolved_aes=frozenset({HIDDEN}))
        ),
        "WORKSTATION is not installed (dicomInstalled): dcmcfg set x dicomInstalled=TRUE; then run dcmcfg reload",
    ),
    "not allowed": (
        replace(NOT_ALLOWED, route=replace(VIA_ARCHIVE, accepted_move_destinations=("A", "B", "C", "D", "E", "F"))),
        (
            "DCM4CHEE accepts only the destinations in its dcmAcceptedMoveDestination (A, B, C, D, E and 1 more). To "
            "add WORKSTATION: dcmcfg set AE:DCM4CHEE dcmAcceptedMoveDestination+=WORKSTATION"
        ),
    ),
    "not allowed, although the tree has it": (
        replace(NOT_ALLOWED, route=replace(VIA_ARCHIVE, accepted_move_destinations=("WORKSTATION",))),
        "in LDAP, dcmAcceptedMoveDestination of DCM4CHEE lists WORKSTATION. But the archive still uses an older ",
    ),
    "not allowed, although the tree allows any": (
        NOT_ALLOWED,
        "in LDAP, dcmAcceptedMoveDestination of DCM4CHEE is not set, so any destination is allowed",
    ),
}


@pytest.mark.parametrize(("evidence", "words"), CASES.values(), ids=CASES)
def test_the_first_next_step_names_the_way_out(evidence: Evidence, words: str) -> None:
    assert words in first_step(evidence)


STEPS: dict[str, tuple[Evidence, tuple[str, ...]]] = {
    "by the fallback archive, whose destination is no AE of the archive": (
        replace(
            UNKNOWN,
            route=replace(
                FALLBACK,
                fallback_destination="NOWHERE",
                fallback_misrouting=RouteFailure(
                    DESTINATION_REFUSED,
                    "dcmFallbackCMoveSCPDestination contains NOWHERE, but the archive has no AE with this title",
                    "dcmcfg set dcm4chee-arc dcmFallbackCMoveSCPDestination=DCM4CHEE",
                ),
            ),
        ),
        (
            f"{FALLBACK_ASKED}NOWHERE. dcmFallbackCMoveSCPDestination contains NOWHERE, but the archive has no AE with "
            "this title; dcmcfg set dcm4chee-arc dcmFallbackCMoveSCPDestination=DCM4CHEE",
        ),
    ),
    "by the fallback archive": (
        replace(UNKNOWN, route=FALLBACK),
        (
            f"{FALLBACK_ASKED}WORKSTATION. The administrator of the fallback archive must add WORKSTATION. To see the "
            "address, run dcmcfg work-order --external LONGTERM",
            (
                "or run dcmcfg set dcm4chee-arc dcmFallbackCMoveSCPDestination=DCM4CHEE. Then LONGTERM sends the "
                "study to the archive, and the archive forwards the study to WORKSTATION"
            ),
        ),
    ),
    "by the fallback archive, back to the archive": (
        replace(UNKNOWN, route=FALLBACK_BACK),
        (
            f"{FALLBACK_ASKED}AS_RECEIVED. The administrator of the fallback archive must add the AE AS_RECEIVED. "
            "To see the host and DICOM port of AS_RECEIVED, run dcmcfg work-order --external LONGTERM",
        ),
    ),
    "by the alternative archive": (
        replace(ELSEWHERE, route=ALTERNATIVE),
        (
            (
                "the archive sent a C-MOVE to OTHER (dcmAltCMoveSCP), but OTHER does not know the Move Destination "
                "WORKSTATION. The administrator of OTHER must add WORKSTATION. To see the "
                "address, run dcmcfg work-order --external OTHER"
            ),
        ),
    ),
    "by the alternative archive that is recorded, too": (
        replace(stored(A801, PURGED), route=replace(ALTERNATIVE, alternative_move_scp="LONGTERM")),
        (
            (
                "the archive sent a C-MOVE to LONGTERM (dcmAltCMoveSCP), but LONGTERM does not know the Move "
                "Destination WORKSTATION. The administrator of LONGTERM must add WORKSTATION. "
                "To see the address, run dcmcfg work-order --external LONGTERM"
            ),
        ),
    ),
    "by an archive whose log does not name the caller, with another destination": (
        replace(A801, move_records=(replace(REFUSED_RELAY, calling_ae_title=""),), outcome=MoveOutcome(0xA801)),
        (
            (
                "LONGTERM does not know WORKSTATION (per its log), but in the tree the Move Destination is DCM4CHEE. "
                "The archive may not have loaded the current tree: run dcmcfg reload, then verify with another study"
            ),
        ),
    ),
}


@pytest.mark.parametrize(("evidence", "steps"), STEPS.values(), ids=STEPS)
def test_who_does_not_know_which_destination(evidence: Evidence, steps: tuple[str, ...]) -> None:
    verdict = judge_evidence(evidence)
    assert verdict.next_steps == steps
    assert "to the archive itself" not in verdict.headline


@pytest.mark.parametrize("case", ["by the fallback archive", "by the alternative archive"])
def test_an_external_archives_own_record_settles_who_it_was(case: str) -> None:
    """Without it, the words of a dcm4chee archive can be those of either."""
    evidence, steps = STEPS[case]
    same_words = replace(evidence, outcome=UNKNOWN_AE.outcome)
    assert judge_evidence(same_words).next_steps == (*steps, IF_IT_WAS_THE_ARCHIVE)
    record = replace(
        REFUSED_RELAY, called_ae_title=evidence.route.fallback_move_scp or evidence.route.alternative_move_scp
    )
    asks = frozenset({(record.called_ae_title, "WORKSTATION"), ("LONGTERM", "DCM4CHEE")})
    settled = judge_evidence(
        replace(same_words, move_records=(record,), route=replace(evidence.route, external_requests=asks))
    )
    assert settled.next_steps == steps
    assert settled.report.meaning == (
        f"{record.called_ae_title} does not know the Move Destination WORKSTATION (per its log)"
    )


def test_of_a_destination_that_the_archive_refuses_no_route_is_told_but_why_there_is_none() -> None:
    misspelt = replace(A801, route=replace(NOT_IN_TREE, similar_ae_titles=("WORKSTATION2", "WORKSTATION3")))
    verdict = judge_evidence(replace(misspelt, database=stored(ALONE, LOCAL_STUDY).database))
    assert verdict.headline == (
        "NOT verified: status A801, refused: the Move Destination is unknown to the archive itself"
    )
    assert verdict.route.finding is RouteFinding.NOT_SHOWN
    assert (
        verdict.route.configured_path
        == "none: the tree has no AE WORKSTATION; did you mean WORKSTATION2, WORKSTATION3?"
    )
    assert verdict.route.reasons == (
        "the archive refused this destination before it looked up the study. The archive opened no association and "
        "sent nothing",
    )


@pytest.mark.parametrize(
    ("evidence", "way"),
    [
        (UNKNOWN_AE, "none: the archive does not know WORKSTATION, although the tree has this AE"),
        (
            replace(A801, route=replace(NOT_IN_TREE, ae_titles=frozenset({"WORKSTATION"}))),
            "none: the AE WORKSTATION is not installed",
        ),
        (
            replace(A801, outcome=MoveOutcome(0xC801)),
            "none: DCM4CHEE does not accept WORKSTATION (dcmAcceptedMoveDestination)",
        ),
    ],
)
def test_why_there_is_no_route_is_told(evidence: Evidence, way: str) -> None:
    assert judge_evidence(evidence).route.configured_path == way


def test_titles_in_commands_are_quoted_for_a_shell() -> None:
    hostile = replace(QUESTION, destination_ae_title="MY AE", archive=replace(QUESTION.archive, ae_title="X;reboot"))
    listed = replace(VIA_ARCHIVE, accepted_move_destinations=("MY AX",))
    not_allowed = judge_evidence(replace(A801, request=hostile, route=listed, outcome=MoveOutcome(0xC801))).next_steps
    assert "dcmcfg set 'AE:X;reboot' 'dcmAcceptedMoveDestination+=MY AE'" in not_allowed[0]
    assert "dcmcfg set 'AE:X;reboot' 'dcmAcceptedMoveDestination-=MY AX'" in not_allowed[1]
    relayed = first_step(replace(A801, request=hostile, route=DIRECT))
    assert "dcmcfg set-external-retrieve 'X;reboot'" in relayed
    unknown = replace(UNKNOWN_AE, request=hostile, route=DIRECT, outcome=MoveOutcome(0xA801, "Unknown AE: MY AE"))
    assert "archive instead: dcmcfg set-external-retrieve 'X;reboot'" in first_step(unknown)


def test_a_title_from_an_external_log_is_quoted_in_a_command() -> None:
    failure = "Unknown modality for AET: DCM4CHEE"
    record = replace(recorded("DCM4CHEE", 0xC000, None), called_ae_title="X;reboot", failure=failure)
    steps = judge_evidence(replace(A801, move_records=(record,), outcome=MoveOutcome(0xC000))).next_steps
    assert any(
        "To see the lines for DicomModalities, run dcmcfg work-order --external 'X;reboot' --format orthanc" in each
        for each in steps
    )


@pytest.mark.parametrize("evidence", [A801, UNKNOWN_AE, SILENT, replace(UNKNOWN_AE, instances_before=OF_TWO)])
@pytest.mark.parametrize("route", [DIRECT, VIA_ARCHIVE, NOT_IN_TREE])
@pytest.mark.parametrize("records", [None, (), (REFUSED_RELAY,)])
def test_headline_and_route_say_alike_who_refused(
    evidence: Evidence, route: ConfiguredRoute, records: tuple[MoveRecord, ...] | None
) -> None:
    verdict = judge_evidence(replace(evidence, route=route, move_records=records))
    by_the_archive = any("The archive opened no association" in each for each in verdict.route.reasons)
    assert ("to the archive itself" in verdict.headline) is by_the_archive


def test_whom_the_external_archives_own_record_shows_to_refuse_is_named() -> None:
    assert judge_evidence(replace(A801, route=DIRECT, move_records=(REFUSED_RELAY,))).report.meaning == (
        "LONGTERM does not know the Move Destination WORKSTATION (per its log)"
    )


def test_a_title_in_the_list_that_is_spelt_almost_like_the_destination_is_told_once_that_one_is_allowed() -> None:
    listed = replace(NOT_ALLOWED, route=replace(VIA_ARCHIVE, accepted_move_destinations=("WORKSTATON",)))
    assert judge_evidence(listed).next_steps == (
        (
            "DCM4CHEE accepts only the destinations in its dcmAcceptedMoveDestination (WORKSTATON). To add "
            "WORKSTATION: dcmcfg set AE:DCM4CHEE dcmAcceptedMoveDestination+=WORKSTATION"
        ),
        (
            "dcmAcceptedMoveDestination has WORKSTATON, which is similar to WORKSTATION. If WORKSTATON is a typo, "
            "remove this value: dcmcfg set AE:DCM4CHEE dcmAcceptedMoveDestination-=WORKSTATON"
        ),
    )
