"""The C-MOVE service of the stand-in archive: its checks, in their order.

Imitates ``CommonCMoveSCP`` and ``RetrieveServiceImpl``.
"""

from __future__ import annotations

import logging

from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.external_retrieve import retrieve_externally
from dcmcfg.lab.archive.java import (
    ConfigurationException,
    ConfigurationNotFoundException,
    IllegalArgumentException,
)
from dcmcfg.lab.archive.local_retrieve import retrieve_locally
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.identifier import IdentifierMismatch, retrieve_level, root_of
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.query import HeldInstance, selected
from dcmcfg.lab.query_scp import IDENTIFIER_MISMATCH
from dcmcfg.lab.suboperations import SUCCESS, UNABLE_TO_PERFORM

MOVE_DESTINATION_UNKNOWN = 0xA801
MOVE_DESTINATION_NOT_ALLOWED = 0xC801
_SEVERAL = "dcmcfg lab: more than one external archive is not imitated"
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
    known = {each.uid: each for each in state.database.all()}
    held = (HeldInstance(each.header) for each in known.values())
    matching = [known[each.unique_key("IMAGE")] for each in selected(exchange.request.identifier, held)]
    if not matching:
        return MoveResponse(SUCCESS)
    local = [each for each in matching if each.is_local]
    purged = [each for each in matching if not each.is_local]
    if local:
        return retrieve_locally(state, exchange, called, destination, local, purged)
    holders = sorted({each.external_aet for each in purged})
    if len(holders) > 1:
        return MoveResponse(UNABLE_TO_PERFORM, _SEVERAL, failed=len(purged))
    return retrieve_externally(state, exchange, called, destination, purged, holders[0])
