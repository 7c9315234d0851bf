from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from dcmcfg.dicom.echo import send_echo
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.errors import DicomError, MalformedInput
from tests.dicom import dcmtk
from tests.dicom.requests import instances_of
from tests.patience import PATIENT, comes_true
from tests.ports import free_port

pytestmark = pytest.mark.real


@contextmanager
def _raw_listener(
    serve: Callable[[socket.socket], None] | None = None, backlog: int = 5, *, stays: bool = False
) -> Iterator[Peer]:
    """Listen without speaking DICOM; *serve* gets the first connection, without it none is even accepted.

    It is closed then; with *stays* when the block ends.
    """
    over = threading.Event()
    with socket.socket() as listener:
        listener.bind((dcmtk.LOOPBACK, 0))
        listener.listen(backlog)

        def accept() -> None:
            with listener.accept()[0] as connection:
                serve(connection)  # type: ignore[misc]  # only started with it
                if stays:
                    over.wait()

        if serve:
            threading.Thread(target=accept, daemon=True).start()
        try:
            yield Peer("SILENT", dcmtk.LOOPBACK, listener.getsockname()[1])
        finally:
            over.set()


def _no_threads_remain() -> bool:
    """pynetdicom's threads are no daemons: one that is left keeps the process alive."""
    return comes_true(
        lambda: all(thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())
    )


def test_refused_connection_says_that_nothing_listens(timeouts: DicomTimeouts) -> None:
    peer = Peer("DCM4CHEE", dcmtk.LOOPBACK, free_port())
    with pytest.raises(DicomError, match="connection refused") as error_info:
        send_echo(peer, "ME", timeouts)
    assert error_info.value.subject == str(peer)
    assert "dicomPort" in error_info.value.next_step


def test_unknown_host_name_is_named(timeouts: DicomTimeouts) -> None:
    with pytest.raises(DicomError, match=r"host name no-such-host\.invalid cannot be resolved"):
        send_echo(Peer("DCM4CHEE", "no-such-host.invalid", 104), "ME", timeouts)


def test_host_that_is_no_host_name_is_an_error_too(timeouts: DicomTimeouts) -> None:
    with pytest.raises(DicomError, match="cannot be resolved"):
        send_echo(Peer("DCM4CHEE", "a..b", 104), "ME", timeouts)


