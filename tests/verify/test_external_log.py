"""Which log ``--external-log`` names is recognised by its content, and what counts of it is of this run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dcmcfg.verify.external_log import FilePosition, LogEvidence, LogPosition, get_log_position, read_log_evidence
from dcmcfg.verify.legs import StoreRecord, TransferLeg
from dcmcfg.verify.log_query import LogQuery
from tests.verify import test_dcm4che_log as dcm4che
from tests.verify import test_dcmtk_log as dcmtk
from tests.verify.evidence import CT, STUDY, UIDS

QUERY = replace(dcm4che.QUERY, external_ae_titles=frozenset({"LONGTERM"}))
ECHO = "14:13:01.377 INFO  - LONGTERM<-MONITOR(3) >> 1:C-ECHO-RQ[pcid=1\n  cuid=1.2.840.10008.1.1 - Verification]\n"
ASSOCIATION = "14:13:01.377 INFO  - LONGTERM<-DCMCFG(3) >> A-ASSOCIATE-RQ\n"
ReadAppended = Callable[..., LogEvidence]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dcmcfg.verify.external_log.LOG_WAIT_S", 0)


@pytest.fixture
def read_appended(tmp_path: Path) -> ReadAppended:
    """Return what a log shows to which lines are appended after the mark."""

    def read_evidence(appended: str, *, before: str = "", query: LogQuery = QUERY) -> LogEvidence:
        path = tmp_path / "log"
        path.write_text(before)
        mark = get_log_position(path)
        with path.open("a") as log:
            log.write(appended)
        return read_log_evidence(mark, query)

    return read_evidence


def test_dcm4ches_log_is_a_witness(read_appended: ReadAppended) -> None:
    evidence = read_appended(f"{dcm4che.HALF}\n", before=ECHO)
    (record,) = evidence.move_records or ()
    assert (record.study_uid, record.completed, evidence.is_from_archive_log) == (STUDY, 3, False)
    assert [(leg.calling_ae_title, len(leg.stores)) for leg in evidence.legs] == [("LONGTERM", 3)]


def test_dcmtks_log_is_a_witness(read_appended: ReadAppended) -> None:
    evidence = read_appended("\n".join(dcmtk.WHOLE) + "\n")
    (record,) = evidence.move_records or ()
    assert (record.calling_ae_title, record.completed) == ("DCMCFG", 2)


def test_dcmtks_caller_may_have_connected_before_the_c_move_was_sent(read_appended: ReadAppended) -> None:
    viewer = dcmtk.RECEIVED.replace("DCMCFG", "VIEWER")
    (record,) = read_appended("\n".join(dcmtk.WHOLE) + "\n", before=f"{viewer}\n").move_records or ()
    assert (record.study_uid, record.has_sent) == ("", False)


def test_a_log_that_shows_other_messages_only_shows_that_nobody_asked(read_appended: ReadAppended) -> None:
    assert read_appended(ECHO).move_records == ()
    assert read_appended(f"{dcmtk.RECEIVED}\n{dcmtk.RELEASE}\n").move_records == ()


@pytest.mark.parametrize(
    ("appended", "why"),
    [
        ("", "shows no DIMSE message since the C-MOVE was sent"),
        (ASSOCIATION, "shows no DIMSE message since the C-MOVE was sent"),
        (
            ECHO.replace("LONGTERM", "STORESCP"),
            "is the log of STORESCP, but the archive sends its requests to LONGTERM",
        ),
    ],
)
def test_a_log_that_cannot_show_it_is_no_witness(read_appended: ReadAppended, appended: str, why: str) -> None:
    evidence = read_appended(appended, before=ECHO)
    assert evidence.move_records is None
    assert why in evidence.reason


def test_a_log_of_dcmtk_to_which_nothing_is_written_is_no_witness(read_appended: ReadAppended) -> None:
    evidence = read_appended("", before=f"{dcmtk.RECEIVED}\n")
    assert (evidence.move_records, "shows no association since" in evidence.reason) == (None, True)


@pytest.mark.parametrize("before", [ECHO, f"{dcmtk.RECEIVED}\n", ""])
def test_a_log_shared_by_many_studies_shows_no_c_move_whether_or_not_others_wrote(tmp_path: Path, before: str) -> None:
    path = tmp_path / "log"
    path.write_text(before)
    evidence = read_log_evidence(get_log_position(path), QUERY, is_shared=True, waits_briefly=True)
    assert (evidence.move_records, evidence.reason, evidence.is_unchanged) == ((), "", True)


def test_where_nobody_knows_who_is_asked_any_log_counts(read_appended: ReadAppended) -> None:
    anybody = replace(QUERY, external_ae_titles=frozenset())
    assert read_appended(ECHO.replace("LONGTERM", "STORESCP"), query=anybody).move_records == ()


def test_lines_without_a_time_do_not_count_in_a_log_that_was_exchanged(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("\n".join(dcmtk.WHOLE) + "\n")
    evidence = read_log_evidence(LogPosition(path, FilePosition(), datetime.now(UTC).replace(microsecond=0)), QUERY)
    assert (evidence.move_records, evidence.legs) == ((), ())


def test_json_lines_may_hold_the_c_stores(read_appended: ReadAppended) -> None:
    stores = [
        {"sop_instance_uid": UIDS[0], "sop_class_uid": CT, "transfer_syntax_uid": "1.2", "status": "A700"},
        {"status": None},
        "x",
    ]
    line = {
        "started": datetime.now(UTC).isoformat(),
        "called": "LONGTERM",
        "destination": "DCM4CHEE",
        "study_uid": STUDY,
        "stores": stores,
    }
    found = (StoreRecord(UIDS[0], CT, "1.2", 0xA700), StoreRecord(""))
    assert read_appended(json.dumps(line) + "\n").legs == (
        TransferLeg("LONGTERM", "DCM4CHEE", "LONGTERM's record", found),
    )
    assert read_appended(json.dumps(line | {"stores": 7}) + "\n").legs == ()


LINES = [*dcm4che.HALF.splitlines(), *dcmtk.WHOLE, "", '{"study_uid": "1.2.3"}']


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(LINES) | st.text(max_size=40), max_size=30), st.booleans())
def test_whatever_is_in_the_file_is_read(tmp_path: Path, lines: list[str], appended: bool) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"")
    mark = get_log_position(path)
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    evidence = read_log_evidence(mark if appended else replace(mark, file_position=FilePosition()), QUERY)
    assert evidence.move_records is not None or evidence.reason
