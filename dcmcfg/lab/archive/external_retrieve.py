"""A C-MOVE of objects that the archive has no file of, passed on to another archive.

Imitates ``CMoveSCUImpl`` with ``ForwardRetrieveTask``. Without a Move Destination of its own the request goes on
with that of the requester; with it, the objects come back to the archive, which forwards each at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Thread

from pydicom.dataset import Dataset
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.status import STATUS_FAILURE, code_to_category

from dcmcfg.lab.archive.configuration import NetworkAE, peer_of
from dcmcfg.lab.archive.java import JavaException, text_of
from dcmcfg.lab.archive.retrieves import ForwardedRetrieve, Requester
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_scp import PENDING, MoveExchange, MoveResponse
from dcmcfg.lab.requesting import AssociationFailed, NothingAccepted, associated
from dcmcfg.lab.suboperations import UNABLE_TO_PERFORM, SubOperations, pending_responses

PROCESSING_FAILURE = 0x0110
_FORWARDED_ID = 1
_log = logging.getLogger("archive.external")


@dataclass(frozen=True)
class Forwarding:
    """To whom a C-MOVE is passed on: the AE ``holder``, for ``number`` objects.

    ``calling`` is the title to call under, None for the archive's own; ``redirected`` the Move Destination, None for
    the requester's.
    """

    holder: str
    calling: str | None
    redirected: str | None
    number: int


@dataclass(frozen=True)
class Passing:
    """What is the same for all AEs that one C-MOVE is passed on to; ``operations`` are counted together."""

    state: ArchiveState
    exchange: MoveExchange
    called: NetworkAE
    destination: NetworkAE
    operations: SubOperations

    @contextmanager
    def associated_with(self, forwarding: Forwarding) -> Iterator[Association]:
        """Give an association with the holder: one context, that of the requester, relational queries negotiated."""
        request, called = self.exchange.request, self.called
        calling = forwarding.calling or called.title
        peer = peer_of(self.state.cache.find_application_entity(forwarding.holder), called)
        contexts = [build_context(request.sop_class_uid, list(request.proposed_transfer_syntaxes))]
        with associated(
            calling,
            peer,
            contexts,
            relational=request.sop_class_uid,
            response_timeout_s=called.retrieve_timeout_s,
        ) as association:
            destination = forwarding.redirected or request.destination
            _log.info("C-MOVE to %s as %s, destination %s", peer, calling, destination)
            yield association

    def retrieve(self, forwarding: Forwarding) -> ForwardedRetrieve:
        """Return the retrieve by which arriving objects are matched: under the mapped title, else the calling one.

        With neither nothing is matched: the archive's own title, used in a mixed retrieve, is no key.
        """
        request = self.exchange.request
        mapped = any(move_scp == forwarding.holder for _, move_scp in self.state.device.move_scp_of_store_scu)
        return ForwardedRetrieve(
            key=forwarding.holder if mapped else forwarding.calling,
            identifier=request.identifier,
            requester=Requester(request.calling, request.message_id),
            local_title=self.called.title,
            destination=peer_of(self.destination, self.called),
            store_timeout_s=self.called.store_timeout_s,
            operations=self.operations,
        )


def pass_on(passing: Passing, forwarding: Forwarding) -> MoveResponse:
    """Have the request answered by another archive, and return its answer, or that of what was forwarded."""
    redirected = forwarding.redirected
    try:
        with passing.associated_with(forwarding) as association:
            if redirected is None:
                return _relay(passing.exchange, association)
            retrieve = passing.retrieve(forwarding)
            with passing.state.retrieves.under_way(retrieve):
                return _re_forward(passing, association, redirected, retrieve)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM, str(failure))
    except NothingAccepted as failure:
        if redirected is None:
            return MoveResponse(PROCESSING_FAILURE, text_of(failure))
        return MoveResponse(UNABLE_TO_PERFORM)
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM, text_of(failure))


@contextmanager
def asking_beside(passing: Passing, forwarding: Forwarding) -> Iterator[None]:
    """Ask another archive while the block goes on, and wait for its final response at the end of the block.

    What it sends itself is counted by its response, what comes back as it is forwarded. Raises
    :class:`JavaException` or :class:`AssociationFailed` before the block when it cannot be asked.
    """
    with ExitStack() as stack:
        association = stack.enter_context(passing.associated_with(forwarding))
        retrieve = passing.retrieve(forwarding) if forwarding.redirected is not None else None
        if retrieve is not None:
            stack.enter_context(passing.state.retrieves.under_way(retrieve))
        destination = forwarding.redirected or passing.exchange.request.destination
        answers: list[MoveResponse] = []

        def ask() -> None:
            answers.extend(_responses(passing.exchange, association, destination))

        asking = Thread(target=ask, name=f"C-MOVE to {forwarding.holder}", daemon=True)
        asking.start()
        try:
            yield
        finally:
            asking.join()
        final = next((answer for answer in answers if answer.status != PENDING), None)
        if retrieve is not None:
            retrieve.wait()
        _count(passing.operations, forwarding, retrieve, final)


def _count(
    operations: SubOperations, forwarding: Forwarding, retrieve: ForwardedRetrieve | None, final: MoveResponse | None
) -> None:
    """Count what became of the objects that one archive was asked for beside others."""
    refused = final is None or code_to_category(final.status) == STATUS_FAILURE
    if retrieve is None and final is not None and (final.completed or final.failed or final.warning):
        operations.count(final)
    elif refused and (retrieve is None or not retrieve.received):
        operations.fail(forwarding.number)


def _relay(exchange: MoveExchange, association: Association) -> MoveResponse:
    """Relay every response of the other archive as it is (``ForwardRetrieveTask.BackwardCMoveRSP``)."""
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
    passing: Passing, association: Association, redirected: str, retrieve: ForwardedRetrieve
) -> MoveResponse:
    """Wait for the other archive's final response while its objects are forwarded as they arrive.

    A C-CANCEL is not passed on here, as in the real archive.
    """
    exchange, operations = passing.exchange, passing.operations
    with pending_responses(exchange, operations, passing.called.send_pending_interval_s) as pending:
        final = None
        for response in _responses(exchange, association, redirected):
            if response.status != PENDING:
                final = response
                break
            pending.start()
        retrieve.wait()
    if final is None:
        return operations.final(otherwise=UNABLE_TO_PERFORM)
    if not retrieve.received and not operations.completed and code_to_category(final.status) == STATUS_FAILURE:
        return final
    return operations.final(otherwise=final.status)


def _responses(exchange: MoveExchange, association: Association, destination: str) -> Iterator[MoveResponse]:
    """Yield the other archive's responses; ends without a final one when the association is lost."""
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
