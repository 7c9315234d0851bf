"""Reading the external archive's record of its C-MOVEs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.external_log import FilePosition, LogEvidence, LogPosition, parse_records, read_log_evidence
from dcmcfg.verify.log_query import LogQuery

SINCE = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
LINE = {
    "started": "2026-01-02T12:00:01Z",
    "time": "2026-01-02T12:00:05Z",
    "calling": "DCMCFG",
    "called": "LONGTERM",
    "destination": "DCM4CHEE",
    "study_uid": "1.2.3",
    "status": 0,
    "completed": 3,
    "failed": 0,
}
RECORD = MoveRecord(
    started=datetime(2026, 1, 2, 12, 0, 1, tzinfo=UTC),
    calling_ae_title="DCMCFG",
    called_ae_title="LONGTERM",
    destination_ae_title="DCM4CHEE",
    study_uid="1.2.3",
    status=0,
    completed=3,
    failed=0,
)


def read(tmp_path: Path, *lines: object, tail: str = "") -> tuple[MoveRecord, ...] | None:
    path = tmp_path / "moves.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail, "utf-8")
    return read_evidence(path).move_records


def read_evidence(path: Path) -> LogEvidence:
    return read_log_evidence(LogPosition(path, FilePosition(), SINCE), LogQuery("1.2.3"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmcfg.verify.external_log.LOG_WAIT_S", 0)


def test_a_record_of_this_run_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, LINE) == (RECORD,)


def test_older_ones_and_other_studies_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, LINE | {"started": "2026-01-02T11:59:59Z"}, LINE | {"study_uid": "1.2.4"}) == ()


@pytest.mark.parametrize("status", ["F" * 5000, "-1", 0x10000, 10**4000])
def test_a_status_of_more_than_two_octets_is_none(tmp_path: Path, status: object) -> None:
    assert read(tmp_path, LINE | {"status": status}) == (replace(RECORD, status=None),)


def test_a_half_written_last_line_counts_for_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, LINE, tail=json.dumps(LINE)[:40]) == (RECORD,)


def test_a_missing_file_is_no_record_at_all(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    assert read_evidence(path) == LogEvidence(
        None, f"the external archive's log {path} cannot be read: No such file or directory"
    )


def test_a_file_of_something_else_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "syslog"
    path.write_text("Jan  2 12:00:00 host systemd[1]: Started.\n")
    assert read_evidence(path).move_records is None
    assert read_evidence(path).reason.endswith(
        "is unknown. Known formats: JSON lines, a log of Orthanc, dcmtk or dcm4che, or the server.log of dcm4chee"
    )


def test_an_orthanc_that_writes_down_no_requests_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "Orthanc.log"
    path.write_text("W1125 14:10:43.511449 main.cpp:2017] Orthanc version: 1.10.1\n")
    assert read_evidence(path).move_records is None
    assert "the log shows no request. An Orthanc logs requests if it runs with --verbose" in read_evidence(path).reason


def test_an_empty_file_is_a_record_without_moves(tmp_path: Path) -> None:
    assert read(tmp_path) == ()


def test_the_time_of_another_zone_is_understood(tmp_path: Path) -> None:
    assert read(tmp_path, LINE | {"started": "2026-01-02T13:00:01+01:00"}) == (RECORD,)
    assert read(tmp_path, LINE | {"started": "2026-01-02T12:59:59+01:00"}) == ()


@pytest.mark.parametrize(("status", "read_as"), [("A801", 0xA801), ("0xA801", 0xA801), ("a801H", 0xA801), (None, None)])
def test_a_status_may_be_hexadecimal_text(tmp_path: Path, status: object, read_as: int | None) -> None:
    records = read(tmp_path, LINE | {"status": status})
    assert records is not None
    assert records[0].status == read_as


@pytest.mark.parametrize("value", [-1, True, "3", 1.5, [], None])
def test_a_counter_that_is_no_number_is_absent(tmp_path: Path, value: object) -> None:
    records = read(tmp_path, LINE | {"completed": value})
    assert records is not None
    assert records[0].completed is None


@given(st.text(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_line_whatever_can_fail_the_reader(text: str) -> None:
    assert list(parse_records(text.splitlines())) == []


def test_deeply_nested_text_does_not_fail_the_reader() -> None:
    assert list(parse_records(["[" * 100_000])) == []
