"""Forward a C-MOVE request for objects without local files to another archive.

Simulates ``CMoveSCUImpl`` with ``ForwardRetrieveTask``. If the archive has no Move Destination of its own for this, it
forwards the request with the requester's destination. Otherwise the objects come back to the archive, which forwards
each one immediately.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from dcmcfg.dicom.status import PENDING, PROCESSING_FAILURE, UNABLE_TO_PERFORM_SUB_OPERATIONS
from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.forwarded_retrieves import ForwardedRetrieve, MoveOriginator
from dcmcfg.lab.archive.java_exceptions import JavaException, make_error_comment
from dcmcfg.lab.archive.pending_responses import PendingSender
from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, NoFinalResponse
from dcmcfg.lab.requestor import AssociationFailed, NoContextAccepted, open_association

_log = logging.getLogger("archive.external")


@dataclass(frozen=True)
class ForwardTarget:
    """The AE ``target_ae_title`` that a C-MOVE is forwarded to.

    ``calling_ae_title`` is the calling title, None for the archive's own. ``destination_ae_title`` is the Move
    Destination, None for that of the requester.
    """

    target_ae_title: str
    calling_ae_title: str | None
    destination_ae_title: str | None


@dataclass(frozen=True, kw_only=True)
class ForwardContext:
    """The shared context of all forwarded requests of one C-MOVE: counters, pending responses, destination."""

    state: ArchiveState
    exchange: MoveExchange
    called_ae: NetworkAE
    destination_ae: NetworkAE
    counters: RetrieveCounters
    pending_sender: PendingSender
    returns_to_archive: bool  # whether another archive is asked to send to this archive

    @contextmanager
    def open_association(self, target: ForwardTarget) -> Iterator[Association]:
        """Open an association with the target, with the requester's context and negotiated relational queries."""
        request, called = self.exchange.request, self.called_ae
        # The archive calls with the requester's title, so the external archive must know it (CMoveSCUImpl).
        calling = target.calling_ae_title or called.title
        connection = self.state.select_connection(
            self.state.cache.find_application_entity(target.target_ae_title), called
        )
        # The archive proposes the requester's own context, and no other one (CMoveSCUImpl).
        contexts = [build_context(request.sop_class_uid, list(request.proposed_transfer_syntaxes))]
        with open_association(
            calling,
            connection.peer,
            contexts,
            relational_sop_class=request.sop_class_uid,
            response_timeout_s=connection.local_connection.retrieve_timeout_s,
            accept_timeout_s=connection.local_connection.accept_timeout_s,
            tls=connection.tls,
        ) as association:
            destination = target.destination_ae_title or request.destination_ae_title
            _log.info("C-MOVE to %s, calling AE title %s, destination %s", connection.peer, calling, destination)
            yield association

    def make_retrieve(self, target: ForwardTarget) -> ForwardedRetrieve:
        """Return the retrieve for matching arriving objects, by the mapped title, or else the calling title.

        Without either, no object is matched: the archive's own title, used in a mixed retrieve, is not a key.
        """
        request = self.exchange.request
        # The pairs of dcmCStoreSCUOfCMoveSCP take precedence over the Move Originator of arriving objects.
        mapped = any(move_scp == target.target_ae_title for _, move_scp in self.state.device.move_scp_of_store_scu)
        return ForwardedRetrieve(
            match_ae_title=target.target_ae_title if mapped else target.calling_ae_title,
            identifier=request.identifier,
            move_originator=MoveOriginator(request.calling_ae_title, request.message_id),
            local_ae_title=self.called_ae.title,
            select_connection=partial(self.state.select_connection, self.destination_ae, self.called_ae),
            counters=self.counters,
        )


def forward_move(forward_context: ForwardContext, target: ForwardTarget) -> MoveResponse | NoFinalResponse:
    """Forward the request to another archive; return its response, or the response for the forwarded objects."""
    redirected = target.destination_ae_title
    try:
        with forward_context.open_association(target) as association:
            if redirected is None:
                return _relay_responses(forward_context.exchange, association)
            retrieve = forward_context.make_retrieve(target)
            with forward_context.state.retrieves.register(retrieve):
                return _wait_for_returned_objects(forward_context, association, redirected, retrieve)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM_SUB_OPERATIONS, make_error_comment(failure))
    # NoContextAccepted is derived from AssociationFailed, so it comes first.
    except NoContextAccepted as failure:
        # Observed on 5.35.1: only the pass-through mode reports this failure (recording external-unset-no-context).
        if redirected is None:
            return MoveResponse(PROCESSING_FAILURE, make_error_comment(failure))
        return forward_context.counters.make_external_final_response()
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM_SUB_OPERATIONS, make_error_comment(failure))


