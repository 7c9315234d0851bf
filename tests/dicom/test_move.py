from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from pynetdicom import evt
from pynetdicom.dimse_messages import C_CANCEL_RQ

from dcmcfg.dicom.move import Cancellation, MoveOutcome, MoveProgress, send_move
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.retrieval import InformationModel, Retrieval
from dcmcfg.dicom.storage.receiver import Receiver
from dcmcfg.errors import DicomError, MalformedInput
from dcmcfg.limits import override_limits
from tests.dicom import dcmtk
from tests.dicom.conftest import Source
from tests.dicom.requests import move_study
from tests.dicom.scp import Behaviour, element, misbehaving_scp, responds
from tests.patience import PATIENCE_S, comes_true
from tests.ports import free_port

pytestmark = pytest.mark.real

STUDY = "1.2.3"


def _move(peer: Peer, timeouts: DicomTimeouts, study_uid: str = STUDY) -> MoveOutcome:
    return move_study(peer, "ME", study_uid, "RECEIVER", timeouts=timeouts)


def test_dcmqrscp_moves_the_study_to_our_receiver(source: Source, timeouts: DicomTimeouts) -> None:
    pending: list[MoveProgress] = []
    with Receiver("RECEIVER", dcmtk.LOOPBACK, source.receiver.port, timeouts) as receiver:
        outcome = move_study(
            source.peer, "ME", source.made.study_uid, "RECEIVER", timeouts=timeouts, on_pending=pending.append
        )
        received = receiver.received
    assert (outcome.status, outcome.completed, outcome.failed, outcome.interruption) == (0x0000, 4, 0, "")
    assert {instance.sop_instance_uid for instance in received} == set(source.made.sop_instance_uids)
    assert {instance.study_uid for instance in received} == {source.made.study_uid}
    assert {instance.calling_ae_title for instance in received} == {"LONGTERM"}
    assert {instance.move_originator_ae_title for instance in received} == {"ME"}
    assert [progress.completed for progress in pending] == [1, 2, 3, 4]


def test_dcmqrscp_moves_the_study_to_dcmtk_s_storescp(source: Source, tmp_path: Path, timeouts: DicomTimeouts) -> None:
    folder = tmp_path / "in"
    with dcmtk.storescp(folder, ae_title="RECEIVER", port=source.receiver.port):
        outcome = _move(source.peer, timeouts, source.made.study_uid)
    assert (outcome.status, outcome.completed) == (0x0000, 4)
    assert dcmtk.stored_in(folder) == set(source.made.sop_instance_uids)


def test_move_to_unknown_destination_is_a801(source: Source, timeouts: DicomTimeouts) -> None:
    outcome = move_study(source.peer, "ME", source.made.study_uid, "NOBODY", timeouts=timeouts)
    assert (outcome.status, outcome.interruption) == (0xA801, "")


def test_move_to_a_destination_that_is_down_names_the_failed_instances(source: Source, timeouts: DicomTimeouts) -> None:
    outcome = _move(source.peer, timeouts, source.made.study_uid)
    assert (outcome.status, outcome.completed, outcome.failed) == (0xA702, 0, 4)
    assert set(outcome.failed_sop_instance_uids) == set(source.made.sop_instance_uids)


def test_move_of_an_unknown_study_is_success_with_nothing_done(source: Source, timeouts: DicomTimeouts) -> None:
    outcome = _move(source.peer, timeouts)
    assert outcome.status == 0x0000
    assert not outcome.completed


def test_absent_counters_are_none_and_not_zero(timeouts: DicomTimeouts) -> None:
    with misbehaving_scp(on_move=responds(0x0000)) as peer:
        outcome = _move(peer, timeouts)
    assert outcome.status == 0x0000
    assert (outcome.remaining, outcome.completed, outcome.failed, outcome.warning) == (None, None, None, None)


