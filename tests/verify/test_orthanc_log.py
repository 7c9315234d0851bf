"""An Orthanc's log: lines as its 1.10.1 wrote them, and what they tell of a C-MOVE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.orthanc_log import (
    compute_resource_id,
    compute_resource_ids,
    is_orthanc_log,
    read_orthanc_log,
    shows_requests,
)
from tests.growth import growth
from tests.verify.evidence import STUDY, UIDS, instances_before_move

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
RESOURCE = compute_resource_id("P1", STUDY)
QUERY = LogQuery(STUDY, frozenset(UIDS), compute_resource_ids("P1", instances_before_move()))
AT = "1125 14:10:43.553160"
INCOMING = f"I{AT} main.cpp:352] Incoming Move request from AET DCMCFG on IP 127.0.0.1, calling AET LONGTERM"
FOR = f'I{AT} OrthancMoveRequestHandler.cpp:326] (dicom) Move-SCU request received for AET "DCM4CHEE"'
LEVEL = f"I{AT} OrthancMoveRequestHandler.cpp:334] (dicom)   (0008,0052)  QueryRetrieveLevel = STUDY"
HIDDEN = f"I{AT} OrthancMoveRequestHandler.cpp:334] (dicom)   (0020,000d)  StudyInstanceUID = *** POTENTIAL PHI ***"
TOLD = HIDDEN.replace("*** POTENTIAL PHI ***", STUDY)
SENDING = (
    f"I{AT} OrthancMoveRequestHandler.cpp:73] (dicom) "
    f'Sending resource {RESOURCE} to modality "DCM4CHEE" in synchronous mode'
)
FINISHED = (
    f"I{AT} CommandDispatcher.cpp:929] (dicom) Finishing association with AET DCMCFG on IP 127.0.0.1: "
    "DUL Peer Requested Release"
)
REFUSED = (
    f"E{AT} OrthancException.cpp:58] Accessing an inexistent item: Unknown modality for AET: DCM4CHEE\n"
    f"E{AT} MoveScp.cpp:208] IMoveRequestHandler Failed: Accessing an inexistent item"
)
GOOD = (INCOMING, FOR, LEVEL, HIDDEN, SENDING, FINISHED)
STARTED = datetime(2026, 11, 25, 14, 10, 43, tzinfo=UTC)
RECORD = MoveRecord(
    started=STARTED,
    calling_ae_title="DCMCFG",
    called_ae_title="LONGTERM",
    destination_ae_title="DCM4CHEE",
    study_uid=STUDY,
    is_sending=True,
)


def read(*lines: str, query: LogQuery = QUERY, now: datetime = NOW) -> list[MoveRecord]:
    return list(read_orthanc_log("\n".join(lines).splitlines(), query, now))


def stored(uid: str, status: str = "0x0000: Success") -> str:
    """The response to a C-STORE, as ``--trace-dicom`` writes it."""
    return f"""\
