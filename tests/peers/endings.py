"""How a peer leaves whoever waits for its answer, below the level of messages (PS3.8)."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from pynetdicom.association import Association

from tests.patience import PATIENCE_S

#: The head of a P-DATA-TF PDU of 64 octets (PS3.8 Table 9-22), whose rest never comes.
HALF_A_PDU = bytes.fromhex("0400 0000 0040 0000 003c 01 03")
_LONGEST_S = PATIENCE_S
_STEP_S = 0.02


def silence(association: Association, pause_s: float = _STEP_S) -> None:
    """Say nothing until the other side is gone."""
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline and not _is_over(association):
        time.sleep(pause_s)


def half_a_pdu(association: Association) -> None:
    """Begin an answer, then say nothing."""
    _socket(association).sendall(HALF_A_PDU)
    silence(association)


def trickle(association: Association) -> None:
    """Send an answer octet by octet, five in a second, so that each wait for an octet is a short one."""
    deadline = time.monotonic() + _LONGEST_S
    connection = _socket(association)
    with contextlib.suppress(OSError):
        connection.sendall(bytes.fromhex("0400 0000 1000 0000 0ffc 0103"))
        while time.monotonic() < deadline and not _is_over(association):
            connection.sendall(b"\0")
            time.sleep(0.2)


def flood(association: Association) -> None:
    """Send fragments of an answer that has no end, as fast as they go."""
    identifiers = [context.context_id or 0 for context in association.accepted_contexts]
    fragment = b"\0" * 1000  # of a command set, and not the last (PS3.8 Annex E.2)
    item = (len(fragment) + 2).to_bytes(4, "big") + bytes([identifiers[0], 0x01]) + fragment
    pdus = (b"\4\0" + len(item).to_bytes(4, "big") + item) * 50
    deadline = time.monotonic() + _LONGEST_S
    with contextlib.suppress(OSError):
        while time.monotonic() < deadline and not _is_over(association):
            _socket(association).sendall(pdus)


def reset(association: Association) -> None:
    """End the TCP connection at once, without a word (RST)."""
    connection = _socket(association)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _close(association)


def hang_up(association: Association) -> None:
    """End the TCP connection properly, and the association not at all (FIN)."""
    _socket(association).shutdown(socket.SHUT_RDWR)
    silence(association)


def release(association: Association) -> None:
    """Ask for the release of the association, although it is the requester who waits."""
    association.acse.send_release()
    silence(association)


def talk_http(association: Association) -> None:
    """Answer like a web server."""
    _socket(association).sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    silence(association)


def _socket(association: Association) -> socket.socket:
    assert association.dul.socket is not None
    assert association.dul.socket.socket is not None
    return association.dul.socket.socket


def _close(association: Association) -> None:
    assert association.dul.socket is not None
    association.dul.socket.close()


def _is_over(association: Association) -> bool:
    return bool(association.acse.is_aborted()) or not association.dul.is_alive() or association.dul.socket is None
