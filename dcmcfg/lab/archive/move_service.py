"""The C-MOVE service of the stand-in archive: its checks, in their order.

Imitates ``CommonCMoveSCP`` and ``RetrieveServiceImpl``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.database import Instance
from dcmcfg.lab.archive.external_retrieve import Forwarding, Passing, asking_beside, pass_on
from dcmcfg.lab.archive.java_exceptions import (
    COMMENT_LENGTH,
    ConfigurationException,
    ConfigurationNotFoundException,
    IllegalArgumentException,
    JavaException,
    error_comment,
)
from dcmcfg.lab.archive.local_retrieve import send_local
from dcmcfg.lab.archive.pending_responses import pending_responses
from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.identifier import IdentifierMismatch, retrieve_level, root_of
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, Unanswered
from dcmcfg.lab.query import IDENTIFIER_MISMATCH, HeldInstance, selected
from dcmcfg.lab.requestor import AssociationFailed
from dcmcfg.lab.suboperations import SUCCESS, UNABLE_TO_PERFORM

MOVE_DESTINATION_UNKNOWN = 0xA801
MOVE_DESTINATION_NOT_ALLOWED = 0xC801
_log = logging.getLogger("archive.move")


@dataclass(frozen=True)
class _Plan:
    """What one C-MOVE comes to: archives asked ``beside`` what is ``local``, or the ``last`` one, which answers."""

    local: Sequence[Instance] = ()
    beside: tuple[Forwarding, ...] = ()
    last: Forwarding | None = None
    originator: str = ""
    retries: bool = False


def answer_move(state: ArchiveState, exchange: MoveExchange) -> MoveResponse | Unanswered:
    """Carry out a C-MOVE and return the final response, or what takes its place."""
    request = exchange.request
    response = _answer(state, exchange)
    _log.info(
        "C-MOVE from %s to %s of %s: %s",
        request.calling,
        request.destination,
        request.study_uid,
        response.value if isinstance(response, Unanswered) else f"{response.status:04X} {response.comment}".rstrip(),
    )
    return response


def _answer(state: ArchiveState, exchange: MoveExchange) -> MoveResponse | Unanswered:
    request = exchange.request
    called = state.device.called_ae(request.called)
    if called is None:  # it was there when the association was accepted
        return Unanswered.ABORT
    try:
        retrieve_level(request.identifier, root_of(request.sop_class_uid), relational=request.relational)
    except IdentifierMismatch as mismatch:
        return MoveResponse(IDENTIFIER_MISMATCH, str(mismatch)[:COMMENT_LENGTH], offending=mismatch.tag)
    if called.accepted_destinations and request.destination not in called.accepted_destinations:
        return MoveResponse(MOVE_DESTINATION_NOT_ALLOWED, "Move Destination not allowed")
    try:
        destination = state.cache.find_application_entity(request.destination)
    except ConfigurationNotFoundException as unknown:
        return MoveResponse(MOVE_DESTINATION_UNKNOWN, str(unknown.args[0])[:COMMENT_LENGTH])
    except ConfigurationException as unreadable:
        return MoveResponse(UNABLE_TO_PERFORM, error_comment(unreadable))
    except IllegalArgumentException as unreadable:
        _log.info("%s", unreadable)  # the archive does not convert it to a status, its connection ends
        return Unanswered.CLOSE
    return _retrieve(state, exchange, called, destination)


def _retrieve(
    state: ArchiveState, exchange: MoveExchange, called: NetworkAE, destination: NetworkAE
) -> MoveResponse | Unanswered:
    known = {each.uid: each for each in state.database.within(exchange.request.identifier)}
    held = (HeldInstance(each.header) for each in known.values())
    matching = [known[each.unique_key("IMAGE")] for each in selected(exchange.request.identifier, held)]
    if not matching:
        return _fall_back(state, exchange, called, destination)
    permitted = [each for each in matching if _is_permitted(called, destination, each)]
    dropped = 0 if called.restricts_silently else len(matching) - len(permitted)
    if not permitted:
        refusal = MoveResponse(UNABLE_TO_PERFORM, completed=0, failed=dropped, warning=0)
        return refusal if dropped else MoveResponse(SUCCESS)
    local = [each for each in permitted if each.is_local and each.storage_id in state.device.storages]
    elsewhere = [each for each in permitted if each not in local]
    counters = RetrieveCounters(len(permitted) + dropped)
    counters.drop(dropped)
    plan = _plan(state, exchange, called, local, elsewhere)
    if exchange.request.calling == called.alternative_move_scp:
        counters.total = len(local)
    with _passing(state, exchange, called, destination, counters, plan) as passing:
        response = _carry_out(passing, plan)
    if plan.retries and isinstance(response, MoveResponse):
        _remember(state, exchange, response)
    return response


@contextmanager
def _passing(
    state: ArchiveState,
    exchange: MoveExchange,
    called: NetworkAE,
    destination: NetworkAE,
    counters: RetrieveCounters,
    plan: _Plan,
) -> Iterator[Passing]:
    asked = (*plan.beside, plan.last) if plan.last else plan.beside
    comes_back = any(each.redirected is not None for each in asked)
    with pending_responses(exchange, counters, called.send_pending_interval_s) as pending:
        yield Passing(state, exchange, called, destination, counters, pending, comes_back)


def _is_permitted(called: NetworkAE, destination: NetworkAE, instance: Instance) -> bool:
    """Tell whether transfer capabilities let *instance* go: ours as SCU, the destination's as SCP if it lists any."""
    sop_class = str(instance.header.SOPClassUID)
    taken = not destination.lists_scp or destination.syntaxes(sop_class, "SCP") is not None
    return called.syntaxes(sop_class, "SCU") is not None and taken