def test_comment_offending_elements_and_failed_instances_are_kept(timeouts: DicomTimeouts) -> None:
    behaviour = responds(
        0xA702,
        element("FailedSOPInstanceUIDList", b"1.2.3.1\\1.2.3.2"),
        ErrorComment="java.net.UnknownHostException: host",
        OffendingElement=[0x0020000D],
        NumberOfFailedSuboperations=2,
    )
    with misbehaving_scp(on_move=behaviour) as peer:
        outcome = _move(peer, timeouts)
    assert outcome.status == 0xA702
    assert outcome.comment == "java.net.UnknownHostException: host"
    assert outcome.offending_elements == ("(0020,000D)",)
    assert outcome.failed_sop_instance_uids == ("1.2.3.1", "1.2.3.2")
    assert (outcome.completed, outcome.failed) == (None, 2)


def test_identifier_that_cannot_be_read_leaves_the_status(timeouts: DicomTimeouts) -> None:
    with misbehaving_scp(on_move=responds(0xB000, b"\xff\xff\xff", NumberOfCompletedSuboperations=1)) as peer:
        outcome = _move(peer, timeouts)
    assert (outcome.status, outcome.completed, outcome.failed_sop_instance_uids) == (0xB000, 1, ())


def _abort(event: evt.Event) -> None:
    event.assoc.abort()


def _hang_up(event: evt.Event) -> None:
    event.assoc.dul.socket.socket.shutdown(2)  # type: ignore[union-attr]
    time.sleep(0.2)


def _release(event: evt.Event) -> None:
    event.assoc.acse.send_release(is_response=False)
    time.sleep(0.5)


def _sends(octets: bytes) -> Behaviour:
    """Send that, and nothing more."""

    def behave(event: evt.Event) -> None:
        event.assoc.dul.socket.send(octets)  # type: ignore[union-attr]

    return behave


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (_abort, "the peer aborted the association (source: application)"),
        (_hang_up, "the connection was lost"),
        (_release, "the peer released the association without a response"),
        (_sends(b"HTTP/1.1 500 \r\n\r\n"), "the peer sent data that is not DICOM"),
        (
            _sends(b"\x04\x00\x00\x00\x00\x08\x00\x00\x00\x04\x01\x03\xff\xff"),
            "the peer sent data that is not DICOM",
        ),
    ],
    ids=["abort", "hang-up", "release", "http", "nonsense"],
)
def test_what_goes_wrong_after_the_request_was_sent_is_an_outcome(
    behaviour: Behaviour, words: str, timeouts: DicomTimeouts, capfd: pytest.CaptureFixture[str]
) -> None:
    with misbehaving_scp(on_move=behaviour) as peer:
        outcome = _move(peer, timeouts)
    assert (outcome.status, outcome.timed_out) == (None, False)
    assert words in outcome.interruption
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("octets", [b"", b"\x04\x00\x00\x00\x01\x00half"], ids=["silence", "half a PDU"])
def test_a_response_that_does_not_come_is_an_outcome(
    octets: bytes, timeouts: DicomTimeouts, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of half a PDU it is whichever is first: the connection given up, or the time-out."""
    with misbehaving_scp(on_move=_sends(octets)) as peer:
        outcome = _move(peer, replace(timeouts, dimse=1, network=1))
    assert outcome.status is None
    assert outcome.interruption
    assert octets or outcome.interruption == "no response within 1 s"
    assert outcome.timed_out == outcome.interruption.endswith("within 1 s")
    assert capfd.readouterr() == ("", "")


def test_last_known_counters_survive_an_abort(timeouts: DicomTimeouts) -> None:
    response_received = threading.Event()

    def pending_then_abort(event: evt.Event) -> None:
        responds(0xFF00, NumberOfRemainingSuboperations=3, NumberOfCompletedSuboperations=2)(event)
        assert response_received.wait(PATIENCE_S)
        event.assoc.abort()

    with misbehaving_scp(on_move=pending_then_abort) as peer:
        outcome = move_study(
            peer, "ME", STUDY, "RECEIVER", timeouts=timeouts, on_pending=lambda _: response_received.set()
        )
    assert (outcome.status, outcome.remaining, outcome.completed, outcome.failed) == (None, 3, 2, None)


def test_pending_responses_keep_a_slow_move_from_timing_out(
    timeouts: DicomTimeouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our clock goes on by 0.9 of the time-out with each of them, so that no wait takes long."""
    past: list[float] = []

    def goes_on(_: MoveProgress) -> None:
        past.append(0.9 * timeouts.dimse)

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + sum(past))
    monkeypatch.setattr("dcmcfg.dicom.ul.association.time", clock)
    monkeypatch.setattr("dcmcfg.dicom.move.time", clock)

    def slow(event: evt.Event) -> None:
        for _ in range(9):
            responds(0xFF00)(event)
        responds(0x0000, NumberOfCompletedSuboperations=1)(event)

    with misbehaving_scp(on_move=slow) as peer:
        outcome = move_study(peer, "ME", STUDY, "RECEIVER", timeouts=timeouts, on_pending=goes_on)
    assert (outcome.status, outcome.completed, len(past)) == (0x0000, 1, 9)
    assert outcome.seconds > 8 * timeouts.dimse


