"""The lab's external archive: a simple PACS with its own table of peers, without LDAP.

``python -m dcmcfg.lab.external LABFOLDER`` serves C-ECHO, C-STORE, C-FIND and C-MOVE as LONGTERM. It behaves like
dcm4che's ``DcmQRSCP``: A801 ``Move Destination: X unknown``, status 0000 without counters if nothing matches, and
C-STORE requests with the calling AE title of the C-MOVE as Move Originator.
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
from dcmcfg.dicom.status import IDENTIFIER_MISMATCH, MOVE_DESTINATION_UNKNOWN, SUCCESS, UNABLE_TO_PERFORM_SUB_OPERATIONS
from dcmcfg.errors import MalformedInput
from dcmcfg.lab.identifier import IdentifierMismatch, get_root_level, parse_retrieve_level
from dcmcfg.lab.listener import EventHandler, build_archive_contexts, listen
from dcmcfg.lab.move_scp import MoveExchange, MoveLog, MoveRequest, MoveResponse, install_move_handler
from dcmcfg.lab.object_store import ObjectStore
from dcmcfg.lab.process import run_process
from dcmcfg.lab.query import QueryInstance, handle_find, select_instances
from dcmcfg.lab.requestor import AssociationFailed, StoreNotSent, TransferSyntaxRecorder, open_association, send_file
from dcmcfg.lab.site import LOOPBACK, Site
from dcmcfg.lab.storage import read_store_request
from dcmcfg.lab.studies import StudyLocation, make_all_studies
from dcmcfg.lab.suboperations import SubOperations
from dcmcfg.private_folders import create_private_folder

AE_TITLE = "LONGTERM"
ARCHIVE_AE_TITLE = "DCM4CHEE"
_log = logging.getLogger("external")
#: The log record of one C-STORE.
_StoreRecord = dict[str, str | int | None]


def get_object_store(site: Site) -> ObjectStore:
    """Return the external archive's object store."""
    return ObjectStore(site.external_folder / "objects")


def seed(site: Site) -> None:
    """Create the studies, the table of known AEs (with the archive) and an empty log of a new external archive.

    The log exists from the beginning, so that readers can distinguish "no request" from "no log".
    """
    create_private_folder(site.external_folder)
    site.external_move_log.touch()
    if not site.external_known_aes_file.exists():
        write_known_aes(site.external_known_aes_file, {ARCHIVE_AE_TITLE: (LOOPBACK, site.ports.archive)})
    store = get_object_store(site)
    if store.is_empty():
        for study in make_all_studies(site.extra_study_count):
            if study.location is not StudyLocation.LOCAL:
                for instance in study.instances:
                    store.save(instance)


def write_known_aes(path: Path, addresses: dict[str, tuple[str, int]]) -> None:
    """Write the table of AEs to which the external archive sends: AE title → host, port."""
    path.write_text(
        json.dumps({title: list(address) for title, address in addresses.items()}, indent=2) + "\n", "utf-8"
    )