def _fall_back(
    state: ArchiveState, exchange: MoveExchange, called: NetworkAE, destination: NetworkAE
) -> MoveResponse | Unanswered:
    """Answer for a study that is not known: nothing, or what dcmFallbackCMoveSCP makes of it."""
    if called.fallback_move_scp is None:
        return MoveResponse(SUCCESS)
    forwarding = _fallback(exchange, called)
    _log.info("no match, forwarded to %s", forwarding.holder)
    counters = RetrieveCounters(0)
    plan = _Plan(last=forwarding)
    with _passing(state, exchange, called, destination, counters, plan) as passing:
        response = _carry_out(passing, plan)
    if forwarding.redirected is not None and counters.completed and isinstance(response, MoveResponse):
        _remember(state, exchange, response)
    return response


def _fallback(exchange: MoveExchange, called: NetworkAE) -> Forwarding:
    calling = called.fallback_calling or exchange.request.calling
    return Forwarding(called.fallback_move_scp or "", calling, called.fallback_destination)


def _plan(
    state: ArchiveState, exchange: MoveExchange, called: NetworkAE, local: list[Instance], elsewhere: list[Instance]
) -> _Plan:
    """Return who is asked for what is not here, one after the other, and what is sent.

    The last archive is called under the requester's title where nothing is local, else under the AE's own.
    """
    requester = exchange.request.calling
    if requester == called.alternative_move_scp:
        return _Plan(local, originator=exchange.request.destination)
    beside = [_forwarding(called, requester, holder) for holder in _holders(called, elsewhere)]
    retries = _retries(state, exchange, called)
    if not local and not retries and beside:
        return _Plan(beside=tuple(beside[:-1]), last=beside[-1])
    if beside:
        beside[-1] = replace(beside[-1], calling=None)
    if not retries:
        return _Plan(local, tuple(beside), originator=requester)
    fallback = _fallback(exchange, called)
    _log.info("the study is not complete, asked of %s again", fallback.holder)
    if local:
        return _Plan(local, (*beside, fallback), originator=requester, retries=True)
    return _Plan(beside=tuple(beside), last=fallback, retries=True)


def _forwarding(called: NetworkAE, requester: str, holder: str) -> Forwarding:
    """Return how *holder* is asked; the Move Destination of the alternative is never replaced."""
    redirected = None if holder == called.alternative_move_scp else called.external_retrieve_destination
    return Forwarding(holder, requester, redirected)


def _holders(called: NetworkAE, elsewhere: list[Instance]) -> list[str]:
    """Return the AEs to ask; an instance that no AE can be asked for remains, and so fails."""
    holders = {called.alternative_move_scp if each.is_local else each.external_aet for each in elsewhere}
    return sorted(holder for holder in holders if holder is not None)


def _retries(state: ArchiveState, exchange: MoveExchange, called: NetworkAE) -> bool:
    if called.fallback_move_scp is None or called.fallback_destination is None:
        return False
    failed = state.database.failed_retrieves(exchange.request.study_uid)
    return failed is not None and (called.fallback_retries == 0 or failed < called.fallback_retries)


def _remember(state: ArchiveState, exchange: MoveExchange, response: MoveResponse) -> None:
    """Mark the study as complete or not by what the fallback retrieve came to."""
    study_uid = exchange.request.study_uid
    failed = state.database.failed_retrieves(study_uid) or 0
    state.database.set_failed_retrieves(study_uid, None if response.status == SUCCESS else failed + 1)


def _carry_out(passing: Passing, plan: _Plan) -> MoveResponse | Unanswered:
    """Ask the archives beside, then send what is local, or have the last archive answer."""
    try:
        with ExitStack() as asking:
            for forwarding in plan.beside:
                asking.enter_context(asking_beside(passing, forwarding))
            if plan.last is not None:
                return pass_on(passing, plan.last)
            completed = send_local(passing, plan.local, plan.originator)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM, error_comment(failure))
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM, error_comment(failure))
    passing.pending.stop()
    return passing.counters.final(cancelled=not completed)