def test_failure_before_the_request_was_sent_is_an_error(timeouts: DicomTimeouts) -> None:
    with pytest.raises(DicomError, match="connection refused"):
        _move(Peer("ARCHIVE", dcmtk.LOOPBACK, free_port()), timeouts)


@pytest.mark.parametrize(("uid", "destination"), [("1.2.*", "RECEIVER"), ("1.2.3", "A" * 17), ("1.2.3", "")])
def test_bad_arguments_are_refused_before_anything_is_sent(uid: str, destination: str, timeouts: DicomTimeouts) -> None:
    events: list[evt.Event] = []
    with misbehaving_scp(on_move=events.append) as peer, pytest.raises(MalformedInput):
        move_study(peer, "ME", uid, destination, timeouts=timeouts)
    assert not events


def test_an_interrupt_cancels_the_move_aborts_and_is_passed_on(timeouts: DicomTimeouts) -> None:
    cancelled, aborted = threading.Event(), threading.Event()

    def pending_for_ever(event: evt.Event) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not aborted.is_set():
            responds(0xFF00)(event)
            time.sleep(0.05)
        if event.is_cancelled:
            cancelled.set()

    def interrupt(progress: MoveProgress) -> None:
        raise KeyboardInterrupt

    handlers = [(evt.EVT_CONN_CLOSE, lambda _: aborted.set())]
    with misbehaving_scp(on_move=pending_for_ever, handlers=handlers) as peer:
        with pytest.raises(KeyboardInterrupt):
            move_study(peer, "ME", STUDY, "RECEIVER", timeouts=timeouts, on_pending=interrupt)
        assert aborted.wait(PATIENCE_S)
        assert cancelled.wait(PATIENCE_S)


@pytest.mark.parametrize("silent_before", ["association", "response"])
def test_ctrl_c_ends_the_process_at_once(silent_before: str, tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from tests.dicom.requests import move_study\n"
        "from dcmcfg.dicom.peer import DicomTimeouts, Peer\n"
        "print('ready', flush=True)\n"
        "move_study(Peer('ARCHIVE', '127.0.0.1', int(sys.argv[1])), 'ME', '1.2.3', 'X', timeouts=DicomTimeouts())\n"
    )
    requested, over = threading.Event(), threading.Event()

    def keep_silent(_: evt.Event) -> None:
        requested.set()
        over.wait(PATIENCE_S)

    before_the_association = silent_before == "association"
    handlers = [(evt.EVT_REQUESTED, keep_silent)] if before_the_association else []
    on_move = None if before_the_association else keep_silent
    with misbehaving_scp(on_move=on_move, handlers=handlers) as peer:
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(peer.port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        assert requested.wait(PATIENCE_S)
        time.sleep(0.3)  # until it waits for the answer, most likely
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_S)  # the peer is still silent
        over.set()
    assert errors.count(b"Traceback") == 1  # the interpreter's own, for KeyboardInterrupt
    assert errors.rstrip().endswith(b"KeyboardInterrupt")


