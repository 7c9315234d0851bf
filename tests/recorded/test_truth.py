"""The table of what really happened is what the recordings show: who stored what, where, and in which state it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorded import stored
from tests.recorded.recordings import DimseRecording, dimse, dimse_names, index
from tests.recorded.truth import NOT_ASKED_BY_VERIFY, TRUTH, ActualPath

_TAKEN = ("0000H", "B000H")


def test_every_recording_with_a_c_move_is_in_the_table(recordings: Path) -> None:
    moves = {name for name in dimse_names() if _is_move_request(dimse(name))}
    assert moves == set(TRUTH) | set(NOT_ASKED_BY_VERIFY)


@pytest.mark.parametrize("name", TRUTH)
def test_what_arrived_is_what_the_destination_took(recordings: Path, name: str) -> None:
    recording, truth = dimse(name), TRUTH[name]
    taken = _stored(recording, "to-workstation")
    assert truth.delivered == len(taken)
    assert truth.from_outside == len(taken & _from_outside(recording))
    assert truth.warned == any(status == "B000H" for _, status in _answers(recording, "to-workstation"))


@pytest.mark.parametrize("name", TRUTH)
def test_the_way_is_that_of_the_legs(recordings: Path, name: str) -> None:
    recording = dimse(name)
    assert TRUTH[name].path is _actual_path(recording)


@pytest.mark.parametrize("name", TRUTH)
def test_the_states_are_those_of_the_database(recordings: Path, name: str) -> None:
    recording, truth = dimse(name), TRUTH[name]
    before, after = stored.before(recording), stored.after(recording)
    known = before or after
    asked = _request_level(recording)
    assert truth.number == (0 if known is None else 1 if asked == "IMAGE" else len(known.instances))
    here = before is not None and all(each.storage == "fs1" for each in before.instances)
    assert truth.local is here


@pytest.mark.parametrize("name", TRUTH)
def test_a_success_is_one_of_all_instances(recordings: Path, name: str) -> None:
    recording, truth = dimse(name), TRUTH[name]
    final = recording.summary["client"]["final"] or {}
    completed = final.get("NumberOfCompletedSuboperations", 0)
    success = final.get("Status") == "0000H" and completed == truth.delivered == truth.number > 0
    assert truth.success is success


def test_the_recordings_are_of_the_archive_that_the_page_names(recordings: Path) -> None:
    assert index()["archive"]["software"].startswith("dcm4chee-arc 5.35.1")


def _is_move_request(recording: DimseRecording) -> bool:
    return any(each["what"] == "C-MOVE-RQ" for each in stored.messages(recording, "client-archive"))


def _request_level(recording: DimseRecording) -> str:
    request = next(each for each in stored.messages(recording, "client-archive") if each["what"] == "C-MOVE-RQ")
    return str(request["dataset"].get("QueryRetrieveLevel", ""))


def _answers(recording: DimseRecording, leg: str) -> list[tuple[str, str]]:
    """Return (SOP Instance UID, status) of each C-STORE of *leg* that was answered."""
    found = []
    for connection in recording.legs(leg):
        asked: dict[int, str] = {}
        for message in connection["messages"]:
            command = message.get("command", {})
            if message["what"] == "C-STORE-RQ":
                asked[command["MessageID"]] = command["AffectedSOPInstanceUID"]
            elif message["what"] == "C-STORE-RSP":
                found.append((asked[command["MessageIDBeingRespondedTo"]], command["Status"]))
    return found


def _stored(recording: DimseRecording, leg: str) -> set[str]:
    return {uid for uid, status in _answers(recording, leg) if status in _TAKEN}


def _callers(recording: DimseRecording) -> set[str]:
    requests = stored.messages(recording, "to-workstation")
    return {each["association"]["calling"] for each in requests if each["what"] == "A-ASSOCIATE-RQ"}


def _from_outside(recording: DimseRecording) -> set[str]:
    """Return what the archive had no file of before and what another archive sent."""
    before = stored.before(recording)
    here = {each.sop_instance_uid for each in before.instances if each.storage} if before else set()
    return _stored(recording, "to-workstation") - here


def _actual_path(recording: DimseRecording) -> ActualPath:
    taken = _stored(recording, "to-workstation")
    came, fallen = _stored(recording, "longterm-archive"), _stored(recording, "fallback-archive")
    outside = _from_outside(recording)
    if not taken:
        return ActualPath.KEPT if came else ActualPath.NOTHING
    if fallen or "FALLBACK" in _callers(recording):
        return ActualPath.FALLBACK
    if not outside:
        whole = stored.before(recording)
        return ActualPath.LOCAL if whole and all(each.storage for each in whole.instances) else ActualPath.LOCAL_PART
    if "LONGTERM" in _callers(recording):
        return ActualPath.STRAIGHT
    return ActualPath.RECALLED if outside == taken else ActualPath.BOTH
