"""The C-MOVE service of the stand-in archive: its checks, in their order.

Imitates ``CommonCMoveSCP`` and ``RetrieveServiceImpl``.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.database import Instance
from dcmcfg.lab.archive.external_retrieve import Forwarding, Passing, asking_beside, pass_on
from dcmcfg.lab.archive.java import (
    ConfigurationException,
    ConfigurationNotFoundException,
    IllegalArgumentException,
    JavaException,
    text_of,
)
from dcmcfg.lab.archive.local_retrieve import send_local
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.identifier import IdentifierMismatch, retrieve_level, root_of
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.query import HeldInstance, selected
from dcmcfg.lab.query_scp import IDENTIFIER_MISMATCH
from dcmcfg.lab.requesting import AssociationFailed
from dcmcfg.lab.suboperations import SUCCESS, UNABLE_TO_PERFORM, SubOperations

MOVE_DESTINATION_UNKNOWN = 0xA801
MOVE_DESTINATION_NOT_ALLOWED = 0xC801
_log = logging.getLogger("archive.move")


def answer_move(state: ArchiveState, exchange: MoveExchange) -> MoveResponse | None:
    """Carry out a C-MOVE and return the final response; None when the archive would end without one."""
    request = exchange.request
    response = _answer(state, exchange)
    _log.info(
        "C-MOVE from %s to %s of %s: %s",
        request.calling,
        request.destination,
        request.study_uid,
        "association aborted" if response is None else f"{response.status:04X} {response.comment}".rstrip(),
    )
    return response


def _answer(state: ArchiveState, exchange: MoveExchange) -> MoveResponse | None:
    request = exchange.request
    called = state.device.called_ae(request.called)
    if called is None:  # it was there when the association was accepted
        return None
    try:
        retrieve_level(request.identifier, root_of(request.sop_class_uid), relational=request.relational)
    except IdentifierMismatch as mismatch:
        return MoveResponse(IDENTIFIER_MISMATCH, str(mismatch))
    if called.accepted_destinations and request.destination not in called.accepted_destinations:
        return MoveResponse(MOVE_DESTINATION_NOT_ALLOWED, "Move Destination not allowed")
    try:
        destination = state.cache.find_application_entity(request.destination)
    except ConfigurationNotFoundException as unknown:
        return MoveResponse(MOVE_DESTINATION_UNKNOWN, str(unknown.args[0]))
    except ConfigurationException as unreadable:
        return MoveResponse(UNABLE_TO_PERFORM, str(unreadable))
    except IllegalArgumentException as unreadable:
        _log.info("%s", unreadable)  # not converted to a status by the archive: the association just ends
        return None
    return _retrieve(state, exchange, called, destination)


def _retrieve(state: ArchiveState, exchange: MoveExchange, called: NetworkAE, destination: NetworkAE) -> MoveResponse:
    known = {each.uid: each for each in state.database.within(exchange.request.identifier)}
    held = (HeldInstance(each.header) for each in known.values())
    matching = [known[each.unique_key("IMAGE")] for each in selected(exchange.request.identifier, held)]
    if not matching:
        return _fall_back(state, exchange, called, destination)
    permitted = [each for each in matching if _is_permitted(called, destination, each)]
    dropped = len(matching) - len(permitted)
    if called.restricts_silently:
        dropped = 0
    if not permitted:
        return MoveResponse(UNABLE_TO_PERFORM, failed=dropped) if dropped else MoveResponse(SUCCESS)
    operations = SubOperations(len(permitted) + dropped)
    operations.fail(dropped)
    passing = Passing(state, exchange, called, destination, operations)
    local = [each for each in permitted if each.is_local and each.storage_id in state.device.storages]
    elsewhere = [each for each in permitted if each not in local]
    return _collect(passing, local, elsewhere)


def _is_permitted(called: NetworkAE, destination: NetworkAE, instance: Instance) -> bool:
    """Tell whether transfer capabilities let *instance* go: ours as SCU, the destination's as SCP if it lists any."""
    sop_class = str(instance.header.SOPClassUID)
    taken = not destination.lists_scp or destination.syntaxes(sop_class, "SCP") is not None
    return called.syntaxes(sop_class, "SCU") is not None and taken


