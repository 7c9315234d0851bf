"""Retrieves under way whose objects come back to the archive to be forwarded.

Imitates ``ForwardCStoreRQ`` with ``CStoreForwardSCUImpl``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.dicom.peer import Peer
from dcmcfg.lab.query import HeldInstance, selected
from dcmcfg.lab.requesting import AssociationFailed, associated, send_file
from dcmcfg.lab.suboperations import SubOperations

_log = logging.getLogger("archive.forward")


@dataclass(frozen=True)
class Requester:
    """Whose C-MOVE it is: the move originator of the C-STOREs that carry it out."""

    title: str
    message_id: int


@dataclass
class ForwardedRetrieve:
    """One C-MOVE whose objects are forwarded to *destination* as they arrive.

    ``key`` is the AE title by which arriving objects are matched, None where no object is; ``identifier`` what was
    asked for.
    """

    key: str | None
    identifier: Dataset
    requester: Requester
    local_title: str
    destination: Peer
    store_timeout_s: float | None
    operations: SubOperations
    received: int = 0
    _lock: Lock = field(default_factory=Lock)
    _open: ExitStack = field(default_factory=ExitStack)
    _associations: dict[int, Association | None] = field(default_factory=dict)

    def forward(self, arrival: int, contexts: list[PresentationContext], sop_instance_uid: str, file: Path) -> None:
        """Send one object on; each association it may arrive on (*arrival*) has one to the destination.

        That one offers the storage contexts of the arriving one. What cannot be sent counts as failed.
        """
        with self._lock:
            self.received += 1
            if arrival not in self._associations:
                self._associations[arrival] = self._associate(contexts)
            association = self._associations[arrival]
            status = None
            if association is not None:
                status = send_file(
                    association, file, originator=self.requester.title, message_id=self.requester.message_id
                )
            self.operations.record(sop_instance_uid, status)
        _log.info("forwarded %s to %s: %s", sop_instance_uid, self.destination, _shown(status))

    def _associate(self, contexts: list[PresentationContext]) -> Association | None:
        offered = [build_context(each.abstract_syntax or "", list(each.transfer_syntax)) for each in contexts]
        try:
            return self._open.enter_context(
                associated(self.local_title, self.destination, offered, response_timeout_s=self.store_timeout_s)
            )
        except AssociationFailed as failure:
            _log.info("no association with %s: %s", self.destination, type(failure).__name__)
            return None

    def wait(self) -> None:
        """Return when the object that is being forwarded, if any, has been."""
        with self._lock:
            pass

    def close(self) -> None:
        """Release the associations to the destination."""
        with self._lock:
            self._open.close()
            self._associations.clear()


class Retrieves:
    """The forwarded retrieves under way."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: list[ForwardedRetrieve] = []

    @contextmanager
    def under_way(self, retrieve: ForwardedRetrieve) -> Iterator[None]:
        """Have arriving objects matched with *retrieve* while the context is open."""
        with self._lock:
            self._under_way.append(retrieve)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(retrieve)
            retrieve.close()

    def matching(self, key: str, arrived: Dataset) -> ForwardedRetrieve | None:
        """Return the retrieve for which an object arrives, by its key and then by what was asked for."""
        held = (HeldInstance(arrived),)
        with self._lock:
            wanting = (each for each in self._under_way if each.key == key and selected(each.identifier, held))
            return next(wanting, None)


def _shown(status: int | None) -> str:
    return "not sent" if status is None else f"{status:04X}"
