"""The end of a pynetdicom association that must not be waited for."""

from __future__ import annotations

import contextlib
import socket
import time

from pynetdicom.association import Association

_ABORT_SECONDS = 1.0
_IDLE = "Sta1"  # PS3.8 Table 9-1


def abort(assoc: Association) -> None:
    """Abort *assoc*, in about a second at most even where the peer stopped in the middle of a PDU."""
    assoc.abort(block=False)
    deadline = time.monotonic() + _ABORT_SECONDS
    while assoc.dul.is_alive() and assoc.dul.state_machine.current_state != _IDLE and time.monotonic() < deadline:
        time.sleep(0.01)
    if assoc.dul.is_alive() and assoc.dul.socket and assoc.dul.socket.socket:
        # pynetdicom's thread may be waiting for the rest of a PDU; only the end of the connection wakes it.
        with contextlib.suppress(OSError):
            assoc.dul.socket.socket.shutdown(socket.SHUT_RDWR)
    assoc.kill()
