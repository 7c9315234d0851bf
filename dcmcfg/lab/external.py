"""The lab's external archive: a plain PACS that knows its own few peers and no LDAP.

``python -m dcmcfg.lab.external LABFOLDER`` serves C-ECHO, C-STORE, C-FIND and C-MOVE as LONGTERM. It answers like
dcm4che's ``DcmQRSCP``: A801 ``Move Destination: X unknown``, no match is 0000 without counters, and its C-STOREs
carry the calling AE title of the C-MOVE as move originator.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pynetdicom import DEFAULT_TRANSFER_SYNTAXES, evt
from pynetdicom.presentation import PresentationContext, build_context

from dcmcfg.dicom.peer import Peer
from dcmcfg.errors import MalformedInput
from dcmcfg.lab.identifier import IdentifierMismatch, retrieve_level, root_of
from dcmcfg.lab.listener import Handler, all_contexts, listening
from dcmcfg.lab.move_scp import MoveExchange, MoveRecord, MoveRequest, MoveResponse, serve_moves
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.process import run
from dcmcfg.lab.query import IDENTIFIER_MISMATCH, HeldInstance, find, selected
from dcmcfg.lab.requestor import AssociationFailed, NotSent, SentIn, associated, send_file
from dcmcfg.lab.site import LOOPBACK, Site
from dcmcfg.lab.storage import received
from dcmcfg.lab.studies import Held, all_studies
from dcmcfg.lab.suboperations import SUCCESS, UNABLE_TO_PERFORM, SubOperations
from dcmcfg.private_folders import make_private

TITLE = "LONGTERM"
ARCHIVE_TITLE = "DCM4CHEE"
MOVE_DESTINATION_UNKNOWN = 0xA801
_log = logging.getLogger("external")
#: What the record holds of one C-STORE.
_Store = dict[str, str | int | None]


def store_of(site: Site) -> ObjectStore:
    """Return the external archive's object store."""
    return ObjectStore(site.external_folder / "objects")


def seed(site: Site) -> None:
    """Give an empty external archive its studies, its table of known AEs with the archive in it, and an empty record.

    The record is there from the beginning, so that one who reads it can tell "never asked" from "no record".
    """
    make_private(site.external_folder)
    site.external_move_log.touch()
    if not site.external_aes.exists():
        write_known_aes(site.external_aes, {ARCHIVE_TITLE: (LOOPBACK, site.ports.archive)})
    store = store_of(site)
    if store.is_empty():
        for study in all_studies(site.more_studies):
            if study.held is not Held.LOCALLY:
                for instance in study.instances:
                    store.save(instance)


def write_known_aes(path: Path, known: dict[str, tuple[str, int]]) -> None:
    """Write the table of AEs to which the external archive sends: AE title → host, port."""
    path.write_text(json.dumps({title: list(address) for title, address in known.items()}, indent=2) + "\n", "utf-8")


