"""The end of a connection, so that what was said last is heard."""

from __future__ import annotations

import contextlib
import socket
import time

_LINGER_S = 1.0
_PIECE = 1 << 16


def close(connection: socket.socket, last_words: bytes = b"") -> None:
    """Send *last_words*, wait a moment for the peer to close, so that they are not lost, then close. Never raises."""
    with contextlib.suppress(OSError), connection:
        if last_words:
            connection.settimeout(_LINGER_S)
            connection.sendall(last_words)
            socket.socket.shutdown(connection, socket.SHUT_WR)  # TLS's own would forget how to read
            _drain(connection)


def _drain(connection: socket.socket) -> None:
    """Throw away what the peer still sends, until it closes or the time is over."""
    deadline = time.monotonic() + _LINGER_S
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        if not connection.recv(_PIECE):
            return
