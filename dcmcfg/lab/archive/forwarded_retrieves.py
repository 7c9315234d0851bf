"""Active retrieves whose objects come back to the archive and are forwarded.

Simulates ``ForwardCStoreRQ`` with ``CStoreForwardSCUImpl``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.lab.archive.java_exceptions import JavaException
from dcmcfg.lab.archive.outgoing_connection import OutgoingConnection
from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.query import QueryInstance, select_instances
from dcmcfg.lab.requestor import AssociationFailed, StoreNotSent, open_association, send_file

_log = logging.getLogger("archive.forward")


@dataclass(frozen=True)
class MoveOriginator:
    """The Move Originator of the C-STORE sub-operations: AE title and Message ID of the C-MOVE."""

    ae_title: str
    message_id: int


@dataclass(kw_only=True)
class ForwardedRetrieve:
    """One C-MOVE whose objects are forwarded to its destination as they arrive.

    ``match_ae_title`` is the AE title for matching arriving objects, None if no object matches. ``identifier`` is the
    identifier of the C-MOVE. ``select_connection`` returns the connection to the destination, or raises
    :class:`JavaException`.
    """

    match_ae_title: str | None
    identifier: Dataset
    move_originator: MoveOriginator
    local_ae_title: str
    select_connection: Callable[[], OutgoingConnection]
    counters: RetrieveCounters
    _lock: Lock = field(default_factory=Lock)
    _open: ExitStack = field(default_factory=ExitStack)
    _associations: dict[int, Association | None] = field(default_factory=dict)

    def forward(
        self, incoming_association_id: int, contexts: list[PresentationContext], sop_instance_uid: str, file: Path
    ) -> None:
        """Forward one object. Each incoming association (*incoming_association_id*) has an own outgoing association.

        The outgoing association proposes the storage contexts of the incoming one. An object that cannot be sent counts
        as failed.
        """
        # The lock keeps the order of objects, and lets the end of a retrieve wait for the current one.
        with self._lock:
            if incoming_association_id not in self._associations:
                self._associations[incoming_association_id] = self._associate(contexts)
            association = self._associations[incoming_association_id]
            outcome = self._send(association, sop_instance_uid, file)
        _log.info("forwarded %s: %s", sop_instance_uid, outcome)

    def _send(self, association: Association | None, sop_instance_uid: str, file: Path) -> str:
        """Send an object and count it. As in the real archive, an object without response is not counted."""
        if association is None:
            self.counters.count_failed(sop_instance_uid)
            return "no association"
        requester = self.move_originator
        try:
            status = send_file(
                association, file, originator_ae_title=requester.ae_title, message_id=requester.message_id
            )
        except StoreNotSent:
            self.counters.count_failed(sop_instance_uid)
            return "not sent"
        if status is None:
            return "no response"
        self.counters.count_store(sop_instance_uid, status)
        return f"{status:04X}"

    def _associate(self, contexts: list[PresentationContext]) -> Association | None:
        offered = [build_context(each.abstract_syntax or "", list(each.transfer_syntax)) for each in contexts]
        try:
            connection = self.select_connection()
            return self._open.enter_context(
                open_association(
                    self.local_ae_title,
                    connection.peer,
                    offered,
                    response_timeout_s=connection.local_connection.store_timeout_s,
                    accept_timeout_s=connection.local_connection.accept_timeout_s,
                    tls=connection.tls,
                )
            )
        except (AssociationFailed, JavaException) as failure:
            _log.info("no association with the destination: %s", type(failure).__name__)
            return None

    def wait_for_current_object(self) -> None:
        """Wait until the object that is currently forwarded, if any, is complete."""
        # :meth:`forward` holds the lock while it sends an object.
        with self._lock:
            pass

    def close(self) -> None:
        """Release the associations to the destination."""
        with self._lock:
            self._open.close()
            self._associations.clear()


class RetrieveRegistry:
    """The active forwarded retrieves."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._active: list[ForwardedRetrieve] = []

    @contextmanager
    def register(self, retrieve: ForwardedRetrieve) -> Iterator[None]:
        """Match arriving objects with *retrieve* while the context is open."""
        with self._lock:
            self._active.append(retrieve)
        try:
            yield
        finally:
            with self._lock:
                self._active.remove(retrieve)
            # The release of associations takes time, and other retrieves need the registry's lock meanwhile.
            retrieve.close()

    def find_matching(self, match_ae_title: str, received: Dataset) -> ForwardedRetrieve | None:
        """Return the retrieve that a received object belongs to, by AE title and then by identifier, or None."""
        instances = (QueryInstance(received),)
        with self._lock:
            matching = (
                each
                for each in self._active
                if each.match_ae_title == match_ae_title and select_instances(each.identifier, instances)
            )
            return next(matching, None)
