"""A C-MOVE of purged objects, asked of the external archive that holds them.

Imitates ``CMoveSCUImpl`` with ``ForwardRetrieveTask``. Without dcmExternalRetrieveAEDestination the request goes on
with its own Move Destination; with it, the objects come back to the archive, which forwards each at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.status import STATUS_FAILURE, code_to_category

from dcmcfg.lab.archive.configuration import NetworkAE, peer_of
from dcmcfg.lab.archive.database import Instance
from dcmcfg.lab.archive.java import JavaException, text_of
from dcmcfg.lab.archive.retrieves import ForwardedRetrieve, Requester
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_scp import PENDING, MoveExchange, MoveResponse
from dcmcfg.lab.requesting import AssociationFailed, NothingAccepted, associated
from dcmcfg.lab.suboperations import UNABLE_TO_PERFORM, SubOperations, pending_responses

PROCESSING_FAILURE = 0x0110
_FORWARDED_ID = 1
_log = logging.getLogger("archive.external")


def retrieve_externally(
    state: ArchiveState,
    exchange: MoveExchange,
    called: NetworkAE,
    destination: NetworkAE,
    instances: Sequence[Instance],
    holder: str,
) -> MoveResponse:
    """Have *instances* sent by the AE *holder*, asking it with the requester's AE title as calling one."""
    request = exchange.request
    redirected = called.external_retrieve_destination
    contexts = [build_context(request.sop_class_uid, list(request.proposed_transfer_syntaxes))]
    try:
        peer = peer_of(state.cache.find_application_entity(holder), called)
        with associated(
            request.calling,
            peer,
            contexts,
            relational=request.sop_class_uid,
            response_timeout_s=called.retrieve_timeout_s,
        ) as association:
            _log.info("C-MOVE to %s as %s, destination %s", peer, request.calling, redirected or request.destination)
            if redirected is None:
                return _pass_through(exchange, association)
            retrieve = _forwarded(state, exchange, called, destination, instances, holder)
            with state.retrieves.under_way(retrieve):
                return _re_forward(exchange, association, redirected, retrieve, called.send_pending_interval_s)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM, str(failure))
    except NothingAccepted as failure:
        if redirected is None:
            return MoveResponse(PROCESSING_FAILURE, text_of(failure))
        return MoveResponse(UNABLE_TO_PERFORM)
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM, text_of(failure))


def _forwarded(
    state: ArchiveState,
    exchange: MoveExchange,
    called: NetworkAE,
    destination: NetworkAE,
    instances: Sequence[Instance],
    holder: str,
) -> ForwardedRetrieve:
    """Return the retrieve by which arriving objects are matched: under the calling title used, or the mapped one."""
    request = exchange.request
    mapped = any(move_scp == holder for _, move_scp in state.device.move_scp_of_store_scu)
    return ForwardedRetrieve(
        key=holder if mapped else request.calling,
        wanted=frozenset(each.uid for each in instances),
        requester=Requester(request.calling, request.message_id),
        local_title=called.title,
        destination=peer_of(destination, called),
        store_timeout_s=called.store_timeout_s,
        operations=SubOperations(len(instances)),
    )


def _pass_through(exchange: MoveExchange, association: Association) -> MoveResponse:
    """Relay every response of the external archive as it is (``ForwardRetrieveTask.BackwardCMoveRSP``)."""
    cancelled = False
    for response in _responses(exchange, association, exchange.request.destination):
        if response.status != PENDING:
            return response
        exchange.send(response)
        if exchange.is_cancelled and not cancelled:
            cancelled = True
            association.send_c_cancel(_FORWARDED_ID, query_model=exchange.request.sop_class_uid)
    return MoveResponse(PROCESSING_FAILURE, "java.io.IOException: association to the external archive ended")


def _re_forward(
    exchange: MoveExchange,
    association: Association,
    redirected: str,
    retrieve: ForwardedRetrieve,
    interval_s: float | None,
) -> MoveResponse:
    """Wait for the external archive's final response while its objects are forwarded as they arrive.

    A C-CANCEL is not passed on here, as in the real archive.
    """
    operations = retrieve.operations
    with pending_responses(exchange, operations, interval_s) as pending:
        final = None
        for response in _responses(exchange, association, redirected):
            if response.status != PENDING:
                final = response
                break
            pending.start()
        retrieve.wait()
    if final is None:
        return operations.final(otherwise=UNABLE_TO_PERFORM)
    if not retrieve.received and code_to_category(final.status) == STATUS_FAILURE:
        return final
    return operations.final(otherwise=final.status)


def _responses(exchange: MoveExchange, association: Association, destination: str) -> Iterator[MoveResponse]:
    """Yield the external archive's responses; ends without a final one when the association is lost."""
    request = exchange.request
    answers = association.send_c_move(
        request.identifier,
        destination,
        request.sop_class_uid,
        msg_id=_FORWARDED_ID,
        priority=request.priority,
    )
    for status, identifier in answers:
        if "Status" not in status:
            return
        yield _response(status, identifier)


def _response(status: Dataset, identifier: Dataset | None) -> MoveResponse:
    return MoveResponse(
        status=int(status.Status),
        comment=str(status.get("ErrorComment", "")),
        remaining=status.get("NumberOfRemainingSuboperations"),
        completed=status.get("NumberOfCompletedSuboperations"),
        failed=status.get("NumberOfFailedSuboperations"),
        warning=status.get("NumberOfWarningSuboperations"),
        identifier=identifier or None,
    )