T{AT} DicomStoreUserConnection.cpp:431] (dicom) Received Store Response:
===================== INCOMING DIMSE MESSAGE ====================
Message Type                  : C-STORE RSP
Message ID Being Responded To : 1
Affected SOP Instance UID     : {uid}
Data Set                      : none
DIMSE Status                  : {status}
======================= END DIMSE MESSAGE ======================="""


def test_a_move_is_told_with_who_asked_and_for_whom_and_the_study_is_known_by_its_hash() -> None:
    assert "-".join(RESOURCE[start : start + 8] for start in range(0, 45, 9)) == RESOURCE
    (record,) = read(*GOOD)
    assert record == RECORD
    assert record.has_sent
    assert compute_resource_id("P1", "1.2.826.0.1.3680043.10.1.1") == "89cf0fbf-6727f362-a686605b-6ab008f4-b5a40c2f"


def test_a_study_is_known_by_its_uid_where_that_is_told() -> None:
    assert read(INCOMING, FOR, TOLD, SENDING.replace(RESOURCE, "0-0")) == [RECORD]
    assert read(INCOMING, FOR, TOLD.replace(STUDY, "9.9"), SENDING) == []


def test_a_study_that_is_hidden_and_known_by_nothing_stays_unknown() -> None:
    (record,) = read(INCOMING, FOR, HIDDEN, SENDING.replace(RESOURCE, "0-0"))
    assert (record.study_uid, record.destination_ae_title) == ("", "DCM4CHEE")
    (refused,) = read(INCOMING, FOR, HIDDEN, REFUSED, FINISHED)
    assert (refused.study_uid, refused.failure) == (
        "",
        "Accessing an inexistent item: Unknown modality for AET: DCM4CHEE",
    )
    assert not refused.has_sent


def test_a_destination_that_cannot_be_reached_is_a_failure() -> None:
    error = f'E{AT} OrthancException.cpp:58] Error in the network protocol: connecting to AET "DOWN": refused'
    failed = f"E{AT} MoveScp.cpp:237] IMoveRequestHandler Failed: Error in the network protocol"
    (record,) = read(*GOOD[:-1], error, failed, FINISHED)
    assert record.failure == 'Error in the network protocol: connecting to AET "DOWN": refused'
    assert not record.has_sent


def test_with_trace_what_was_sent_is_counted_by_its_uid() -> None:
    (record,) = read(*GOOD[:-1], *map(stored, UIDS[:2]), stored(UIDS[2], "0xa700: Refused"), stored("9.9"), FINISHED)
    assert (record.completed, record.failed, record.has_sent) == (2, 1, True)


def test_with_trace_the_study_of_the_request_is_told() -> None:
    request = (
        f"T{AT} MoveScp.cpp:175] (dicom) Received C-MOVE Request:\n\n# Dicom-Data-Set\n(0020,000d) UI [{STUDY}]   # 6"
    )
    query = request.replace("C-MOVE", "C-FIND").replace(STUDY, "9.9")
    (record,) = read(INCOMING, request, FOR, HIDDEN, query, SENDING.replace(RESOURCE, "0-0"))
    assert record.study_uid == STUDY


def test_a_job_of_its_own_may_fail_later() -> None:
    submitted = f"I{AT} JobsRegistry.cpp:731] New job submitted with priority 0: f350-93"
    ended = f"I{AT} JobsRegistry.cpp:504] Job has completed with success: f350-93"
    asynchronous = (*GOOD[:-1], submitted, FINISHED)
    assert read(*asynchronous, ended) == [RECORD]
    (failed,) = read(*asynchronous, ended.replace("success", "failure"))
    assert (failed.failure, failed.has_sent) == ("the job failed", False)


def test_threads_are_told_apart_where_the_log_names_them() -> None:
    def of(thread: str, line: str) -> str:
        return line.replace(AT, f"{AT} {thread}")

    mine = [of("DICOM-1", line) for line in GOOD]
    other = [of("DICOM-2", line.replace("DCMCFG", "OTHER").replace(RESOURCE, "0-0")) for line in GOOD]
    mixed = [line for pair in zip(mine, other, strict=True) for line in pair]
    assert [(each.calling_ae_title, each.study_uid) for each in read(*mixed)] == [("DCMCFG", STUDY), ("OTHER", "")]


def test_with_trace_alone_who_asks_is_whose_association_is_open() -> None:
    received = f"I{AT} CommandDispatcher.cpp:333] (dicom) Association Received from AET DCMCFG on IP 127.0.0.1"
    (record,) = read(received, *GOOD[1:])
    assert (record.calling_ae_title, record.study_uid) == ("DCMCFG", STUDY)
    (unsure,) = read(received, received.replace("DCMCFG", "OTHER"), *GOOD[1:])
    assert unsure.calling_ae_title == ""
    (again,) = read(received.replace("DCMCFG", "OTHER"), FINISHED.replace("DCMCFG", "OTHER"), received, *GOOD[1:])
    assert again.calling_ae_title == "DCMCFG"


def test_an_old_orthanc_does_not_tell_who_asks() -> None:
    old = FOR.replace("I1125", "W1125").replace("(dicom) ", "")
    (record,) = read(old, SENDING.replace(" in synchronous mode", ""))
    assert (record.calling_ae_title, record.destination_ae_title, record.study_uid) == ("", "DCM4CHEE", STUDY)


@pytest.mark.parametrize(
    ("now", "year"),
    [
        (datetime(2026, 11, 26, tzinfo=UTC), 2026),
        (datetime(2026, 11, 25, 14, 0, tzinfo=timezone(timedelta(hours=5))), 2026),
        (datetime(2027, 1, 1, tzinfo=UTC), 2026),
    ],
)
def test_the_year_is_the_last_in_which_the_moment_can_be(now: datetime, year: int) -> None:
    (record,) = read(*GOOD, now=now)
    assert record.started == STARTED.replace(year=year, tzinfo=now.tzinfo)


def test_29_february_and_impossible_days_fail_nothing() -> None:
    for day in ("0229", "9999"):
        assert len(read(INCOMING.replace("1125", day), now=datetime(2026, 3, 1, tzinfo=UTC))) == 1


def test_the_form_of_the_log_is_told_by_its_lines() -> None:
    assert is_orthanc_log(["", "W1125 14:35:07.212738 main.cpp:2105] Orthanc has stopped"])
    assert not is_orthanc_log(['{"started": "2026-01-02T12:00:01Z"}', "Nov 25 14:35 host x: y"])
    assert shows_requests(GOOD)
    assert not shows_requests(["W1125 14:35:07.212738 main.cpp:2105] Orthanc has stopped"])


LINES = [*GOOD, *REFUSED.splitlines(), *stored(UIDS[0]).splitlines(), TOLD]


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=40) | st.text(max_size=9).map(lambda text: INCOMING + text)))
def test_no_lines_whatever_can_fail_the_reader(lines: list[str]) -> None:
    for record in read(*lines):
        assert record.study_uid in ("", STUDY)


def over(count: int) -> list[str]:
    """C-MOVEs that are over before the next one begins."""
    return [*GOOD] * count


def jobs(count: int) -> list[str]:
    """C-MOVEs whose jobs fail."""
    prefix = f"I{AT} JobsRegistry.cpp:700]"
    return [
        line
        for number in range(count)
        for line in (
            INCOMING,
            SENDING,
            f"{prefix} New job submitted with priority 0: {number}",
            f"{prefix} Job has completed with failure: {number}",
            *stored(UIDS[0]).splitlines(),
        )
    ]


@pytest.mark.parametrize("lines", [over, jobs])
def test_a_log_is_read_in_linear_time(lines: Callable[[int], list[str]]) -> None:
    def reading(count: int) -> Callable[[], object]:
        written = lines(count)
        return lambda: read(*written)

    assert growth(reading, 50) < 4.5
