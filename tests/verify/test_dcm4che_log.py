"""Logs of dcm4che: those of its command line tools, and a dcm4chee archive's ``server.log``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.verify.dcm4che_lines import is_dcm4che_log, parse_entries
from dcmcfg.verify.dcm4che_log import read_dcm4che_log
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.log_query import LogQuery
from dcmcfg.verify.parsed_log import ParsedLog
from tests.growth import growth
from tests.verify.evidence import CT, STUDY, UIDS

NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
AT = datetime(2026, 11, 30, 14, 13, 1, 377000, tzinfo=UTC)
QUERY = LogQuery(STUDY, frozenset(UIDS), calling_ae_title="DCMCFG", archive_ae_titles=frozenset({"DCM4CHEE"}))
JPEG_LS = "1.2.840.10008.1.2.4.80"
CR = "1.2.840.10008.5.1.4.1.1.1"

#: What the page "Retrieve from Long Term Archive" shows of dcmqrscp's window.
PAGE = """\
14:13:01,377 INFO  - DCMQRSCP->DCM4CHEE(425) >> 1:C-STORE-RSP[pcid=1, status=0H
  cuid=1.2.840.10008.5.1.4.1.1.1 - Computed Radiography Image Storage
  iuid=1.3.51.0.7.1265535119.17104.33870.32953.8838.26602.20894 - ?
  tsuid=1.2.840.10008.1.2.4.80 - JPEG-LS Lossless Image Compression
14:13:01,378 DEBUG - Command:
(0000,0002) UI [1.2.840.10008.5.1.4.1.1.1] AffectedSOPClassUID
(0000,0100) US [32769] CommandField
(0000,0120) US [1] MessageIDBeingRespondedTo
(0000,0800) US [257] CommandDataSetType
(0000,0900) US [0] Status

14:13:01,380 INFO  - DCMQRSCP->DCM4CHEE(425) << A-RELEASE-RQ
14:13:01,381 DEBUG - DCMQRSCP->DCM4CHEE(425): enter state: Sta7 - Awaiting A-RELEASE-RP PDU
14:13:01,382 INFO  - DCMQRSCP<-MOVESCU(424) << 1:C-MOVE-RSP[pcid=1, completed=1, failed=0, warning=0, status=0H
  cuid=1.2.840.10008.5.1.4.1.2.2.2 - Study Root Query/Retrieve Information Model - MOVE
  tsuid=1.2.840.10008.1.2 - Implicit VR Little Endian
14:13:01,384 INFO  - DCMQRSCP->DCM4CHEE(425) >> A-RELEASE-RP
"""


def at(message: str, level: str = "INFO ") -> str:
    return f"14:13:01.377 {level} - {message}"


def dimse(message: str, **uids: str) -> str:
    details = "".join(f"\n  {name}={uid} - ?" for name, uid in uids.items())
    return at(f"{message}{details}]")


def request(destination: str = "DCM4CHEE", caller: str = "DCMCFG") -> str:
    return dimse(f"LONGTERM<-{caller}(7) >> 3:C-MOVE-RQ[pcid=3, prior=0, dest={destination}", cuid="1.2", tsuid="1.2")


def identifier(study: str = STUDY, caller: str = "DCMCFG") -> str:
    line = at(f"LONGTERM<-{caller}(7) >> 3:C-MOVE-RQ Dataset:", "DEBUG")
    return f"{line}\n(0008,0052) CS [STUDY] QueryRetrieveLevel\n(0020,000D) UI [{study}] StudyInstanceUID\n"


def store(uid: str, status: str = "0", number: int = 1, originator: str = "DCMCFG", syntax: str = JPEG_LS) -> str:
    orig = f"\n  orig={originator} >> 3:C-MOVE-RQ" if originator else ""
    request_text = dimse(
        f"LONGTERM->DCM4CHEE(8) << {number}:C-STORE-RQ[pcid=1, prior=0{orig}", cuid=CT, iuid=uid, tsuid=syntax
    )
    if not status:
        return request_text
    answer = dimse(
        f"LONGTERM->DCM4CHEE(8) >> {number}:C-STORE-RSP[pcid=1, status={status}H", cuid=CT, iuid=uid, tsuid=syntax
    )
    return f"{request_text}\n{answer}"


def response(counters: str = ", completed=3", status: str = "0", comment: str = "") -> str:
    more = f", errorComment={comment}" if comment else ""
    return dimse(f"LONGTERM<-DCMCFG(7) << 3:C-MOVE-RSP[pcid=3{counters}, status={status}H{more}", tsuid="1.2")


def logged(*parts: str, query: LogQuery = QUERY) -> ParsedLog:
    return read_dcm4che_log("\n".join(parts).splitlines(), query, NOW)


STORES = [store(uid, number=number) for number, uid in enumerate(UIDS, 1)]
RECORD = MoveRecord(
    started=AT,
    calling_ae_title="DCMCFG",
    called_ae_title="LONGTERM",
    destination_ae_title="DCM4CHEE",
    study_uid=STUDY,
    status=0,
    completed=3,
    failed=0,
)


def test_the_page_shows_a_c_store_with_class_syntax_and_status() -> None:
    uid = "1.3.51.0.7.1265535119.17104.33870.32953.8838.26602.20894"
    found = logged(PAGE, query=LogQuery("1.2.4.0.13.1.432252867.1552647.1", frozenset({uid})))
    expected_time = datetime(2026, 11, 30, 14, 13, 1, 377000, tzinfo=UTC)
    assert found.move_records == ()  # it shows the response to the C-MOVE, and not who was to receive what
    assert found.legs == (
        TransferLeg(
            "DCMQRSCP",
            "DCM4CHEE",
            "the external archive's log",
            (StoreRecord(uid, CR, JPEG_LS, 0, move_originator="", time=expected_time),),
        ),
    )
    assert found.ae_titles == {"DCMQRSCP"}


def test_the_study_is_known_by_the_identifier_at_debug_and_by_the_instances_at_info() -> None:
    assert logged(request(), identifier(), *STORES, response()).move_records == (RECORD,)
    assert logged(request(), *STORES, response()).move_records == (RECORD,)


def test_the_legs_have_each_c_store() -> None:
    (leg,) = logged(request(), *STORES, response()).legs
    assert (leg.calling_ae_title, leg.called_ae_title, leg.evidence_source) == (
        "LONGTERM",
        "DCM4CHEE",
        "LONGTERM's log",
    )
    assert leg.stores == tuple(StoreRecord(uid, CT, JPEG_LS, 0, move_originator="DCMCFG", time=AT) for uid in UIDS)


def test_a_move_of_another_study_is_none() -> None:
    assert logged(request(), identifier("9.9.9"), store("9.9.9.1"), response()).move_records == ()


def test_a_move_of_which_nothing_tells_the_study_is_hidden() -> None:
    (record,) = logged(request(), response("", "a702")).move_records
    assert (record.study_uid, record.status, record.completed) == ("", 0xA702, 0)
    assert record.missing_study_reason == "the log does not show the study: dcm4che logs the study only at level DEBUG"


def test_a_move_that_sends_other_instances_is_of_another_study() -> None:
    assert logged(request(), store("9.9.9.1"), response()).move_records == ()


def test_no_more_is_completed_than_the_c_stores_in_the_log_have_stored() -> None:
    refused = [store(uid, "a700", number) for number, uid in enumerate(UIDS, 1)]
    (record,) = logged(request(), identifier(), *refused, response()).move_records
    assert (record.status, record.completed, record.reported_completed, record.has_sent) == (0, 0, 3, False)
    (record,) = logged(request(), identifier(), response()).move_records
    assert (record.completed, record.reported_completed, record.has_sent) == (0, 3, False)
    (record,) = logged(
        request(), identifier(), STORES[0], store(UIDS[1], "b000", 2), STORES[2], response()
    ).move_records
    assert (record.completed, record.reported_completed) == (3, None)
    (record,) = logged(request(), identifier(), STORES[0], STORES[0], response()).move_records
    assert (record.completed, record.reported_completed) == (1, 3)


def test_of_a_move_of_two_studies_only_this_ones_instances_count() -> None:
    both, six = identifier(f"{STUDY}\\9.9.9"), response(", completed=6")
    others = [store(f"9.9.9.{number}", number=number) for number in (4, 5, 6)]
    (record,) = logged(request(), both, *STORES, *others, six).move_records
    assert (record.study_uid, record.completed, record.reported_completed) == (STUDY, 3, 6)
    (record,) = logged(request(), both, *STORES, *others, six, query=LogQuery(STUDY)).move_records
    assert (record.status, record.completed, record.has_sent) == (0, None, False)


def test_instances_that_name_another_move_are_not_of_this_one() -> None:
    (record,) = logged(request(), store(UIDS[0], originator="VIEWER"), response()).move_records
    assert record.study_uid == ""


def test_instances_that_two_moves_may_have_sent_are_of_neither() -> None:
    other = request().replace("(7)", "(17)")
    found = logged(request(), other, store(UIDS[0]), response())
    assert [each.study_uid for each in found.move_records] == ["", ""]


def test_without_a_final_response_what_was_stored_is_counted() -> None:
    (record,) = logged(
        request(), identifier(), store(UIDS[0]), store(UIDS[1], "a700", 2), store(UIDS[2], "", 3)
    ).move_records
    assert (record.status, record.completed, record.failed, record.has_sent) == (None, 1, 2, True)


def test_a_refusal_is_told_with_its_comment() -> None:
    (record,) = logged(
        request(), identifier(), response("", "a801", "Move Destination: X unknown, status=0H")
    ).move_records
    assert (record.status, record.failure) == (0xA801, "Move Destination: X unknown, status=0H")
    assert not record.has_sent


def test_what_is_pending_is_not_the_end() -> None:
    pending = response(", remaining=3, completed=0", "ff00")
    (record,) = logged(request(), identifier(), pending).move_records
    assert (record.status, record.completed) == (None, None)


def test_older_releases_do_not_say_of_which_message_a_data_set_is() -> None:
    alone = f"{at('Dataset:', 'DEBUG')}\n(0020,000D) UI [{STUDY}] StudyInstanceUID"
    (record,) = logged(request(), alone, response()).move_records
    assert record.study_uid == STUDY
    two = logged(request(), request().replace("(7)", "(9)"), alone, response()).move_records
    assert [each.study_uid for each in two] == ["", ""]


def test_a_uid_that_the_log_cuts_off_is_unknown() -> None:
    (record,) = logged(
        request(), identifier().replace(f"[{STUDY}] StudyInstanceUID", f"[{STUDY}"), response()
    ).move_records
    assert record.study_uid == ""


def test_an_association_of_the_same_number_after_a_restart_is_another_one() -> None:
    again = at("LONGTERM<-DCMCFG(7) >> A-ASSOCIATE-RQ")
    first, second = logged(
        request(), identifier(), again, request("WORKSTATION"), identifier(), response()
    ).move_records
    assert (first.destination_ae_title, first.status) == ("DCM4CHEE", None)
    assert (second.destination_ae_title, second.status) == ("WORKSTATION", 0)


def test_a_log_of_a_client_has_no_c_move_that_was_served() -> None:
    client = dimse("DCMCFG->LONGTERM(1) << 3:C-MOVE-RQ[pcid=1, prior=0, dest=DCM4CHEE", tsuid="1.2")
    assert logged(client, identifier(), *STORES, response()).move_records == ()


@pytest.mark.parametrize(
    "line",
    [
        "14:13:01.377 INFO  - LONGTERM<-DCMCFG(7) >> A-ASSOCIATE-RQ",
        "2026-11-30 14:13:01,377 INFO  [org.dcm4che3.net.Association] (task-2) LONGTERM<-DCMCFG(7) >> A-ASSOCIATE-RQ",
        "14:13:01,377 INFO  [org.dcm4che3.net.Association] (task-2) LONGTERM<-DCMCFG(7) >> A-ASSOCIATE-RQ",
        "arc-1  | 2026-11-30T14:13:01.377 DEBUG [task-2] - LONGTERM<-DCMCFG(7) >> A-ASSOCIATE-RQ",
    ],
)
def test_a_line_is_read_with_and_without_a_date(line: str) -> None:
    assert is_dcm4che_log([line])
    (entry,) = parse_entries([line], NOW)
    assert entry.time == AT
    assert entry.association is not None
    assert (entry.association.local, entry.association.remote, entry.association.number) == ("LONGTERM", "DCMCFG", 7)


def test_a_time_that_is_not_yet_is_yesterdays() -> None:
    (entry,) = parse_entries([at("x")], NOW.replace(hour=9))
    assert entry.time == AT - timedelta(days=1)


def test_other_logs_are_none_of_dcm4che() -> None:
    assert not is_dcm4che_log(["2026-11-30 14:13:01,377 INFO  [org.jboss.as] (main) WFLYSRV0025: started", "", "x"])


HALF = "\n".join((request(), identifier(), *STORES, response()))


@given(st.lists(st.sampled_from(HALF.splitlines()) | st.text(max_size=60), max_size=40))
def test_whatever_is_in_a_log_is_read(lines: list[str]) -> None:
    found = read_dcm4che_log(lines, QUERY, NOW)
    assert all(each.study_uid in ("", STUDY) for each in found.move_records)
    assert isinstance(is_dcm4che_log(lines), bool)


@given(st.integers(0, HALF.count("\n") + 1), st.integers(0, HALF.count("\n") + 1))
def test_a_log_that_is_cut_off_shows_no_more_than_the_whole_one(start: int, end: int) -> None:
    for record in read_dcm4che_log(
        HALF.splitlines()[start:end], QUERY, NOW
    ).move_records:  # log_tail.py gives whole lines only
        assert (record.calling_ae_title, record.called_ae_title, record.destination_ae_title) == (
            "DCMCFG",
            "LONGTERM",
            "DCM4CHEE",
        )
        assert (record.completed or 0) <= 3


def many_moves(count: int) -> list[str]:
    """C-MOVEs of one caller that are all under way at once, each with one that the archive means to send for it."""
    request_lines = [
        f"LONGTERM<-DCMCFG({number}) >> 3:C-MOVE-RQ[pcid=3, prior=0, dest=DCM4CHEE]\n"
        f"LONGTERM<-DCMCFG({number}): 3 objects of study[{STUDY}] not locally accessable - send C-MOVE RQ to FAR"
        for number in range(count)
    ]
    over = [f"LONGTERM<-DCMCFG({number}) << 3:C-MOVE-RSP[pcid=3, status=0H" for number in range(count)]
    return [at(line) for each in (*request_lines, *over) for line in each.splitlines()]


def stores_of_any(count: int) -> list[str]:
    """C-STOREs of which each may have been sent for any of the C-MOVEs."""
    moves = [f"LONGTERM<-DCMCFG({number}) >> 3:C-MOVE-RQ[pcid=3, prior=0, dest=DCM4CHEE]" for number in range(count)]
    store = f"LONGTERM->DCM4CHEE(99) << 1:C-STORE-RQ[pcid=1\n  iuid={UIDS[0]} - ?\n  orig=DCMCFG >> 3:C-MOVE-RQ]"
    return [line for each in (*moves, *[store] * 20) for line in at(each).splitlines()]


@pytest.mark.parametrize(("lines", "size"), [(many_moves, 50), (stores_of_any, 16)])
def test_a_log_is_read_in_linear_time(lines: Callable[[int], list[str]], size: int) -> None:
    def reading(count: int) -> Callable[[], object]:
        written = lines(count)
        return lambda: read_dcm4che_log(written, QUERY, NOW)

    assert growth(reading, size) < 4.5
