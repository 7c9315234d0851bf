"""An archive that answers C-MOVE as the test says, and C-FIND truthfully unless the test says otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset, dcmread
from pynetdicom import evt

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import EventHandler, build_archive_contexts, listen
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, install_move_handler
from dcmcfg.lab.query import QueryInstance, handle_find
from tests.dicom.dcmtk import LOOPBACK, Made
from tests.ports import free_port

#: What it does on a C-MOVE: the final response, or None to abort; it may send things itself before.
OnMove = Callable[[MoveExchange], MoveResponse | None]
#: What it answers to a C-FIND.
OnFind = Callable[[evt.Event], Iterator[tuple[Any, Dataset | None]]]


def held_of(made: Made, availability: str = "NEARLINE") -> tuple[QueryInstance, ...]:
    """Return the instances of *made* as the archive lists them."""
    return tuple(
        QueryInstance(dcmread(file, stop_before_pixels=True), availability, ("LONGTERM",)) for file in made.files
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
    handlers: list[EventHandler] = [
        (evt.EVT_REQUESTED, lambda event: install_move_handler(event.assoc, on_move)),
        (evt.EVT_C_FIND, on_find or (lambda event: handle_find(event, lambda: held))),
    ]
    with listen(title, port, handlers, build_archive_contexts(), tls=tls):
        yield Peer(title, LOOPBACK, port)
