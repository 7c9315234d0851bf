"""The log of dcmtk's archive: lines as its 3.6.7 wrote them, and what they tell of a C-MOVE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.verify.dcmtk_log import is_dcmtk_log, read_dcmtk_log
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.parsed_log import ParsedLog
from tests.growth import growth
from tests.verify.evidence import STUDY, UIDS

SINCE = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
QUERY = LogQuery(STUDY, frozenset(UIDS), calling_ae_title="DCMCFG", archive_ae_titles=frozenset({"DCM4CHEE"}))
RECEIVED = "I: Association Received (localhost:DCMCFG -> LONGTERM)"
RELEASE = "I: Association Release"
STORES = """\
I: Store SCU RQ: MsgID 1, (CT)
XMIT: .
I: Move SCP: Received Store SCU RSP [Status=Success]
I: Move SCP Response 1 [status: Pending]"""
DEBUG = """\
I: Store SCU RQ: MsgID 1, (CT)
D: DcmMetaInfo::checkAndReadPreamble() TransferSyntax="Little Endian Explicit"
D: DcmDataset::read() TransferSyntax="JPEG-LS Lossless"
D: DcmDataset::read() TransferSyntax="Little Endian Implicit"
I: Move SCP: Received Store SCU RSP [Status=Success]"""
SUCCESS = "I: Move SCP Response 4 [status: Success]"
RECORD = MoveRecord(
    started=SINCE,
    calling_ae_title="DCMCFG",
    called_ae_title="LONGTERM",
    destination_ae_title="DCM4CHEE",
    study_uid=STUDY,
    status=0,
    completed=2,
    failed=0,
)


def request(study: str = STUDY, destination: str = "DCM4CHEE") -> str:
    return f"""\
I: Association Acknowledged (Max Send PDV: 16372)
I: Cleaned up after child (11069)
I: Received Move SCP:
I: ===================== INCOMING DIMSE MESSAGE ====================
I: Message Type                  : C-MOVE RQ
I: Message ID                    : 1
I: Move Destination              : {destination}
I: ======================= END DIMSE MESSAGE =======================
I: Move SCP Request Identifiers:
I: # Dicom-Data-Set
I: # Used TransferSyntax: Little Endian Explicit
I: (0008,0052) CS [STUDY]                                  #   6, 1 QueryRetrieveLevel
I: (0020,000d) UI [{study}]             #  26, 1 StudyInstanceUID
I: Requesting Sub-Association"""


def logged(*parts: str, before: str = "") -> ParsedLog:
    return read_dcmtk_log("\n".join(parts).splitlines(), QUERY, SINCE, before.splitlines())


def test_who_asked_for_what_to_be_sent_where_and_how_many_were_stored() -> None:
    found = logged(RECEIVED, request(), STORES, STORES, SUCCESS, RELEASE)
    assert found.move_records == (RECORD,)
    assert found.legs == (
        TransferLeg("LONGTERM", "DCM4CHEE", "LONGTERM's log", (StoreRecord("", status=0, time=SINCE),) * 2),
    )
    assert found.ae_titles == {"LONGTERM"}


def test_at_debug_it_tells_the_transfer_syntax_of_the_file() -> None:
    (leg,) = logged(RECEIVED, request(), DEBUG, SUCCESS, RELEASE).legs
    assert [each.file_transfer_syntax for each in leg.stores] == ["1.2.840.10008.1.2.4.80"]
    assert [each.transfer_syntax for each in leg.stores] == [""]


def test_a_pattern_with_a_time_is_read() -> None:
    lines = "\n".join((RECEIVED, request(), STORES, SUCCESS)).replace("I: ", "2026-11-30 14:00:05.125  INFO: ")
    (record,) = logged(lines).move_records
    assert (record.started, record.completed) == (SINCE.replace(second=5), 1)


def test_an_unknown_destination_is_a_failure_without_a_c_store() -> None:
    refusal = "I: mapMoveDestination: unknown AE: 'X'\nI: Move SCP Response 1 [status: Refused: MoveDestinationUnknown]"
    (record,) = logged(RECEIVED, request(destination="X"), refusal, RELEASE).move_records
    assert (record.status, record.completed, record.failure) == (0xA801, 0, "unknown AE: 'X'")
    assert not record.has_sent


def test_a_destination_where_nobody_listens_is_a_failure() -> None:
    refusal = """\
