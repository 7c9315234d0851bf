"""A C-MOVE of objects that the archive has no file of, passed on to another archive.

Imitates ``CMoveSCUImpl`` with ``ForwardRetrieveTask``. Without a Move Destination of its own the request goes on
with that of the requester; with it, the objects come back to the archive, which forwards each at once.
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

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.forwarded_retrieves import ForwardedRetrieve, Requester
from dcmcfg.lab.archive.java_exceptions import JavaException, error_comment
from dcmcfg.lab.archive.pending_responses import PendingResponses
from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.move_scp import PENDING, MoveExchange, MoveResponse, Unanswered
from dcmcfg.lab.requestor import AssociationFailed, NothingAccepted, associated
from dcmcfg.lab.suboperations import UNABLE_TO_PERFORM

PROCESSING_FAILURE = 0x0110
_log = logging.getLogger("archive.external")


@dataclass(frozen=True)
class Forwarding:
    """The AE ``holder`` that a C-MOVE is passed on to.

    ``calling`` is the calling title, None for the archive's own. ``redirected`` is the Move Destination, None for that
    of the requester.
    """

    holder: str
    calling: str | None
    redirected: str | None


@dataclass(frozen=True)
class Passing:
    """What all AEs have in common that one C-MOVE is passed on to: counters, pending responses, the destination."""

    state: ArchiveState
    exchange: MoveExchange
    called: NetworkAE
    destination: NetworkAE
    counters: RetrieveCounters
    pending: PendingResponses
    comes_back: bool  # an archive is asked to send to this one

    @contextmanager
    def associated_with(self, forwarding: Forwarding) -> Iterator[Association]:
        """Give an association with the holder: one context, that of the requester, relational queries negotiated."""
        request, called = self.exchange.request, self.called
        calling = forwarding.calling or called.title
        line = self.state.line(self.state.cache.find_application_entity(forwarding.holder), called)
        contexts = [build_context(request.sop_class_uid, list(request.proposed_transfer_syntaxes))]
        with associated(
            calling,
            line.peer,
            contexts,
            relational=request.sop_class_uid,
            response_timeout_s=line.own.retrieve_timeout_s,
            accept_timeout_s=line.own.accept_timeout_s,
            tls=line.tls,
        ) as association:
            destination = forwarding.redirected or request.destination
            _log.info("C-MOVE to %s as %s, destination %s", line.peer, calling, destination)
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
            destination=partial(self.state.line, self.destination, self.called),
            counters=self.counters,
        )


def pass_on(passing: Passing, forwarding: Forwarding) -> MoveResponse | Unanswered:
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
        return MoveResponse(UNABLE_TO_PERFORM, error_comment(failure))
    except NothingAccepted as failure:
        if redirected is None:
            return MoveResponse(PROCESSING_FAILURE, error_comment(failure))
        return passing.counters.final_of_external()
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM, error_comment(failure))


@contextmanager
def asking_beside(passing: Passing, forwarding: Forwarding) -> Iterator[None]:
    """Ask another archive while the block goes on, and wait for its final response at the end of the block.

    What it sends itself is counted by its responses, what comes back as it is forwarded. Raises
    :class:`JavaException` or :class:`AssociationFailed` before the block when it cannot be asked.
    """
    with ExitStack() as stack:
        association = stack.enter_context(passing.associated_with(forwarding))
        retrieve = passing.retrieve(forwarding) if forwarding.redirected is not None else None
        if retrieve is not None:
            stack.enter_context(passing.state.retrieves.under_way(retrieve))
        asking = Thread(
            target=_ask,
            args=(passing, association, forwarding),
            name=f"C-MOVE to {forwarding.holder}",
            daemon=True,
        )
        asking.start()
        try:
            yield
        finally:
            asking.join()
        if retrieve is not None:
            retrieve.wait()


def _ask(passing: Passing, association: Association, forwarding: Forwarding) -> None:
    """Ask another archive beside others, and count by its responses."""
    before: MoveResponse | None = None
    destination = forwarding.redirected or passing.exchange.request.destination
    for response in _responses(passing.exchange, association, destination):
        if forwarding.redirected is None:
            passing.counters.add(response, before)
        else:
            _take(passing, response, first=before is None)
        before = response
        if response.status != PENDING:
            return


def _take(passing: Passing, response: MoveResponse, *, first: bool) -> None:
    """Count a response of the archive that sends back here; pending ones go out once its first one has come."""
    passing.counters.answered(response)
    if first and response.status == PENDING:
        passing.pending.start()


def _relay(exchange: MoveExchange, association: Association) -> MoveResponse | Unanswered:
    """Relay every response of the other archive as it is (``ForwardRetrieveTask.BackwardCMoveRSP``).

    The requester hears no more when the other archive ends the association.
    """
    cancelled = False
    for response in _responses(exchange, association, exchange.request.destination):
        if response.status != PENDING:
            return response
        exchange.send(response)
        if exchange.is_cancelled and not cancelled:
            cancelled = True
            association.send_c_cancel(exchange.request.message_id, query_model=exchange.request.sop_class_uid)
    return Unanswered.NOTHING


def _re_forward(
    passing: Passing, association: Association, redirected: str, retrieve: ForwardedRetrieve
) -> MoveResponse:
    """Wait for the other archive's final response while its objects are forwarded as they arrive.

    A C-CANCEL is not passed on here, as in the real archive.
    """
    first = True
    for response in _responses(passing.exchange, association, redirected):
        _take(passing, response, first=first)
        first = False
        if response.status != PENDING:
            break
    retrieve.wait()
    passing.pending.stop()
    return passing.counters.final_of_external()


def _responses(exchange: MoveExchange, association: Association, destination: str) -> Iterator[MoveResponse]:
    """Yield the other archive's responses; ends without a final one when the association is lost."""
    request = exchange.request
    answers = association.send_c_move(
        request.identifier,
        destination,
        request.sop_class_uid,
        msg_id=request.message_id,
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