def _cancelled_after(peer: Peer, timeouts: DicomTimeouts) -> tuple[MoveOutcome, bool]:
    """Move, cancel at the first pending response; return the outcome, and whether the association is left."""
    cancellation = Cancellation()
    with open_association(peer, "ME", [InformationModel.STUDY.move_sop_class], timeouts) as opened:
        outcome = send_move(
            opened,
            Retrieval(STUDY),
            "RECEIVER",
            cancellation=cancellation,
            on_pending=lambda _: threading.Thread(target=cancellation.request).start(),
        )
        return outcome, opened.is_open


def _awaiting_cancel(*, answers: bool) -> Behaviour:
    def behave(event: evt.Event) -> None:
        responds(0xFF00, NumberOfCompletedSuboperations=2)(event)
        assert comes_true(lambda: event.is_cancelled)
        if answers:
            responds(0xFE00, NumberOfCompletedSuboperations=3, NumberOfRemainingSuboperations=1)(event)

    return behave


def test_a_cancelled_move_ends_with_the_peers_word_and_the_association_is_left(timeouts: DicomTimeouts) -> None:
    with misbehaving_scp(on_move=_awaiting_cancel(answers=True)) as peer:
        outcome, is_left = _cancelled_after(peer, timeouts)
    assert (outcome.status, outcome.cancelled, outcome.completed, outcome.remaining) == (0xFE00, True, 3, 1)
    assert is_left


def test_a_peer_that_does_not_answer_a_cancel_is_not_waited_for_long(
    timeouts: DicomTimeouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dcmcfg.dicom.move.CANCEL_TIMEOUT_S", 0.3)
    with misbehaving_scp(on_move=_awaiting_cancel(answers=False)) as peer:
        outcome, is_left = _cancelled_after(peer, timeouts)
    assert (outcome.status, outcome.cancelled, outcome.completed) == (None, True, 2)
    assert outcome.interruption == "no response to C-CANCEL within 0.3 s"
    assert not is_left


def test_a_cancel_that_was_asked_for_before_is_sent_at_once(timeouts: DicomTimeouts) -> None:
    cancellation, came = Cancellation(), threading.Event()
    cancellation.request()

    def note(event: evt.Event) -> None:
        if isinstance(event.message, C_CANCEL_RQ):  # pynetdicom itself forgets one that comes with its request
            came.set()

    def answer(event: evt.Event) -> None:
        responds(0xFE00 if came.wait(PATIENCE_S) else 0xC000)(event)

    with (
        misbehaving_scp(on_move=answer, handlers=[(evt.EVT_DIMSE_RECV, note)]) as peer,
        open_association(peer, "ME", [InformationModel.STUDY.move_sop_class], timeouts) as opened,
    ):
        assert send_move(opened, Retrieval(STUDY), "RECEIVER", cancellation=cancellation).status == 0xFE00


def test_pending_responses_without_end_are_given_up_with_the_limit(timeouts: DicomTimeouts) -> None:
    def flood(event: evt.Event) -> None:
        for number in range(1000):
            responds(0xFF00, NumberOfCompletedSuboperations=number)(event)

    with override_limits({"move-responses": 20}), misbehaving_scp(on_move=flood) as peer:
        outcome = _move(peer, timeouts)
    assert (outcome.status, outcome.completed) == (None, 20)
    assert outcome.interruption.startswith("more than 20 pending responses to one C-MOVE")
    assert "--max move-responses=40" in outcome.interruption