def test_connection_that_nobody_accepts_times_out() -> None:
    with _raw_listener(backlog=0) as peer:
        fillers = [socket.socket() for _ in range(5)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((peer.host, peer.port))
        with pytest.raises(DicomError, match="no connection within 1 s"):
            send_echo(peer, "ME", replace(PATIENT, connect=1))
        for filler in fillers:
            filler.close()


def test_peer_that_says_nothing_times_out(impatient: DicomTimeouts) -> None:
    with (
        _raw_listener(lambda _: None, stays=True) as peer,
        pytest.raises(DicomError, match="no answer to the association request within 1 s") as error_info,
    ):
        send_echo(peer, "ME", impatient)
    assert error_info.value.subject == str(peer)
    assert _no_threads_remain()


def test_peer_that_stops_in_the_middle_of_its_answer_times_out(impatient: DicomTimeouts) -> None:
    def half_a_response(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x02\x00\x00\x00\x01\x00half")

    with _raw_listener(half_a_response, stays=True) as peer, pytest.raises(DicomError):
        send_echo(peer, "ME", impatient)
    assert _no_threads_remain()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",  # a TLS alert
        b"\x02\x00\x00\x00\x00\x04\xff\xff\xff\xff",
        b"\x02\x00\x00\x00\x00\x00",
        b"\x03\x00\x00\x00\x00\x04\x00\x09\x09\x09",
        b"\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00",
        b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\x02\x01\x03",
    ],
)
def test_peer_that_speaks_something_else_is_an_error_without_noise(
    answer: bytes, timeouts: DicomTimeouts, capfd: pytest.CaptureFixture[str]
) -> None:
    def reply(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with _raw_listener(reply) as peer, pytest.raises(DicomError):
        send_echo(peer, "ME", timeouts)
    assert capfd.readouterr() == ("", "")
    assert _no_threads_remain()


def test_peer_that_hangs_up_is_told(timeouts: DicomTimeouts) -> None:
    with (
        _raw_listener(lambda _: None) as peer,
        pytest.raises(DicomError, match="no association: the connection was lost"),
    ):
        send_echo(peer, "ME", timeouts)


def test_peer_that_aborts_is_told(timeouts: DicomTimeouts) -> None:
    def abort(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x02")

    with (
        _raw_listener(abort) as peer,
        pytest.raises(
            DicomError,
            match=r"the peer aborted the association \(source: DICOM upper layer, reason: unexpected PDU",
        ),
    ):
        send_echo(peer, "ME", timeouts)


def test_unknown_called_ae_title_is_rejected_with_the_setting_to_look_at(
    tmp_path: Path, timeouts: DicomTimeouts
) -> None:
    with dcmtk.dcmqrscp(tmp_path) as peer, pytest.raises(DicomError) as error_info:
        send_echo(Peer("WRONG", peer.host, peer.port), "ME", timeouts)
    assert "called AE title not recognised (1/1/7)" in error_info.value.message
    assert "check that WRONG is an AE of the called device and port" in error_info.value.next_step


def test_rejection_without_a_reason_is_told(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with (
        dcmtk.storescp(tmp_path / "in", options=["--refuse"]) as peer,
        pytest.raises(DicomError, match=r"rejected permanently by the application: no reason given \(1/1/1\)"),
    ):
        send_echo(peer, "ME", timeouts)


def test_no_accepted_presentation_context_names_the_sop_class(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with dcmtk.storescp(tmp_path / "in") as peer, pytest.raises(DicomError) as error_info:
        instances_of(peer, "ME", "1.2.3", timeouts)
    assert "no presentation context (Study Root Query/Retrieve Information Model - FIND)" in error_info.value.message
    assert "dicomTransferCapability" in error_info.value.next_step


@pytest.mark.parametrize("title", ["", "A" * 17, "BACK\\SLASH", "Ü"])
def test_what_is_no_ae_title_is_refused_before_anything_is_sent(title: str, timeouts: DicomTimeouts) -> None:
    peer = Peer("DCM4CHEE", dcmtk.LOOPBACK, free_port())
    with pytest.raises(MalformedInput, match="not an AE title"):
        send_echo(peer, title, timeouts)
    with pytest.raises(MalformedInput, match="not an AE title"):
        send_echo(Peer(title, peer.host, peer.port), "ME", timeouts)


def test_an_error_inside_aborts_and_success_releases(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with dcmtk.storescp(tmp_path / "in") as peer:
        with pytest.raises(ZeroDivisionError), open_association(peer, "ME", [Verification], timeouts) as failing:
            raise ZeroDivisionError
        with open_association(peer, "ME", [Verification], timeouts) as good:
            pass
    assert failing.ul_association.end_reason == "aborted"
    assert good.ul_association.end_reason == "released"
    assert _no_threads_remain()


def test_transfer_syntax_that_was_not_offered_is_refused(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with dcmtk.storescp(tmp_path / "in") as honest:

        def twist(connection: socket.socket) -> None:
            with socket.create_connection((honest.host, honest.port)) as upstream:
                upstream.sendall(connection.recv(65536))
                answer = upstream.recv(65536)
                connection.sendall(answer.replace(b"1.2.840.10008.1.2", b"1.2.840.10008.9.9"))
                connection.recv(65536)

        with _raw_listener(twist) as peer, pytest.raises(DicomError, match="transfer syntax that was not offered"):
            send_echo(peer, "ME", timeouts)


def test_a_process_without_descriptors_says_so(timeouts: DicomTimeouts) -> None:
    with _raw_listener(backlog=1) as peer:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.socket() as free:
            next_one = free.fileno()
        resource.setrlimit(resource.RLIMIT_NOFILE, (next_one + 1, hard))  # enough for the connection
        try:
            with pytest.raises(DicomError, match="Too many open files") as error_info:
                send_echo(peer, "ME", timeouts)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert error_info.value.subject == str(peer)


def test_nothing_small_waits_for_a_receipt_to_go_out(tmp_path: Path, timeouts: DicomTimeouts) -> None:
    with dcmtk.storescp(tmp_path / "in") as peer, open_association(peer, "ME", [Verification], timeouts) as opened:
        assert opened.ul_association.connection.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
