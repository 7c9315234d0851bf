"""A TCP port for a server that a test starts."""

from __future__ import annotations

import random
import socket

#: Below the ports that Linux gives to outgoing connections, and not those that labs choose from: a port that was
#: free a moment ago is then not taken by somebody's connection.
_RANGE = range(10000, 20000)


def free_port() -> int:
    """Return a TCP port that is free on every address of this machine now."""
    while True:
        port = random.choice(_RANGE)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