@contextmanager
def forward_move_concurrently(forward_context: ForwardContext, target: ForwardTarget) -> Iterator[None]:
    """Forward the request to another archive while the block runs, and wait for its final response at the end.

    Objects that it sends itself are counted by its responses, objects that come back are counted when forwarded. Raises
    :class:`JavaException` or :class:`AssociationFailed` before the block if the archive cannot be called.
    """
    with ExitStack() as stack:
        association = stack.enter_context(forward_context.open_association(target))
        retrieve = forward_context.make_retrieve(target) if target.destination_ae_title is not None else None
        if retrieve is not None:
            stack.enter_context(forward_context.state.retrieves.register(retrieve))
        thread = Thread(
            target=_forward_and_count,
            args=(forward_context, association, target),
            name=f"C-MOVE to {target.target_ae_title}",
            daemon=True,
        )
        thread.start()
        try:
            yield
        finally:
            # Without the wait, the final response could be sent before the other archive has finished.
            thread.join()
        if retrieve is not None:
            retrieve.wait_for_current_object()


def _forward_and_count(forward_context: ForwardContext, association: Association, target: ForwardTarget) -> None:
    """Forward the request to another archive, and count by its responses."""
    before: MoveResponse | None = None
    destination = target.destination_ae_title or forward_context.exchange.request.destination_ae_title
    for response in _send_move(forward_context.exchange, association, destination):
        if target.destination_ae_title is None:
            forward_context.counters.count_external_progress(response, before)
        else:
            _count_response(forward_context, response, first=before is None)
        before = response
        if response.status != PENDING:
            return


def _count_response(forward_context: ForwardContext, response: MoveResponse, *, first: bool) -> None:
    """Count a response of an archive that sends to this archive; its first one starts the pending responses."""
    forward_context.counters.set_external_response(response)
    if first and response.status == PENDING:
        forward_context.pending_sender.start()


def _relay_responses(exchange: MoveExchange, association: Association) -> MoveResponse | NoFinalResponse:
    """Relay every response of the other archive unchanged (``ForwardRetrieveTask.BackwardCMoveRSP``).

    If the other archive ends the association, the requester receives no further response.
    """
    cancelled = False
    for response in _send_move(exchange, association, exchange.request.destination_ae_title):
        if response.status != PENDING:
            return response
        exchange.send(response)
        if exchange.is_cancelled and not cancelled:
            cancelled = True
            association.send_c_cancel(exchange.request.message_id, query_model=exchange.request.sop_class_uid)
    # Observed on 5.35.1: the requester then waits for its own time-out (recording external-unset-closes-on-move).
    return NoFinalResponse.KEEP_ASSOCIATION


def _wait_for_returned_objects(
    forward_context: ForwardContext, association: Association, destination_ae_title: str, retrieve: ForwardedRetrieve
) -> MoveResponse:
    """Wait for the other archive's final response while its objects are forwarded as they arrive.

    As in the real archive, a C-CANCEL is not forwarded here.
    """
    first = True
    for response in _send_move(forward_context.exchange, association, destination_ae_title):
        _count_response(forward_context, response, first=first)
        first = False
        if response.status != PENDING:
            break
    retrieve.wait_for_current_object()
    forward_context.pending_sender.stop()
    return forward_context.counters.make_external_final_response()


def _send_move(exchange: MoveExchange, association: Association, destination: str) -> Iterator[MoveResponse]:
    """Yield the other archive's responses; ends without a final response if the association is lost."""
    request = exchange.request
    responses = association.send_c_move(
        request.identifier,
        destination,
        request.sop_class_uid,
        msg_id=request.message_id,
        priority=request.priority,
    )
    for status, identifier in responses:
        # pynetdicom returns an empty data set if the association ends.
        if "Status" not in status:
            return
        yield _parse_response(status, identifier)


def _parse_response(status: Dataset, identifier: Dataset | None) -> MoveResponse:
    return MoveResponse(
        status=int(status.Status),
        comment=str(status.get("ErrorComment", "")),
        remaining=status.get("NumberOfRemainingSuboperations"),
        completed=status.get("NumberOfCompletedSuboperations"),
        failed=status.get("NumberOfFailedSuboperations"),
        warning=status.get("NumberOfWarningSuboperations"),
        identifier=identifier or None,
    )