def _fall_back(state: ArchiveState, exchange: MoveExchange, called: NetworkAE, destination: NetworkAE) -> MoveResponse:
    """Answer for a study that is not known: nothing, or what dcmFallbackCMoveSCP makes of it."""
    if called.fallback_move_scp is None:
        return MoveResponse(SUCCESS)
    passing = Passing(state, exchange, called, destination, SubOperations(0))
    forwarding = _fallback(exchange, called)
    _log.info("no match, forwarded to %s", forwarding.holder)
    response = pass_on(passing, forwarding)
    if forwarding.redirected is not None and passing.operations.completed:
        _remember(state, exchange, response)
    return response


def _fallback(exchange: MoveExchange, called: NetworkAE) -> Forwarding:
    calling = called.fallback_calling or exchange.request.calling
    return Forwarding(called.fallback_move_scp or "", calling, called.fallback_destination, 0)


def _collect(passing: Passing, local: list[Instance], elsewhere: list[Instance]) -> MoveResponse:
    """Ask for what is not here, the archives one after the other, and send what is.

    The last archive is called under the requester's title where nothing is local, else under the AE's own.
    """
    exchange, called = passing.exchange, passing.called
    requester = exchange.request.calling
    if requester == called.alternative_move_scp:
        return _send(passing, local, [], originator=exchange.request.destination)
    beside = [_forwarding(called, requester, *asked) for asked in _by_holder(called, elsewhere).items()]
    retry = _retries(passing)
    if not local and not retry and beside:
        return _send(passing, [], beside[:-1], last=beside[-1])
    if beside:
        beside[-1] = replace(beside[-1], calling=None)
    if not retry:
        return _send(passing, local, beside, originator=requester)
    fallback = _fallback(exchange, called)
    _log.info("the study is not complete, asked of %s again", fallback.holder)
    if local:
        response = _send(passing, local, [*beside, fallback], originator=requester)
    else:
        response = _send(passing, [], beside, last=fallback)
    _remember(passing.state, exchange, response)
    return response


def _forwarding(called: NetworkAE, requester: str, holder: str, objects: list[Instance]) -> Forwarding:
    """Return how *holder* is asked; the Move Destination of the alternative is never replaced."""
    redirected = None if holder == called.alternative_move_scp else called.external_retrieve_destination
    return Forwarding(holder, requester, redirected, len(objects))


def _by_holder(called: NetworkAE, elsewhere: list[Instance]) -> dict[str, list[Instance]]:
    """Return the AEs to ask with the objects that each is asked for; what nobody can be asked for is dropped."""
    found: dict[str, list[Instance]] = {}
    for each in elsewhere:
        holder = called.alternative_move_scp if each.is_local else each.external_aet
        if holder is not None:
            found.setdefault(holder, []).append(each)
    return dict(sorted(found.items()))


def _retries(passing: Passing) -> bool:
    called = passing.called
    if called.fallback_move_scp is None or called.fallback_destination is None:
        return False
    failed = passing.state.database.failed_retrieves(passing.exchange.request.study_uid)
    return failed is not None and (called.fallback_retries == 0 or failed < called.fallback_retries)


def _remember(state: ArchiveState, exchange: MoveExchange, response: MoveResponse) -> None:
    """Mark the study as complete or not by what the fallback retrieve came to."""
    study_uid = exchange.request.study_uid
    failed = state.database.failed_retrieves(study_uid) or 0
    state.database.set_failed_retrieves(study_uid, None if response.status == SUCCESS else failed + 1)


def _send(
    passing: Passing,
    local: list[Instance],
    beside: list[Forwarding],
    *,
    originator: str = "",
    last: Forwarding | None = None,
) -> MoveResponse:
    """Ask the archives *beside*, then send what is *local*, or have the *last* archive answer."""
    completed = True
    try:
        with ExitStack() as asking:
            for forwarding in beside:
                asking.enter_context(asking_beside(passing, forwarding))
            if last is not None:
                return pass_on(passing, last)
            if local:
                completed = send_local(passing, local, originator)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM, str(failure))
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM, text_of(failure))
    return passing.operations.final() if completed else passing.operations.cancelled()
