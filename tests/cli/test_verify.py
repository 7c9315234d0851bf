"""``dcmcfg verify`` against real peers: dcmtk's archive, one that lies, slapd with the lab's tree."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest
from pydicom import Dataset
from pynetdicom import evt

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import DicomError
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.query import handle_find
from tests.cli.at_terminal import at_terminal
from tests.cli.conftest import Run
from tests.cli.verifying import STUDY, WORKSTATION, Verify, load_verdict, set_values
from tests.dicom import dcmtk
from tests.dicom.dcmtk import LOOPBACK, Made, make_instances
from tests.patience import PATIENCE_S
from tests.peers.outputs import without_times
from tests.ports import free_port
from tests.running_slapd import RunningSlapd
from tests.verify.scripted_archive import OnMove, held_of, scripted_archive

pytestmark = pytest.mark.real

CAN_SHOW = (
    "the archive's database or the external archive's log can show the route: see --archive-url and --external-log"
)


def test_a_plain_pacs_sends_the_study_and_it_is_received(verify: Verify, plain_pacs: Peer, workstation: Peer) -> None:
    result = verify(plain_pacs, "--receive")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    three = "3 \N{MULTIPLICATION SIGN} CT Image Storage, Explicit VR Little Endian, 0000"
    assert without_times(result.stdout) == (
        f"""\
verified: 3 of 3 instances received by WORKSTATION; route not shown

Study {STUDY}
C-MOVE from DCMCFG to DCM4CHEE@127.0.0.1:{plain_pacs.port}, Move Destination WORKSTATION
level STUDY, Study Root, priority medium
Implementation: OFFIS_DCMTK_367 (1.2.276.0.7230010.3.0.3.6.7)
The external archive receives the calling AE title DCMCFG

Reported  0000 success: all sub-operations completed
          completed=3, failed=0, warning=0 (expected: 3)
Received  complete: 3 of 3 instances at WORKSTATION
          Caller: DCM4CHEE, Move Originator DCMCFG (as reported by the caller, not a proof)
          Receiver: WORKSTATION@127.0.0.1:{workstation.port}, listening since TIME
Sent      DCM4CHEE → WORKSTATION: {three} (our receiver)
Route     not shown
          Configured: external archive → WORKSTATION: dcmExternalRetrieveAEDestination is not set
          - the external archive's log was not read
          - the location of the files before the C-MOVE is unknown ({CAN_SHOW})
          - Instance Availability before the C-MOVE: not given, after the C-MOVE: not given
          - callers of the receiver: DCM4CHEE (as reported by the caller)