class ExternalArchive:
    """The services of the external archive at a lab's *site*."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._store = store_of(site)
        self._moves = MoveRecord(site.external_move_log)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve while the context is open; raises :class:`LabError` when the port is taken."""
        handlers: list[Handler] = [
            (evt.EVT_REQUESTED, lambda event: serve_moves(event.assoc, self._move)),
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, self._store_instance),
            (evt.EVT_C_FIND, lambda event: find(event, self._known)),
        ]
        with listening(TITLE, self._site.ports.external, handlers, all_contexts()):
            yield

    def _known(self) -> tuple[HeldInstance, ...]:
        return tuple(HeldInstance(header, retrieve_aets=(TITLE,)) for header in self._store.headers())

    def _store_instance(self, event: evt.Event) -> int:
        brought = received(event)
        self._store.save_octets(brought.sop_instance_uid, brought.file)
        _log.info("stored %s from %s", brought.sop_instance_uid, brought.calling)
        return SUCCESS

    def _move(self, exchange: MoveExchange) -> MoveResponse:
        started = datetime.now(UTC)
        stores: list[_Store] = []
        response = self._answer(exchange, stores)
        self._record(started, exchange.request, response, stores)
        return response

    def _answer(self, exchange: MoveExchange, stores: list[_Store]) -> MoveResponse:
        request = exchange.request
        try:
            retrieve_level(request.identifier, root_of(request.sop_class_uid), relational=request.relational)
        except IdentifierMismatch as mismatch:
            return MoveResponse(IDENTIFIER_MISMATCH, str(mismatch), offending=mismatch.tag)
        peer = self._known_peer(request.destination)
        if peer is None:
            return MoveResponse(MOVE_DESTINATION_UNKNOWN, f"Move Destination: {request.destination} unknown"[:64])
        found = selected(request.identifier, self._known())
        if not found:
            return MoveResponse(SUCCESS)
        try:
            return self._send(exchange, peer, found, stores)
        except AssociationFailed as failure:
            return MoveResponse(UNABLE_TO_PERFORM, f"no association with {peer}: {type(failure).__name__}"[:64])

    def _known_peer(self, title: str) -> Peer | None:
        """Return the AE as the table of known AEs has it now; a table that does not read knows nobody."""
        try:
            host, port = json.loads(self._site.external_aes.read_text("utf-8"))[title]
            return Peer(title, str(host), int(port))
        except KeyError:
            return None
        except (OSError, ValueError, TypeError, MalformedInput) as error:
            _log.error("%s does not read: %s", self._site.external_aes, error)
            return None

    def _send(
        self, exchange: MoveExchange, peer: Peer, found: tuple[HeldInstance, ...], stores: list[_Store]
    ) -> MoveResponse:
        request = exchange.request
        operations = SubOperations(len(found))
        with associated(TITLE, peer, _contexts(found)) as association:
            sent_in = SentIn(association)
            for each in found:
                if exchange.is_abandoned or exchange.is_cancelled:
                    return operations.cancelled()
                uid = each.unique_key("IMAGE")
                sent_in.transfer_syntax_uid = None
                try:
                    status = send_file(
                        association,
                        self._store.path(uid),
                        originator=request.calling,
                        message_id=request.message_id,
                    )
                except NotSent:
                    status = None
                operations.record(uid, status)
                stores.append(_store_of(each, sent_in.transfer_syntax_uid, status))
                exchange.send(operations.pending())
        return operations.final()

    def _record(self, started: datetime, request: MoveRequest, response: MoveResponse, stores: list[_Store]) -> None:
        """Append one line to the record of moves."""
        _log.info("C-MOVE %s: %s", request.study_uid, response)
        self._moves.add(
            request,
            started=started.isoformat(),
            status=response.status,
            completed=response.completed or 0,
            failed=response.failed or 0,
            stores=stores,
        )


def _store_of(instance: HeldInstance, transfer_syntax_uid: str | None, status: int | None) -> _Store:
    """Return what the record holds of one C-STORE; *transfer_syntax_uid* is None for an instance that was not sent."""
    return {
        "sop_instance_uid": instance.unique_key("IMAGE"),
        "sop_class_uid": str(instance.header.SOPClassUID),
        "transfer_syntax_uid": transfer_syntax_uid,
        "status": status,
    }


def _contexts(found: tuple[HeldInstance, ...]) -> list[PresentationContext]:
    """Offer each SOP class in the uncompressed transfer syntaxes, and in those of the files."""
    offered = [build_context(uid) for uid in sorted({str(each.header.SOPClassUID) for each in found})]
    kept = {(str(each.header.SOPClassUID), str(each.header.file_meta.TransferSyntaxUID)) for each in found}
    uncompressed = {str(syntax) for syntax in DEFAULT_TRANSFER_SYNTAXES}
    return offered + [build_context(*each) for each in sorted(kept) if each[1] not in uncompressed]


@contextmanager
def serving(site: Site) -> Iterator[None]:
    """Seed the external archive when it is new, then serve while the context is open."""
    seed(site)
    with ExternalArchive(site).serving():
        yield


if __name__ == "__main__":
    sys.exit(run(serving, sys.argv[1:]))
