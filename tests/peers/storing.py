"""Destinations that do not take what they are sent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pynetdicom import _config, evt

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import EventHandler, build_storage_contexts, listen
from tests.peers import endings

#: How a destination answers a C-STORE.
Storing = Callable[[evt.Event], int]


@contextmanager
def destination(peer: Peer, storing: Storing, sop_classes: tuple[str, ...] = (), title: str = "") -> Iterator[None]:
    """Listen as *peer*, or as *title* in its place, for *sop_classes* only where there are some."""
    handlers: list[EventHandler] = [(evt.EVT_C_STORE, storing)]
    contexts = [each for each in build_storage_contexts() if not sop_classes or each.abstract_syntax in sop_classes]
    # A receiver of dcmcfg in this process may have had pynetdicom take every SOP class there is.
    _config.UNRESTRICTED_STORAGE_SERVICE = False
    with listen(title or peer.ae_title, peer.port, handlers, contexts):
        yield


def every_other(status: int) -> Storing:
    """Take one, answer the next with *status*."""
    counter = itertools.count()
    return lambda _: status if next(counter) % 2 else 0x0000


def always(status: int) -> Storing:
    return lambda _: status


def hangs(event: evt.Event) -> int:
    endings.silence(event.assoc)
    return 0x0000


def aborts(event: evt.Event) -> int:
    event.assoc.abort()
    time.sleep(0.05)
    return 0x0000