"""
    )


def test_the_receiver_is_gone_afterwards(verify: Verify, plain_pacs: Peer, workstation: Peer) -> None:
    assert verify(plain_pacs, "--receive").exit_code == 0
    assert verify(plain_pacs, "--receive").exit_code == 0
    with closing(socket.socket()) as probe:
        assert probe.connect_ex((workstation.host, workstation.port)) != 0


def test_without_receiving_dcmtks_storescp_gets_it_and_it_is_not_witnessed(
    verify: Verify, plain_pacs: Peer, workstation: Peer, made: Made, tmp_path: Path
) -> None:
    with dcmtk.storescp(tmp_path / "stored", ae_title="WORKSTATION", port=workstation.port):
        result = verify(plain_pacs, "--json")
    assert result.exit_code == 0
    verdict = load_verdict(result)
    assert verdict["headline"].startswith("reported, not observed: the archive reports 3 of 3 instances")
    assert verdict["verified"] is False, "nobody of ours saw it"
    assert (verdict["received"]["finding"], verdict["received"]["instance_count"]) == ("not observed", None)
    assert dcmtk.stored_in(tmp_path / "stored") == set(made.sop_instance_uids)


def test_json_is_one_document_with_all_parts(verify: Verify, plain_pacs: Peer) -> None:
    verdict = load_verdict(verify(plain_pacs, "--receive", "--json"))
    assert list(verdict) == [
        "verified",
        "headline",
        "study_instance_uid",
        "archive",
        "calling_ae_title",
        "destination_ae_title",
        "request",
        "expected",
        "database",
        "reported",
        "received",
        "legs",
        "route",
        "next_steps",
        "notes",
    ]
    assert verdict["expected"]["instance_count"] == 3
    assert verdict["reported"] | {"duration_seconds": 0} == {
        "success": True,
        "status": 0,
        "status_hex": "0000",
        "meaning": "success: all sub-operations completed",
        "comment": "",
        "completed": 3,
        "failed": 0,
        "warning": 0,
        "failed_sop_instance_uids": [],
        "duration_seconds": 0,
        "reasons": [],
    }


def test_a_destination_that_the_archive_does_not_know_is_a_no(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--json", dest="NOBODY")
    verdict = load_verdict(result)
    assert (result.exit_code, verdict["reported"]["status_hex"]) == (1, "A801")
    assert verdict["next_steps"] == [
        "the tree has no AE NOBODY. Create the AE NOBODY and reload the archive: dcmcfg ae add NOBODY@HOST:PORT"
    ]
    assert "the tree has no AE NOBODY: the archive will refuse this Move Destination as unknown" in verdict["notes"]


def test_a_destination_where_nobody_listens_is_a_no(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs)
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT verified: status ")


def test_a_study_that_the_archive_never_heard_of_is_a_no(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--receive", study="1.2.3")
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT verified: ")
    assert "0 of an unknown number" in result.stdout


def test_too_few_for_the_expected_number_are_a_no(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--receive", "--expect", "4", "--json")
    assert result.exit_code == 1
    assert (
        load_verdict(result)["headline"]
        == "NOT verified: 3 of 4 completed (the archive lists 3); 3 instances arrived, expected: 4"
    )


def test_an_archive_that_is_down_is_3(verify: Verify) -> None:
    result = verify(Peer("DCM4CHEE", LOOPBACK, free_port()))
    assert (result.exit_code, result.stdout) == (3, "")
    assert "connection refused" in result.stderr
    next_step = result.stderr.partition("\n  next: ")[2]
    assert re.fullmatch(
        r"check that the peer runs, .*; to see whether the archive is started: dcmcfg .*status\n", next_step
    )


def test_an_error_comment_prints_no_line_of_its_own(verify: Verify, made: Made) -> None:
    comment = "no\n  next: rm -rf /\x1b[2J"

    def refuse(event: evt.Event) -> Iterator[tuple[Dataset, None]]:
        failure = Dataset()
        failure.Status = 0xC001
        failure.ErrorComment = comment
        yield failure, None

    with scripted_archive(made, lambda _: MoveResponse(0xC001, comment), on_find=refuse) as archive:
        unlisted = verify(archive)
        listed = verify(archive, "--expect", "3")
    shown = r"no\x0a  next: rm -rf /\x1b[2J"
    message, next_step = unlisted.stderr.splitlines()
    assert (unlisted.exit_code, unlisted.stdout, shown in message) == (3, "", True)
    assert next_step.startswith("  next: ")
    assert "rm" not in next_step
    assert shown in listed.stdout + listed.stderr
    assert comment not in listed.stdout + listed.stderr


def test_a_called_title_that_is_none_is_rejected_with_3(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--ae", "AS_RECEIVED")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "called AE title" in result.stderr or "no presentation context" in result.stderr


def test_a_taken_port_is_3_and_says_by_whom(verify: Verify, plain_pacs: Peer, workstation: Peer) -> None:
    with socket.create_server((workstation.host, workstation.port)):
        result = verify(plain_pacs, "--receive")
    assert (result.exit_code, result.stdout) == (3, "")
    assert re.search(
        rf"WORKSTATION@127.0.0.1:{workstation.port}: port {workstation.port} is already in use by .*pid", result.stderr
    )
    assert result.stderr.endswith(
        "  next: if the destination itself uses this port, use --temporary-dest instead of --dest, or omit --receive\n"
    )


def test_receiving_for_another_machine_is_3(
    verify: Verify, plain_pacs: Peer, slapd: RunningSlapd, tmp_path: Path
) -> None:
    set_values(slapd, tmp_path, f"cn=dicom,{WORKSTATION}", dicomHostname="192.0.2.1")
    result = verify(plain_pacs, "--receive")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "not this machine" in result.stderr


def test_receiving_for_an_ae_outside_the_tree_is_3(verify: Verify, plain_pacs: Peer) -> None:
    result = verify(plain_pacs, "--receive", dest="NOBODY")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "the tree has no AE NOBODY" in result.stderr


def test_a_success_of_which_nothing_arrives_is_a_no(verify: Verify, made: Made) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3)) as archive:
        result = verify(archive, "--receive", "--json")
    verdict = load_verdict(result)
    assert (result.exit_code, verdict["headline"]) == (1, "NOT verified: nothing arrived at WORKSTATION")
    assert verdict["received"]["missing"] == sorted(made.sop_instance_uids)
    assert verdict["route"]["finding"] == "not shown"


def test_what_a_stranger_sends_before_the_request_is_told_and_does_not_count(
    verify: Verify, made: Made, workstation: Peer
) -> None:
    held, sent = held_of(made), list[int]()

    def on_find(event: evt.Event) -> Iterator[tuple[Any, Dataset | None]]:
        if not sent:
            sent.append(dcmtk.storescu(workstation, made.files, calling="STRANGER").returncode)
        return handle_find(event, lambda: held)

    with scripted_archive(made, lambda _: MoveResponse(0, completed=3), on_find=on_find) as archive:
        result = verify(archive, "--receive", "--json")
    verdict = load_verdict(result)
    assert (sent, result.exit_code) == ([0], 1)
    assert verdict["headline"] == "NOT verified: nothing arrived at WORKSTATION after the C-MOVE was sent"
    assert (verdict["received"]["instance_count"], verdict["received"]["instances"]) == (0, [])
    assert [
        (each["sop_instance_uid"], each["calling_ae_title"]) for each in verdict["received"]["early_instances"]
    ] == [(uid, "STRANGER") for uid in made.sop_instance_uids]


def test_a_success_without_counters_is_a_no(verify: Verify, made: Made) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0)) as archive:
        result = verify(archive, "--json")
    assert result.exit_code == 1
    assert load_verdict(result)["headline"] == "NOT verified: status 0000, but no instance completed"


def test_an_abort_after_the_request_is_a_no_and_not_an_error(verify: Verify, made: Made) -> None:
    with scripted_archive(made, lambda _: None) as archive:
        result = verify(archive)
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT verified: no final response: the peer aborted the association")


def test_an_archive_that_keeps_silent_is_a_no_when_the_time_is_over(verify: Verify, made: Made) -> None:
    released = threading.Event()

    def keep_silent(_: MoveExchange) -> None:
        released.wait(PATIENCE_S)

    with scripted_archive(made, keep_silent) as archive:
        result = verify(archive, patience_s=3)
        released.set()
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT verified: no final response: no response within 3 s")


def _sending(files: tuple[Path, ...], workstation: Peer, calling: str) -> OnMove:
    """Send *files* as *calling*, whatever was asked for, and report three as completed."""

    def send(exchange: MoveExchange) -> MoveResponse:
        assert exchange.request.calling_ae_title == "DCMCFG"
        assert dcmtk.storescu(workstation, files, calling=calling).returncode == 0
        return MoveResponse(0, completed=3, failed=0)

    return send


def test_no_line_is_broken_and_none_ends_in_blanks_where_there_is_no_terminal(
    verify: Verify, workstation: Peer, tmp_path: Path
) -> None:
    """A UID is there to be copied and searched for: 64 characters stay in one piece."""
    longest = STUDY + "." + "1" * (64 - len(STUDY) - len("..1.10"))
    many = make_instances(tmp_path / "many", longest, per_series=12)
    assert max(map(len, many.sop_instance_uids)) == 64
    with scripted_archive(many, lambda _: MoveResponse(0xA702, "x" * 64)) as archive:
        result = verify(archive, "--receive", study=longest)
    lines = result.stdout.splitlines()
    assert f"Study {longest}" in lines
    missing = [line.partition("Missing: ")[2] for line in lines if "Missing: " in line]
    assert missing == [*sorted(many.sop_instance_uids)[:10], "2 more (--details or --json shows all)"]
    with scripted_archive(many, lambda _: MoveResponse(0xA702, "x" * 64)) as archive:
        detailed = verify(archive, "--receive", "--details", study=longest).stdout.splitlines()
    assert [line.partition("Missing: ")[2] for line in detailed if "Missing: " in line] == sorted(
        many.sop_instance_uids
    )
    assert f"          Comment: {'x' * 64}" in lines
    assert [line for line in lines if line != line.rstrip()] == []
    words = "Next step The external archive LONGTERM itself sends the instances to WORKSTATION"
    (step,) = (line for line in lines if line.startswith(words))
    assert step.endswith(
        "at the host and port in the AE list of the external archive: see the log of the external archive for the "
        "reason"
    )


def test_at_a_terminal_lines_are_broken_between_words(
    verify: Verify, made: Made, workstation: Peer, slapd: RunningSlapd
) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0xA702)) as archive:
        where = ("--connect", f"{archive.host}:{archive.port}", "--timeout-s", "10", "--no-qido")
        code, shown = at_terminal(["verify", "--study", STUDY, "--dest", "WORKSTATION", *where], [], columns=80)
        unbroken = verify(archive).stdout
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in shown.splitlines()]
    assert code == 1
    start = next(number for number, line in enumerate(lines) if line.startswith("Next step"))
    assert lines[start + 1].startswith(" " * 10)
    assert max(len(line) for line in lines[start:]) <= 80
    assert " ".join(lines[start:]).split() == unbroken[unbroken.index("\nNext step") :].split(), (
        "each word in one piece"
    )


def _breaking(*_: object, **__: object) -> NoReturn:
    raise RuntimeError("a bug")


def test_a_bug_before_the_move_is_3_and_one_after_it_is_1(
    verify: Verify, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3)) as archive:
        with monkeypatch.context() as patch:
            patch.setattr("dcmcfg.verify.run.find_instances", _breaking)
            before = verify(archive)
        monkeypatch.setattr("dcmcfg.cli.verify.one_study.judge_evidence", _breaking)
        after = verify(archive)
        monkeypatch.setenv("DCMCFG_DEBUG", "1")
        shown = verify(archive)
    assert (before.exit_code, before.stdout) == (3, "")
    assert (after.exit_code, after.stdout) == (1, "")
    assert after.stderr == (
        "dcmcfg: the C-MOVE was sent, but its result is unknown (internal error, RuntimeError: a bug)\n"
        "  next: check the destination for received instances; to print the traceback, set DCMCFG_DEBUG=1\n"
    )
    assert (shown.exit_code, str(shown.exception)) == (1, "a bug")


def test_want_of_memory_after_the_move_is_no_internal_error(
    verify: Verify, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def want_memory(*_: object, **__: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr("dcmcfg.cli.verify.one_study.judge_evidence", want_memory)
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3)) as archive:
        result = verify(archive)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "dcmcfg: the C-MOVE was sent, but its result is unknown (out of memory: this machine has too little memory, "
    )


def test_an_error_after_the_move_is_1(verify: Verify, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_response(*_: object, **__: object) -> NoReturn:
        raise DicomError("it is gone", subject="DCM4CHEE@x:1", next_step="look")

    monkeypatch.setattr("dcmcfg.cli.verify.one_study.judge_evidence", lose_the_response)
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3)) as archive:
        result = verify(archive)
    assert (result.exit_code, result.stderr) == (1, "dcmcfg: DCM4CHEE@x:1: it is gone\n  next: look\n")


def _as_a_process(archive: Peer, stdout: int | IO[str], **environment: str) -> subprocess.CompletedProcess[str]:
    where = ("--connect", f"{archive.host}:{archive.port}", "--no-qido")
    return subprocess.run(
        [sys.executable, "-m", "dcmcfg", "verify", "--study", STUDY, "--dest", "WORKSTATION", *where],
        env=os.environ | environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("verify")
def test_a_verdict_that_cannot_be_written_is_1(made: Made) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3)) as archive, Path("/dev/full").open("w") as full:
        done = _as_a_process(archive, full)
    assert done.returncode == 1
    assert "the C-MOVE was sent" in done.stderr
    assert "No space left on device" in done.stderr


@pytest.mark.usefixtures("verify")
def test_a_locale_without_arrows_loses_no_verdict(made: Made) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0, completed=3)) as archive:
        done = _as_a_process(archive, subprocess.PIPE, PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "external archive \\u2192 WORKSTATION" in done.stdout


def test_a_missing_and_a_foreign_instance_are_named(
    verify: Verify, made: Made, workstation: Peer, tmp_path: Path
) -> None:
    foreign = make_instances(tmp_path / "foreign", "1.2.826.0.1.3680043.10.1.2", per_series=1)
    sent = _sending((*made.files[:2], *foreign.files), workstation, "DCM4CHEE")
    with scripted_archive(made, sent) as archive:
        result = verify(archive, "--receive", "--json")
    received = load_verdict(result)["received"]
    assert result.exit_code == 1
    assert (received["missing"], received["unexpected"]) == (
        [made.sop_instance_uids[2]],
        list(foreign.sop_instance_uids),
    )


def test_a_nearline_study_does_not_show_the_route(verify: Verify, made: Made, workstation: Peer) -> None:
    with scripted_archive(made, _sending(made.files, workstation, "LONGTERM")) as archive:
        result = verify(archive, "--receive")
    assert result.exit_code == 0
    assert result.stdout.startswith("verified: 3 of 3 instances received by WORKSTATION; route not shown\n")


def _recording(log: Path, move: OnMove, **fields: object) -> OnMove:
    """Do *move*, and write what the external archive would write in *log*."""

    def answer(exchange: MoveExchange) -> MoveResponse | None:
        response = move(exchange)
        line = {"started": "9999-01-01T00:00:00Z", "calling": "DCMCFG", "called": "LONGTERM", "study_uid": STUDY}
        log.write_text(json.dumps(line | fields) + "\n")
        return response

    return answer


def test_the_external_archives_record_shows_the_route(
    verify: Verify, made: Made, workstation: Peer, tmp_path: Path
) -> None:
    log = tmp_path / "moves.jsonl"
    log.write_text("")
    sent = _recording(log, _sending(made.files, workstation, "LONGTERM"), destination="WORKSTATION", completed=3)
    with scripted_archive(made, sent, availability="ONLINE") as archive:
        result = verify(archive, "--receive", "--external-log", str(log), "--json")
    assert (result.exit_code, load_verdict(result)["route"]["finding"]) == (0, "shown")


def test_a_relay_although_the_destination_is_set_is_contradicted(
    verify: Verify, made: Made, workstation: Peer, slapd: RunningSlapd, tmp_path: Path
) -> None:
    device = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    set_values(slapd, tmp_path, device, dcmExternalRetrieveAEDestination="DCM4CHEE")
    log = tmp_path / "moves.jsonl"
    log.write_text("")
    sent = _recording(log, _sending(made.files, workstation, "LONGTERM"), destination="WORKSTATION", completed=3)
    with scripted_archive(made, sent) as archive:
        result = verify(archive, "--receive", "--external-log", str(log), "--json")
    verdict = load_verdict(result)
    assert (result.exit_code, verdict["route"]["finding"]) == (1, "contradicted")
    assert verdict["received"]["finding"] == "complete"
    assert "dcmcfg reload" in verdict["next_steps"][0]


def test_hostile_text_of_the_archive_does_not_reach_the_terminal_raw(verify: Verify, made: Made) -> None:
    with scripted_archive(made, lambda _: MoveResponse(0xC001, "\x1b[31m [bold]markup[/] gone")) as archive:
        result = verify(archive)
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "[bold]markup[/] gone" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--study", "1.02.3", "--dest", "WORKSTATION"), "not a UID"),
        (("--study", "1.2.*", "--dest", "WORKSTATION"), "not a UID"),
        (("--study", "1.2.3", "--dest", "SEVENTEENLETTERS_"), "not an AE title"),
        (("--study", "1.2.3", "--dest", "A\\B"), "not an AE title"),
        (("--study", "1.2.3", "--dest", "A", "--calling", ""), "not an AE title"),
        (
            ("--study", "1.2.3", "--dest", "A", "--connect", "host:x"),
            "the address must have the form HOST or HOST:PORT",
        ),
        (("--study", "1.2.3", "--dest", "A", "--expect", "0"), "--expect"),
        (("--study", "1.2.3", "--dest", "A", "--timeout-s", "0"), "--timeout-s"),
        (("--study", "1.2.3", "--dest", "A", "--timeout-s", "inf"), "--timeout-s"),
        (("--study", "1.2.3", "--dest", "A", "--external-log", "/no/such/file"), "does not exist"),
        (("--dest", "A"), "--study"),
    ],
)
def test_malformed_arguments_are_2_before_any_server_is_asked(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run("verify", *arguments, "--ldap-url", f"ldap://{LOOPBACK}:{free_port()}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
