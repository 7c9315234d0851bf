"""``dcmcfg verify`` at each level, by either information model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.move_scp import MoveExchange, MoveRequest, MoveResponse
from tests.cli.verifying import STUDY, Verify, load_verdict
from tests.dicom import dcmtk
from tests.dicom.dcmtk import Made, make_instances
from tests.verify.scripted_archive import scripted_archive

pytestmark = pytest.mark.real
HELD = {
    "--series": rf"{STUDY}\.1 \(2 instances\), {STUDY}\.2 \(2 instances\)",
    "--image": rf"{STUDY}\.1\.1, {STUDY}\.1\.2, {STUDY}\.2\.1, {STUDY}\.2\.2",
}
SERIES, IMAGE = f"{STUDY}.1", f"{STUDY}.1.2"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return make_instances(tmp_path / "made", STUDY, series=2, per_series=2)


@pytest.fixture
def studyless_pacs(tmp_path: Path, made: Made, workstation: Peer) -> Iterator[Peer]:
    """dcmtk's archive without Study Root."""
    knows = {"WORKSTATION": workstation}
    with dcmtk.dcmqrscp(tmp_path, ae_title="DCM4CHEE", knows=knows, options=["-QS"]) as peer:
        assert dcmtk.storescu(peer, made.files).returncode == 0
        yield peer


@pytest.mark.parametrize(
    ("options", "level", "expected", "requests"),
    [
        ([], "study", 4, 1),
        (["--level", "series"], "series", 4, 1),
        (["--series", SERIES], "series", 2, 1),
        (["--level", "image"], "image", 4, 2),
        (["--level", "image", "--series", SERIES], "image", 2, 1),
        (["--image", IMAGE], "image", 1, 1),
        (["--instance", IMAGE, "--image", f"{STUDY}.2.1", "--priority", "high"], "image", 2, 2),
        (["--model", "patient"], "study", 4, 1),
        (["--model", "patient", "--level", "image"], "image", 4, 2),
        (["--patient-id", "P1", "--series", SERIES], "series", 2, 1),
    ],
    ids=lambda value: (" ".join(value) or "nothing") if isinstance(value, list) else str(value),
)
def test_dcmqrscp_sends_what_is_asked_for_and_nothing_else(
    options: list[str], level: str, expected: int, requests: int, verify: Verify, plain_pacs: Peer
) -> None:
    result = verify(plain_pacs, "--receive", "--json", *options)
    verdict = load_verdict(result)
    assert result.exit_code == 0, verdict["headline"]
    assert verdict["headline"].startswith(f"verified: {expected} of {expected} instance")
    request = verdict["request"]
    by_patient = any("patient" in option for option in options)
    assert (request["level"], request["information_model"]) == (level, "patient" if by_patient else "study")
    assert request["patient_id"] == ("P1" if by_patient else None)
    assert request["priority"] == ("high" if "high" in options else "medium")
    assert [each["status_hex"] for each in request["requests"]] == ["0000"] * requests
    assert sum(each["completed"] for each in request["requests"]) == verdict["reported"]["completed"] == expected