E: moveSCP: Sub-Association Request Failed: 0006:031c TCP Initialization Error: Connection refused
I: Releasing Sub-Association
E: moveSCP: Sub-Association Release Failed: 0006:0106 ASC Caller passed in a NULL key
I: Move SCP Response 1 [status: Refused: OutOfResourcesSubOperations]"""
    (record,) = logged(RECEIVED, request(), refusal, RELEASE).move_records
    assert (record.status, record.completed) == (0xA702, 0)
    assert record.failure.endswith("TCP Initialization Error: Connection refused")


def test_instances_that_could_not_be_sent_have_failed() -> None:
    failed = """\
I: Store SCU RQ: MsgID 1, (CT)
XMIT: W: DIMSE Warning: (LONGTERM,DCM4CHEE): sendMessage: unable to convert DICOM file 'x' from 'A' transfer syntax
E: Move SCP: storeSCU: Store Request Failed: 0006:020e DIMSE Failed to send message
E: moveSCP: Move Sub-Op Failed: 0006:020e DIMSE Failed to send message"""
    refused = STORES.replace("Status=Success", "Status=Refused: OutOfResources")
    unknown = STORES.replace("Status=Success", "Status=Unknown Status: 0xb123")
    ended = "I: Move SCP Response 4 [status: Warning: SubOperationsCompleteOneOrMoreFailures]"
    found = logged(RECEIVED, request(), failed, refused, unknown, ended, RELEASE)
    assert [each.status for each in found.legs[0].stores] == [None, 0xA700, 0xB123]
    (record,) = found.move_records
    assert (record.status, record.completed, record.failed) == (0xB000, 1, 2)


def test_another_study_is_none() -> None:
    assert logged(RECEIVED, request("9.9.9"), STORES, SUCCESS, RELEASE).move_records == ()


def test_two_moves_at_a_time_cannot_be_told_apart() -> None:
    other = RECEIVED.replace("DCMCFG", "VIEWER")
    found = logged(RECEIVED, request(), other, request("9.9.9"), STORES, SUCCESS, SUCCESS, RELEASE, RELEASE)
    assert [(each.study_uid, each.has_sent) for each in found.move_records] == [("", False)]
    assert found.legs == ()


def test_who_asked_is_unknown_while_two_are_connected() -> None:
    found = logged(RECEIVED.replace("DCMCFG", "MODALITY"), RECEIVED, request(), STORES, SUCCESS, RELEASE)
    assert [(each.calling_ae_title, each.study_uid, each.has_sent) for each in found.move_records] == [("", "", False)]


def test_a_move_without_a_caller_in_the_log_is_unclear() -> None:
    found = logged(request(), STORES, SUCCESS, RELEASE)
    assert [(each.calling_ae_title, each.study_uid, each.has_sent) for each in found.move_records] == [("", "", False)]
    assert found.legs == ()


@pytest.mark.parametrize(
    "end", [RELEASE, "I: Association Aborted", "E: DIMSE Failure (aborting association): 0006:031d"]
)
def test_the_end_of_an_association_that_began_before_makes_moves_unclear(end: str) -> None:
    found = logged(RECEIVED, request(), STORES, STORES, SUCCESS, RELEASE, end)
    assert [(each.study_uid, each.has_sent) for each in found.move_records] == [("", False)]
    assert found.legs == ()
    since = logged(end, RECEIVED, request(), STORES, STORES, SUCCESS, RELEASE)
    assert since.move_records == (RECORD,)


def test_the_lines_before_show_which_associations_were_open() -> None:
    viewer = RECEIVED.replace("DCMCFG", "VIEWER")
    (foreign_record,) = logged(request(), STORES, SUCCESS, RELEASE, before=viewer).move_records
    assert (foreign_record.calling_ae_title, foreign_record.study_uid) == ("VIEWER", STUDY)
    (unclear,) = logged(RECEIVED, request(), STORES, SUCCESS, RELEASE, before=viewer).move_records
    assert (unclear.study_uid, unclear.has_sent) == ("", False)
    earlier = "\n".join((viewer, request("9.9.9"), STORES, SUCCESS, RELEASE))
    assert logged(RECEIVED, request(), STORES, STORES, SUCCESS, RELEASE, before=earlier).move_records == (RECORD,)


def test_a_move_of_no_study_has_its_status() -> None:
    (record,) = logged(RECEIVED, request().replace("0020,000d", "0010,0020"), STORES, SUCCESS, RELEASE).move_records
    assert (record.study_uid, record.status, record.completed) == ("", 0, 1)
    assert record.missing_study_reason == "the request contains no study"


def test_one_after_the_other_they_can() -> None:
    first = (RECEIVED.replace("DCMCFG", "VIEWER"), request(), STORES, SUCCESS, RELEASE)
    found = logged(*first, RECEIVED, request(), STORES, STORES, SUCCESS, RELEASE)
    assert [(each.calling_ae_title, each.completed) for each in found.move_records] == [("VIEWER", 1), ("DCMCFG", 2)]


def test_a_probe_of_the_port_is_no_caller() -> None:
    probe = "I: Association Received (localhost: -> )\nI: Refusing Association (BadAppContext)"
    assert logged(probe, RECEIVED, request(), STORES, STORES, SUCCESS, RELEASE).move_records == (RECORD,)


def test_the_identifiers_of_a_query_are_none_of_a_move() -> None:
    query = "I: Find SCP Request Identifiers:\nI: (0020,000d) UI [9.9.9]      #  26, 1 StudyInstanceUID"
    assert logged(RECEIVED, request(), query, STORES, STORES, SUCCESS, RELEASE).move_records == (RECORD,)


def test_without_verbose_it_is_no_log_of_requests() -> None:
    assert not is_dcmtk_log(["E: moveSCP: Sub-Association Rejected", "$dcmtk: dcmqrscp v3.6.7 2022-04-22 $", ""])
    assert is_dcmtk_log([RECEIVED])


WHOLE = "\n".join((RECEIVED, request(), STORES, DEBUG, SUCCESS, RELEASE)).splitlines()


@given(st.lists(st.sampled_from(WHOLE) | st.text(max_size=60), max_size=60))
def test_whatever_is_in_a_log_is_read(lines: list[str]) -> None:
    found = read_dcmtk_log(lines, QUERY, SINCE)
    assert all(each.study_uid in ("", STUDY) for each in found.move_records)
    assert isinstance(is_dcmtk_log(lines), bool)


def without_ends(count: int) -> list[str]:
    """C-MOVEs that are all under way at once."""
    return ["I: Received Move SCP:"] * count + ["I: Move SCP Response 4 [status: Success]"] * count


def without_beginnings(count: int) -> list[str]:
    """C-MOVEs over associations that the log does not show."""
    return ["I: Received Move SCP:", "I: Association Release"] * count


@pytest.mark.parametrize("lines", [without_ends, without_beginnings])
def test_a_log_is_read_in_linear_time(lines: Callable[[int], list[str]]) -> None:
    def reading(count: int) -> Callable[[], object]:
        written = lines(count)
        return lambda: read_dcmtk_log(written, QUERY, SINCE)

    assert growth(reading, 50) < 4.5


@pytest.mark.parametrize(
    "line", ["I: Association Received (" + ":" * 200_000, "I: Association Received (:" + " -> " * 50_000]
)
def test_a_line_without_end_is_read_in_linear_time(line: str) -> None:
    assert not is_dcmtk_log([line])
