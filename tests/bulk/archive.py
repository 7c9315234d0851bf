"""An archive of many studies, one instance each, whose C-MOVEs end as the test says."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydicom import Dataset
from pynetdicom import evt

from dcmcfg.bulk.attempt import MoveTracker, StudyRequester
from dcmcfg.bulk.store import ResultStore
from dcmcfg.dicom.move import Cancellation
from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.listener import EventHandler, build_archive_contexts, listen
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, install_move_handler
from dcmcfg.lab.query import QueryInstance, handle_find
from dcmcfg.verify.addresses import VerificationAddresses
from dcmcfg.verify.evidence import ConfiguredRoute, VerificationRequest
from tests.dicom.dcmtk import LOOPBACK
from tests.patience import PATIENT
from tests.ports import free_port

GOOD = MoveResponse(0x0000, completed=1, failed=0, warning=0)
#: How a C-MOVE ends, by study and how many times it was asked for, from 1; None is an abort.
OnMove = Callable[[str, int], MoveResponse | None]


def studies(number: int) -> list[str]:
    return [f"1.2.826.0.1.{each}" for each in range(1, number + 1)]


@dataclass
class Archive:
    """The peer, with what it was asked: studies in the order of their C-MOVEs, and associations."""

    peer: Peer
    moves: list[str] = field(default_factory=list)
    associations: int = 0
    under_way: int = 0
    most_at_once: int = 0


@contextmanager
def archive_of(
    uids: Sequence[str],
    on_move: OnMove = lambda _uid, _time: GOOD,
    *,
    port: int | None = None,
    availability: str = "NEARLINE",
    on_exchange: Callable[[MoveExchange], None] = lambda _: None,
    on_request: Callable[[evt.Event, int], bool] = lambda _event, _number: True,
) -> Iterator[Archive]:
    """Listen while the block runs; *on_request* may reject the nth association, and says so with False."""
    archive = Archive(Peer("DCM4CHEE", LOOPBACK, port or free_port()))
    lock, times = threading.Lock(), Counter[str]()

    def move(exchange: MoveExchange) -> MoveResponse | None:
        uid = exchange.request.study_uid
        with lock:
            archive.moves.append(uid)
            archive.under_way += 1
            archive.most_at_once = max(archive.most_at_once, archive.under_way)
            times[uid] += 1
            number = times[uid]
        on_exchange(exchange)
        with lock:
            archive.under_way -= 1
        if exchange.is_cancelled:
            return MoveResponse(0xFE00, completed=0)
        return on_move(uid, number)

    def held() -> tuple[QueryInstance, ...]:
        return tuple(_instance(uid, availability) for uid in uids)

    def requested(event: evt.Event) -> None:
        with lock:
            archive.associations += 1
            number = archive.associations
        if on_request(event, number):
            install_move_handler(event.assoc, move)

    handlers: list[EventHandler] = [
        (evt.EVT_REQUESTED, requested),
        (evt.EVT_C_FIND, lambda event: handle_find(event, held)),
    ]
    with listen("DCM4CHEE", archive.peer.port, handlers, build_archive_contexts()):
        yield archive


def asking(archive: Archive, store: ResultStore) -> StudyRequester:
    """How its studies are asked for, without a receiver."""
    addresses = VerificationAddresses(archive.peer, None, ConfiguredRoute(), PATIENT)
    return StudyRequester(
        request=VerificationRequest("", archive.peer, "STORESCP", "DCMCFG"),
        addresses=addresses,
        store=store,
        cancellation=Cancellation(),
        move_tracker=MoveTracker("DCMCFG"),
    )


def _instance(uid: str, availability: str) -> QueryInstance:
    header = Dataset()
    header.PatientID = "P1"
    header.StudyInstanceUID = uid
    header.SeriesInstanceUID = f"{uid}.1"
    header.SOPInstanceUID = f"{uid}.1.1"
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    header.Modality = "CT"
    return QueryInstance(header, availability, ("LONGTERM",))