def test_the_report_says_what_was_asked_for(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--receive", "--level", "image", "--patient-id", "P1", "--priority", "low")
    assert result.exit_code == 0
    assert "\nlevel IMAGE, 2 series with 4 instances, Patient Root of patient P1, priority low, 2 requests\n" in (
        result.stdout
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--level", "study", "--series", SERIES], "--series requires --level series or image, not --level study"),
        (["--level", "series", "--image", IMAGE], "--image requires --level image, not --level series"),
        (["--model", "study", "--patient-id", "P1"], "--patient-id requires --model patient"),
        (["--patient-id", "P*"], "without wildcards"),
        (["--series", "1.2.x"], "not a UID"),
        (["--level", "patient"], "Invalid value for '--level'"),
        (["--priority", "urgent"], "Invalid value for '--priority'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_that_contradict_each_other_are_usage_errors(
    options: list[str], problem: str, verify: Verify, workstation: Peer
) -> None:
    result = verify(Peer("DCM4CHEE", workstation.host, 1), *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr


@pytest.mark.parametrize(("option", "uid"), [("--series", "1.2.3.4"), ("--image", "1.2.3.4")])
def test_what_the_archive_does_not_list_is_not_asked_for(
    option: str, uid: str, verify: Verify, plain_pacs: Peer
) -> None:
    result = verify(plain_pacs, option, uid)
    kind = {"--series": "series", "--image": "instance"}[option]
    assert (result.exit_code, result.stdout) == (3, "")
    assert re.fullmatch(
        rf"dcmcfg: the archive lists no {kind} {uid} in the study {STUDY}\n"
        rf"  next: specify a UID from the archive's list: {HELD[option]}\n",
        result.stderr,
    )


def test_a_study_that_the_archive_does_not_know_has_no_series_to_ask_for(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--level", "series", study="1.2.3")
    assert result.exit_code == 3
    assert "the archive lists no instance of the study 1.2.3" in result.stderr


def test_an_archive_without_study_root_is_asked_by_patient_root(verify: Verify, studyless_pacs: Peer) -> None:
    assert verify(studyless_pacs, "--receive", "--patient-id", "P1").exit_code == 0
    refused = verify(studyless_pacs)
    assert refused.exit_code == 3
    assert "no presentation context (Study Root Query/Retrieve Information Model - FIND" in refused.stderr
    unknown = verify(studyless_pacs, "--model", "patient")
    assert unknown.exit_code == 3
    assert "the archive has no Study Root query, so dcmcfg cannot find the patient of the study" in unknown.stderr
    assert "specify the patient with --patient-id" in unknown.stderr


def test_a_patient_that_does_not_have_the_study_is_a_no(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--receive", "--patient-id", "P2", "--json")
    assert result.exit_code == 1
    assert load_verdict(result)["reported"]["completed"] == 0


def test_a_list_of_uids_that_is_refused_is_asked_for_one_by_one(verify: Verify, made: Made, workstation: Peer) -> None:
    requests_received: list[MoveRequest] = []

    def without_lists(exchange: MoveExchange) -> MoveResponse:
        requests_received.append(exchange.request)
        uids = exchange.request.identifier["SOPInstanceUID"]
        if uids.VM > 1:
            return MoveResponse(0xA900, "one UID at a time")
        file = next(file for file in made.files if str(uids.value) == file.stem)
        sent = dcmtk.storescu(workstation, [file], calling="LONGTERM")
        return MoveResponse(0x0000 if sent.returncode == 0 else 0xA702, completed=1)

    with scripted_archive(made, without_lists) as archive:
        result = verify(archive, "--receive", "--json", "--level", "image")
    verdict = load_verdict(result)
    assert result.exit_code == 0
    assert verdict["headline"].startswith("verified: 4 of 4 instances received by WORKSTATION")
    requests = verdict["request"]["requests"]
    assert [each["uid_list_refused"] for each in requests] == [True, False, False, True, False, False]
    assert [each.identifier.QueryRetrieveLevel for each in requests_received] == ["IMAGE"] * 6
    assert {each.priority for each in requests_received} == {0}


def test_of_several_requests_one_that_fails_fails_all_and_the_numbers_are_added(verify: Verify, made: Made) -> None:
    answers = iter([MoveResponse(0xA701, failed=2), MoveResponse(0, completed=2)])
    with scripted_archive(made, lambda _: next(answers)) as archive:
        result = verify(archive, "--json", "--level", "image")
    reported = load_verdict(result)["reported"]
    assert result.exit_code == 1
    assert (reported["status_hex"], reported["completed"], reported["failed"]) == ("A701", 2, 2)


def test_after_an_abort_no_further_request_is_sent(verify: Verify, made: Made) -> None:
    with scripted_archive(made, lambda _: None) as archive:
        result = verify(archive, "--json", "--level", "image")
    assert result.exit_code == 1
    assert len(load_verdict(result)["request"]["requests"]) == 1
