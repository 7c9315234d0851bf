"""What ``dcmcfg route`` tells from the tree, held to what the real archive did in each recorded C-MOVE."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dcmcfg.route.path import (
    ALL_FAILED,
    DESTINATION_REFUSED,
    EMPTY_SUCCESS,
    LOCAL_ONLY,
    NOT_ACCESSIBLE,
    PathOutcome,
    RetrievePath,
    RouteFailure,
)
from dcmcfg.route.request import RouteRequest, StudyState
from dcmcfg.route.route import find_route
from tests.recorded.recordings import DimseRecording, dimse
from tests.recorded.route_sites import moves, question_of

#: As the recordings say of LONGTERM, an Orthanc, in ``configured``.
KNOWS, LETS_IN = {"DCM4CHEE"}, {"DCM4CHEE", "DCMCFG", "MOVESCU"}
#: Recordings whose name alone tells what LONGTERM or FALLBACK had.
KNOWS_WORKSTATION = {"move-purged-unset-longterm-knows"}
HAS_NOTHING = {"fallback-dest-unknown-everywhere"}
STATUS = re.compile(r"(?P<status>[0-9A-F]{4}) (?P<comment>.+)")


def find_recorded_route(recording: DimseRecording) -> tuple[RouteRequest, StudyState, RouteFailure | RetrievePath]:
    configuration, question, state = question_of(recording)
    route = find_route(configuration, question, (state,))
    if route.refusal is not None:
        return question, state, route.refusal
    (way,) = route.paths
    return question, state, way


@pytest.mark.parametrize("name", moves())
def test_whom_the_archive_asks_is_whom_route_tells(recordings: Path, name: str) -> None:
    recording = dimse(name)
    _, _, found = find_recorded_route(recording)
    asks = [] if isinstance(found, RouteFailure) else [step for step in found.messages if step.kind == "C-MOVE"]
    expected = [
        (step.calling_ae_title, step.called_ae_title, step.move_destination)
        for step in asks
        if step.address is not None
    ]
    asked = [
        (*each["association"].split("→"), each["move_destination"])
        for each in recording.summary.get("asked", [])
        if each["association"] != "?"
    ]
    # An external archive that ends the association sees no Move Destination.
    assert [each[: 2 if each[2] is None else 3] for each in asked] == [
        each[: 2 if real[2] is None else 3] for each, real in zip(expected, asked, strict=True)
    ]


@pytest.mark.parametrize("name", moves())
def test_who_stores_where_is_what_route_tells(recordings: Path, name: str) -> None:
    recording = dimse(name)
    _, _, found = find_recorded_route(recording)
    steps = () if isinstance(found, RouteFailure) else found.messages
    expected = {(step.calling_ae_title, step.called_ae_title) for step in steps if step.kind == "C-STORE"}
    stored = {tuple(each["association"].split("→")) for each in recording.summary.get("stores", [])}
    assert stored <= expected
    if (
        not isinstance(found, RouteFailure)
        and found.outcome is PathOutcome.DELIVERED
        and prerequisites_hold(recording, found)
    ):
        assert stored == expected


@pytest.mark.parametrize("name", moves())
def test_the_final_response_is_what_route_tells(recordings: Path, name: str) -> None:
    recording = dimse(name)
    _, _, found = find_recorded_route(recording)
    final = recording.summary["client"]["final"]
    if isinstance(found, RouteFailure):
        assert agrees(found.response, recording)
    elif found.failures:
        assert agrees(found.failures[0].response, recording) or not prerequisites_hold(recording, found)
    elif prerequisites_hold(recording, found):
        assert found.outcome is PathOutcome.DELIVERED
        assert final["Status"] in ({"0000H", "FE00H"} if "cancel" in name else {"0000H"})
        assert counted(recording, "Completed") == (2 if name == "cancel-local" else expected_store_count(recording))
    else:
        assert found.prerequisites
        assert (
            final is None
            or final["Status"] != "0000H"
            or counted(recording, "Completed") in (0, expected_store_count(recording))
        )


def expected_store_count(recording: DimseRecording) -> int:
    """Return how many instances *recording* asks for; the studies that the archive does not know have three."""
    messages = [each for leg in recording.legs("client-archive") for each in leg["messages"]]
    request = next(each["dataset"] for each in messages if each["what"] == "C-MOVE-RQ")
    if request["QueryRetrieveLevel"] == "IMAGE":
        return 1
    return recording.before.number if recording.before and recording.before.known else 3


def counted(recording: DimseRecording, name: str) -> int:
    return int((recording.summary["client"]["final"] or {}).get(f"NumberOf{name}Suboperations", 0))


def prerequisites_hold(recording: DimseRecording, way: RetrievePath) -> bool:
    """Return whether the other systems did their part in *recording*, as its ``configured`` describes them."""
    if re.search(r"(LONGTERM replaced by|WORKSTATION is) a scripted SCP: \{\"mode\": \"(?!ok)", recording.configured):
        return False
    if recording.name in HAS_NOTHING:
        return False
    knows = KNOWS | ({"WORKSTATION"} if recording.name in KNOWS_WORKSTATION else set())
    return all(
        need.ae_title in (knows if need.kind == "know" else LETS_IN)
        for need in way.prerequisites
        if need.peer_ae_title == "LONGTERM"
    )


def agrees(answer: str, recording: DimseRecording) -> bool:
    final = recording.summary["client"]["final"]
    counters = {} if final is None else {key: value for key, value in final.items() if key.startswith("NumberOf")}
    if final is None:
        return answer == "no response, the association ends"
    before = recording.before
    match answer:
        case _ if answer == EMPTY_SUCCESS:
            return final["Status"] == "0000H" and not counters
        case _ if answer == NOT_ACCESSIBLE:
            return final["Status"] == "A702H" and not counters and "ErrorComment" not in final
        case _ if answer == ALL_FAILED:
            return final["Status"] == "A702H" and counted(recording, "Failed") == expected_store_count(recording)
        case _ if answer == LOCAL_ONLY:
            local = (
                expected_store_count(recording) if "two-studies" in recording.name else before.local if before else 0
            )
            return final["Status"] == "B000H" and counters == {"NumberOfCompletedSuboperations": local}
        case _ if answer == DESTINATION_REFUSED:
            return final["Status"] in ("A801H", "C000H")
    spelt = STATUS.fullmatch(answer)
    assert spelt is not None, answer
    return (final["Status"], final.get("ErrorComment")) == (f"{spelt['status']}H", spelt["comment"])
