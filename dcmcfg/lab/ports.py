"""Choose free TCP ports for a lab."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack
from dataclasses import fields

from dcmcfg.errors import LabError
from dcmcfg.lab.site import Ports

#: For the parts, which listen as long as the lab runs.
PORT_RANGE = range(20000, 30000)
#: For the port of ``verify --receive``, on which nothing listens in between. It is free when it is needed,
#: because no part of another lab chooses it, and Linux uses other ports for outgoing connections (32768 and above).
RECEIVER_PORT_RANGE = range(30000, 32768)
_ATTEMPTS = 200


def choose_ports(candidates: range = PORT_RANGE, receiver_candidates: range = RECEIVER_PORT_RANGE) -> Ports:
    """Return different ports on which nothing listens, on any address of this machine.

    The port of the workstation is one of *receiver_candidates*, the others are of *candidates*. The ports are free now
    but not reserved: a part that finds its port in use ends, and the lab ends with it. Raises :class:`LabError` if
    there are not enough free ports.
    """
    with ExitStack() as stack:  # all sockets stay bound until the end, so that no port is found twice
        ports = {
            field.name: stack.enter_context(
                _bind_free_port(receiver_candidates if field.name == "workstation" else candidates)
            ).getsockname()[1]
            for field in fields(Ports)
        }
    return Ports(**ports)


def _bind_free_port(candidates: range) -> socket.socket:
    """Return a socket that is bound to a free port of *candidates* and does not listen; raises :class:`LabError`."""
    for _ in range(_ATTEMPTS):
        bound_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            bound_socket.bind(("", random.choice(candidates)))  # noqa: S311 — not a secret; "" also detects listeners on single addresses
        except OSError:
            bound_socket.close()
        else:
            return bound_socket
    raise LabError(
        f"no free TCP port found from {candidates.start} to {candidates.stop - 1}",
        next_step="to list the ports in use: ss -tln",
    )
