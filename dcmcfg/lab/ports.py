"""Free TCP ports for a lab."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from dataclasses import fields

from dcmcfg.errors import LabError
from dcmcfg.lab.site import Ports

#: Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a port that
#: the lab leaves free for ``verify --receive`` is still free when it is needed.
PORT_RANGE = range(20000, 30000)
_ATTEMPTS = 200


def choose_ports(candidates: range = PORT_RANGE) -> Ports:
    """Return ports on which nothing listens, on any address of this machine, all different.

    They are free now, which is no promise: a part that finds its port taken ends, and the lab with it. Raises
    :class:`LabError` when no free ones are found.
    """
    with ExitStack() as stack:  # all bound until the last is found, so that none is found twice
        ports = {
            field.name: stack.enter_context(_bind_free_port(candidates)).getsockname()[1] for field in fields(Ports)
        }
    return Ports(**ports)


def _bind_free_port(candidates: range) -> socket.socket:
    """Return a socket bound to a free port of *candidates*, not listening; raises :class:`LabError`."""
    for _ in range(_ATTEMPTS):
        bound_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            bound_socket.bind(("", random.choice(candidates)))  # noqa: S311 — no secret; "" sees listeners on any address
        except OSError:
            bound_socket.close()
        else:
            return bound_socket
    raise LabError(
        f"no free TCP port found from {candidates.start} to {candidates.stop - 1}",
        next_step="see what listens: ss -tln",
    )
