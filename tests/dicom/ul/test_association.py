"""An association of ours with a peer whose octets are written out here."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dcmcfg.dicom.status import SUCCESS
from dcmcfg.dicom.ul.association import RELEASE_REQUEST, Association, AssociationEnded, force_close_all
from dcmcfg.dicom.ul.command_set import CommandField, decode_command_set, encode_request
from dcmcfg.dicom.ul.negotiation import Acceptance, AcceptedContext
from dcmcfg.dicom.ul.pdu import ABORT_PDU, RELEASE_RP_PDU, encode_message
from dcmcfg.dicom.ul.requested_connection import RequestedConnection
from tests.patience import PATIENCE_S

VERIFICATION = "1.2.840.10008.1.1"
RESPONSE = decode_command_set(
    encode_request(CommandField.C_ECHO, VERIFICATION, 7, {}, has_data_set=False)
).build_response(SUCCESS)
ANSWER = encode_message(RESPONSE, None, 1, 0)
ABORT_FOR_UNEXPECTED_PDU = b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x02"
ABORT_FOR_INVALID_VALUE = b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x06"


@pytest.fixture
def ends() -> Iterator[tuple[Association, socket.socket]]:
    """An open association, and the peer's end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        peer_socket, _ = listener.accept()
    acceptance = Acceptance({1: AcceptedContext(VERIFICATION, "1.2.840.10008.1.2")})
    association = Association(RequestedConnection(ours), acceptance, stall_timeout_s=1, release_timeout_s=PATIENCE_S)
    peer_socket.settimeout(PATIENCE_S)
    with peer_socket:
        yield association, peer_socket
    association.abort("the test is over")


def _all_from(peer: socket.socket) -> bytes:
    """Return what comes until the other side ends."""
    octets = bytearray()
    while piece := peer.recv(4096):
        octets += piece
    return bytes(octets)


def test_a_wish_to_end_that_came_too_late_does_not_spoil_the_release(ends: tuple[Association, socket.socket]) -> None:
    association, peer = ends
    association.wake()
    releasing = threading.Thread(target=association.release)
    releasing.start()
    assert peer.recv(4096) == RELEASE_REQUEST
    peer.sendall(RELEASE_RP_PDU)
    releasing.join()
    assert association.end_reason == "released"
    assert _all_from(peer) == b""


def test_answers_that_still_come_do_not_hold_up_the_release(ends: tuple[Association, socket.socket]) -> None:
    association, peer = ends
    releasing = threading.Thread(target=association.release)
    releasing.start()
    assert peer.recv(4096) == RELEASE_REQUEST
    peer.sendall(ANSWER * 3 + RELEASE_RP_PDU)
    releasing.join()
    assert association.end_reason == "released"


def test_a_peer_that_wants_the_release_too_gets_its_reply(ends: tuple[Association, socket.socket]) -> None:
    association, peer = ends
    releasing = threading.Thread(target=association.release)
    releasing.start()
    assert peer.recv(4096) == RELEASE_REQUEST
    peer.sendall(RELEASE_REQUEST)
    assert _all_from(peer) == RELEASE_RP_PDU
    peer.close()
    releasing.join()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (RELEASE_RP_PDU, ABORT_FOR_UNEXPECTED_PDU),
        (b"\x01\x00\x00\x00\x00\x00", ABORT_FOR_UNEXPECTED_PDU),
        (b"\x48\x00\x00\x00\x00\x00", b"\x07\x00\x00\x00\x00\x04\x00\x00\x02\x01"),
        (b"\x04\x00\x00\x00\x00\x00", ABORT_FOR_INVALID_VALUE),
        (b"\x04\x00\xff\xff\xff\xff" + ANSWER, ABORT_FOR_INVALID_VALUE),
    ],
)
def test_what_must_not_come_is_answered_by_the_abort_that_says_so(
    ends: tuple[Association, socket.socket], said: bytes, answer: bytes
) -> None:
    association, peer = ends
    peer.sendall(said)
    received: list[bytes] = []
    listening = threading.Thread(target=lambda: received.append(_all_from(peer)) or peer.close())  # type: ignore[func-returns-value]
    listening.start()
    with pytest.raises(AssociationEnded):
        association.wait_for_response(7, seconds=PATIENCE_S)
    listening.join()
    assert association.end_reason == "the peer sent data that is not DICOM"
    assert received == [answer]


def test_a_peer_that_talks_without_end_is_left(ends: tuple[Association, socket.socket]) -> None:
    association, peer = ends

    def talk() -> None:
        while True:
            try:
                peer.sendall(ANSWER * 1000)
            except OSError:
                return

    talking = threading.Thread(target=talk)
    talking.start()
    while association.is_open:  # until the talker, which shares our processor, has kept ahead for long enough
        pass
    association.connection.connection.close()
    talking.join()
    assert association.end_reason == "the peer keeps sending data that dcmcfg did not request"


def test_a_peer_that_takes_nothing_is_cut_off_all_the_same(ends: tuple[Association, socket.socket]) -> None:
    association, peer = ends
    connection = association.connection.connection
    connection.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:
            connection.send(bytes(1 << 16))
    association.force_close()
    while peer.recv(1 << 20):
        pass  # it ends: that is the cut
    with pytest.raises(AssociationEnded):
        association.wait_for_response(7, seconds=PATIENCE_S)


def test_all_can_be_cut_while_others_are_opened_and_closed(ends: tuple[Association, socket.socket]) -> None:
    association, peer = ends
    stop = threading.Event()

    def open_and_close() -> None:
        while not stop.is_set():
            near, far = socket.socketpair()
            with far:
                Association(RequestedConnection(near), association.acceptance, 1, 1)._end("done")

    others = [threading.Thread(target=open_and_close) for _ in range(3)]
    for other in others:
        other.start()
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        force_close_all()
    stop.set()
    for other in others:
        other.join()
    assert ABORT_PDU in _all_from(peer)