class ExternalArchive:
    """The services of the external archive at a lab's *site*."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._store = get_object_store(site)
        self._move_log = MoveLog(site.external_move_log)

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Serve while the context is open; raises :class:`~dcmcfg.errors.LabError` if the port is in use."""
        handlers: list[EventHandler] = [
            (evt.EVT_REQUESTED, lambda event: install_move_handler(event.assoc, self._move)),
            (evt.EVT_C_ECHO, lambda _: SUCCESS),
            (evt.EVT_C_STORE, self._store_instance),
            (evt.EVT_C_FIND, lambda event: handle_find(event, self._list_instances)),
        ]
        with listen(AE_TITLE, self._site.ports.external, handlers, build_archive_contexts()):
            yield

    def _list_instances(self) -> tuple[QueryInstance, ...]:
        return tuple(QueryInstance(header, retrieve_aets=(AE_TITLE,)) for header in self._store.read_headers())

    def _store_instance(self, event: evt.Event) -> int:
        received = read_store_request(event)
        self._store.save_file(received.sop_instance_uid, received.file_content)
        _log.info("stored %s from %s", received.sop_instance_uid, received.calling_ae_title)
        return SUCCESS

    def _move(self, exchange: MoveExchange) -> MoveResponse:
        started = datetime.now(UTC)
        stores: list[_StoreRecord] = []
        response = self._respond(exchange, stores)
        self._log_move(started, exchange.request, response, stores)
        return response

    def _respond(self, exchange: MoveExchange, stores: list[_StoreRecord]) -> MoveResponse:
        request = exchange.request
        try:
            parse_retrieve_level(
                request.identifier, get_root_level(request.sop_class_uid), relational=request.is_relational
            )
        except IdentifierMismatch as mismatch:
            return MoveResponse(IDENTIFIER_MISMATCH, str(mismatch), offending_element=mismatch.tag)
        peer = self._find_peer(request.destination_ae_title)
        if peer is None:
            # An Error Comment has at most 64 characters (VR LO, PS3.5 §6.2).
            return MoveResponse(
                MOVE_DESTINATION_UNKNOWN, f"Move Destination: {request.destination_ae_title} unknown"[:64]
            )
        found = select_instances(request.identifier, self._list_instances())
        if not found:
            return MoveResponse(SUCCESS)
        try:
            return self._send(exchange, peer, found, stores)
        except AssociationFailed as failure:
            return MoveResponse(
                UNABLE_TO_PERFORM_SUB_OPERATIONS, f"no association with {peer}: {type(failure).__name__}"[:64]
            )

    def _find_peer(self, title: str) -> Peer | None:
        """Return the AE from the current table of known AEs, None if it is missing or the table cannot be read."""
        try:
            host, port = json.loads(self._site.external_known_aes_file.read_text("utf-8"))[title]
            return Peer(title, str(host), int(port))
        except KeyError:
            return None
        except (OSError, ValueError, TypeError, MalformedInput) as error:
            _log.error("cannot read %s: %s", self._site.external_known_aes_file, error)
            return None

    def _send(
        self, exchange: MoveExchange, peer: Peer, found: tuple[QueryInstance, ...], stores: list[_StoreRecord]
    ) -> MoveResponse:
        request = exchange.request
        operations = SubOperations(len(found))
        with open_association(AE_TITLE, peer, _build_contexts(found)) as association:
            recorder = TransferSyntaxRecorder(association)
            for each in found:
                if exchange.is_abandoned or exchange.is_cancelled:
                    return operations.make_cancelled_response()
                uid = each.unique_key("IMAGE")
                # An object that is not sent must not get the transfer syntax of the previous one.
                recorder.transfer_syntax_uid = None
                try:
                    status = send_file(
                        association,
                        self._store.get_path(uid),
                        originator_ae_title=request.calling_ae_title,
                        message_id=request.message_id,
                    )
                except StoreNotSent:
                    status = None
                operations.count_store(uid, status)
                stores.append(_make_store_record(each, recorder.transfer_syntax_uid, status))
                exchange.send(operations.make_pending_response())
        return operations.make_final_response()

    def _log_move(
        self, started: datetime, request: MoveRequest, response: MoveResponse, stores: list[_StoreRecord]
    ) -> None:
        """Append one line to the log of C-MOVE requests."""
        _log.info("C-MOVE %s: %s", request.study_uid, response)
        self._move_log.append(
            request,
            started=started.isoformat(),
            status=response.status,
            completed=response.completed or 0,
            failed=response.failed or 0,
            stores=stores,
        )


def _make_store_record(instance: QueryInstance, transfer_syntax_uid: str | None, status: int | None) -> _StoreRecord:
    """Return the log record of one C-STORE; *transfer_syntax_uid* is None for an instance that was not sent."""
    return {
        "sop_instance_uid": instance.unique_key("IMAGE"),
        "sop_class_uid": str(instance.header.SOPClassUID),
        "transfer_syntax_uid": transfer_syntax_uid,
        "status": status,
    }


def _build_contexts(found: tuple[QueryInstance, ...]) -> list[PresentationContext]:
    """Return contexts for each SOP class in the uncompressed transfer syntaxes and in the syntaxes of the files."""
    offered = [build_context(uid) for uid in sorted({str(each.header.SOPClassUID) for each in found})]
    as_stored = {(str(each.header.SOPClassUID), str(each.header.file_meta.TransferSyntaxUID)) for each in found}
    uncompressed = {str(syntax) for syntax in DEFAULT_TRANSFER_SYNTAXES}
    return offered + [build_context(*each) for each in sorted(as_stored) if each[1] not in uncompressed]


@contextmanager
def serve(site: Site) -> Iterator[None]:
    """Seed a new external archive, then serve while the context is open."""
    seed(site)
    with ExternalArchive(site).serve():
        yield


if __name__ == "__main__":
    sys.exit(run_process(serve, sys.argv[1:]))
