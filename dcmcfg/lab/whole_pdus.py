"""A bound on the time that a PDU may take once it has begun."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from functools import partial

from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

_PIECE = 1 << 16


def bound_pdus(assoc: Association, seconds: float, on_stall: Callable[[], None]) -> None:
    """Have head and body of each PDU take at most *seconds* from their first octet to the last.

    pynetdicom would wait for ever, and with a time-out of the socket for each octet anew: a peer that sends one now
    and then would never be given up. Then the connection counts as lost, and *on_stall* is called before.
    """
    wrapper = assoc.dul.socket
    if wrapper is not None and wrapper.socket is not None:
        wrapper.socket.settimeout(seconds)
        wrapper.recv = partial(_received, wrapper, seconds, on_stall)  # type: ignore[method-assign]


def _received(wrapper: AssociationSocket, seconds: float, on_stall: Callable[[], None], number: int) -> bytearray:
    """Return *number* octets, fewer where the connection ends; raises :class:`TimeoutError`."""
    connection = wrapper.socket
    if connection is None:
        raise ConnectionError("the connection is closed")
    try:
        return _read(connection, seconds, number)
    except TimeoutError:
        on_stall()
        raise
    finally:
        with contextlib.suppress(OSError):  # it may be closed by now
            connection.settimeout(seconds)


def _read(connection: socket.socket, seconds: float, number: int) -> bytearray:
    deadline = time.monotonic() + seconds
    octets = bytearray()
    while len(octets) < number:
        piece = connection.recv(min(number - len(octets), _PIECE))
        if not piece:
            break
        octets += piece
        if len(octets) < number:
            _leave(connection, deadline)
    return octets


def _leave(connection: socket.socket, deadline: float) -> None:
    """Have the next octets take no longer than until *deadline*."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
