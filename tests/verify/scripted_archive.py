"""An archive that answers C-MOVE as the test says, and C-FIND truthfully unless the test says otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import evt

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import Handler, all_contexts, listening
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, serve_moves
from dcmcfg.lab.query import HeldInstance, find
from tests.dicom.dcmtk import LOOPBACK, Made
from tests.ports import free_port

#: What it does on a C-MOVE: the final response, or None to abort; it may send things itself before.
OnMove = Callable[[MoveExchange], MoveResponse | None]
#: What it answers to a C-FIND.
OnFind = Callable[[evt.Event], Iterator[tuple[Any, Dataset | None]]]


def held_of(made: Made, availability: str = "NEARLINE") -> tuple[HeldInstance, ...]:
    """Return the instances of *made* as the archive lists them."""
    return tuple(
        HeldInstance(dcmread(file, stop_before_pixels=True), availability, ("LONGTERM",)) for file in made.files
    )


@contextmanager
def scripted_archive(
    made: Made,
    on_move: OnMove,
    *,
    on_find: OnFind | None = None,
    availability: str = "NEARLINE",
    title: str = "DCM4CHEE",
    port: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Peer]:
    """Listen as *title* while the block runs; it lists the instances of *made*, with that availability."""
    held = held_of(made, availability)
    port = port or free_port()
    handlers: list[Handler] = [
        (evt.EVT_REQUESTED, lambda event: serve_moves(event.assoc, on_move)),
        (evt.EVT_C_FIND, on_find or (lambda event: find(event, lambda: held))),
    ]
    with listening(title, port, handlers, all_contexts(), tls=tls):
        yield Peer(title, LOOPBACK, port)
