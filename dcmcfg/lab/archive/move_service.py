"""The C-MOVE service of the stand-in archive: the checks of the real archive in the same order.

Simulates ``CommonCMoveSCP`` and ``RetrieveServiceImpl``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import KW_ONLY, dataclass, replace

from dcmcfg.dicom.status import (
    IDENTIFIER_MISMATCH,
    MOVE_DESTINATION_NOT_ALLOWED,
    MOVE_DESTINATION_UNKNOWN,
    SUCCESS,
    UNABLE_TO_PERFORM_SUB_OPERATIONS,
)
from dcmcfg.lab.archive.configuration import NetworkAE
from dcmcfg.lab.archive.database import InstanceRecord
from dcmcfg.lab.archive.external_retrieve import ForwardContext, ForwardTarget, forward_move, forward_move_concurrently
from dcmcfg.lab.archive.java_exceptions import (
    MAX_COMMENT_LENGTH,
    ConfigurationException,
    ConfigurationNotFoundException,
    IllegalArgumentException,
    JavaException,
    make_error_comment,
)
from dcmcfg.lab.archive.local_retrieve import send_local_instances
from dcmcfg.lab.archive.pending_responses import send_pending_responses
from dcmcfg.lab.archive.retrieve_counters import RetrieveCounters
from dcmcfg.lab.archive.state import ArchiveState
from dcmcfg.lab.identifier import IdentifierMismatch, get_root_level, parse_retrieve_level
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse, NoFinalResponse
from dcmcfg.lab.query import QueryInstance, select_instances
from dcmcfg.lab.requestor import AssociationFailed

_log = logging.getLogger("archive.move")


@dataclass(frozen=True)
class _RetrievePlan:
    """The plan of one C-MOVE: instances to send, archives to call, and the final archive, whose response is used."""

    local_instances: Sequence[InstanceRecord] = ()
    concurrent_targets: tuple[ForwardTarget, ...] = ()
    _: KW_ONLY
    final_target: ForwardTarget | None = None
    originator_ae_title: str = ""
    is_retry: bool = False


def serve_move(state: ArchiveState, exchange: MoveExchange) -> MoveResponse | NoFinalResponse:
    """Serve a C-MOVE and return the final response or its replacement."""
    request = exchange.request
    response = _check_and_retrieve(state, exchange)
    _log.info(
        "C-MOVE from %s, destination %s, study %s: %s",
        request.calling_ae_title,
        request.destination_ae_title,
        request.study_uid,
        response.value
        if isinstance(response, NoFinalResponse)
        else f"{response.status:04X} {response.comment}".rstrip(),
    )
    return response


def _check_and_retrieve(state: ArchiveState, exchange: MoveExchange) -> MoveResponse | NoFinalResponse:
    request = exchange.request
    called = state.device.find_called_ae(request.called_ae_title)
    if called is None:  # the AE existed when the association was accepted
        return NoFinalResponse.ABORT
    try:
        parse_retrieve_level(
            request.identifier, get_root_level(request.sop_class_uid), relational=request.is_relational
        )
    except IdentifierMismatch as mismatch:
        return MoveResponse(IDENTIFIER_MISMATCH, str(mismatch)[:MAX_COMMENT_LENGTH], offending_element=mismatch.tag)
    # The order of these checks decides which status a request with several faults gets (CommonCMoveSCP).
    if called.accepted_destinations and request.destination_ae_title not in called.accepted_destinations:
        return MoveResponse(MOVE_DESTINATION_NOT_ALLOWED, "Move Destination not allowed")
    try:
        destination = state.cache.find_application_entity(request.destination_ae_title)
    except ConfigurationNotFoundException as unknown:
        return MoveResponse(MOVE_DESTINATION_UNKNOWN, str(unknown.args[0])[:MAX_COMMENT_LENGTH])
    except ConfigurationException as unreadable:
        return MoveResponse(UNABLE_TO_PERFORM_SUB_OPERATIONS, make_error_comment(unreadable))
    except IllegalArgumentException as unreadable:
        _log.info("%s", unreadable)  # the archive does not convert it to a status; its connection ends
        return NoFinalResponse.CLOSE_CONNECTION
    return _retrieve(state, exchange, called, destination)


def _retrieve(
    state: ArchiveState, exchange: MoveExchange, called: NetworkAE, destination: NetworkAE
) -> MoveResponse | NoFinalResponse:
    known = {each.sop_instance_uid: each for each in state.database.find_candidates(exchange.request.identifier)}
    query_instances = (QueryInstance(each.header) for each in known.values())
    matching = [
        known[each.unique_key("IMAGE")] for each in select_instances(exchange.request.identifier, query_instances)
    ]
    if not matching:
        return _retrieve_unknown_study(state, exchange, called, destination)
    permitted = [each for each in matching if _is_permitted(called, destination, each)]
    # With dcmRestrictRetrieveSilently, dropped objects do not count as failed (recording restricted-silently-local).
    dropped = 0 if called.restrict_retrieve_silently else len(matching) - len(permitted)
    if not permitted:
        refusal = MoveResponse(UNABLE_TO_PERFORM_SUB_OPERATIONS, completed=0, failed=dropped, warning=0)
        return refusal if dropped else MoveResponse(SUCCESS)
    # A file on a storage without configuration is not accessible (recording move-unconfigured-storage).
    local = [each for each in permitted if each.is_local and each.storage_id in state.device.storages]
    not_local = [each for each in permitted if each not in local]
    counters = RetrieveCounters(len(permitted) + dropped)
    counters.count_dropped(dropped)
    plan = _plan_retrieve(state, exchange, called, local=local, not_local=not_local)
    # Nothing is forwarded if dcmAltCMoveSCP itself is the requester, so only local objects count (CommonCMoveSCP).
    if exchange.request.calling_ae_title == called.alternative_move_scp:
        counters.total = len(local)
    with _open_context(
        state, exchange, called, destination=destination, counters=counters, plan=plan
    ) as forward_context:
        response = _execute(forward_context, plan)
    if plan.is_retry and isinstance(response, MoveResponse):
        _record_completeness(state, exchange, response)
    return response


@contextmanager
def _open_context(
    state: ArchiveState,
    exchange: MoveExchange,
    called: NetworkAE,
    *,
    destination: NetworkAE,
    counters: RetrieveCounters,
    plan: _RetrievePlan,
) -> Iterator[ForwardContext]:
    targets = (*plan.concurrent_targets, plan.final_target) if plan.final_target else plan.concurrent_targets
    returns_to_archive = any(each.destination_ae_title is not None for each in targets)
    with send_pending_responses(exchange, counters, called.send_pending_interval_s) as pending:
        yield ForwardContext(
            state=state,
            exchange=exchange,
            called_ae=called,
            destination_ae=destination,
            counters=counters,
            pending_sender=pending,
            returns_to_archive=returns_to_archive,
        )


def _is_permitted(called: NetworkAE, destination: NetworkAE, instance: InstanceRecord) -> bool:
    """Return whether transfer capabilities allow *instance*: the archive's as SCU, the destination's as SCP if any."""
    sop_class = str(instance.header.SOPClassUID)
    is_accepted = (
        not destination.has_scp_capabilities or destination.find_transfer_syntaxes(sop_class, "SCP") is not None
    )
    return called.find_transfer_syntaxes(sop_class, "SCU") is not None and is_accepted


def _retrieve_unknown_study(
    state: ArchiveState, exchange: MoveExchange, called: NetworkAE, destination: NetworkAE
) -> MoveResponse | NoFinalResponse:
    """Return the response for an unknown study: no matches, or the response of dcmFallbackCMoveSCP."""
    if called.fallback_move_scp is None:
        return MoveResponse(SUCCESS)
    target = _make_fallback_target(exchange, called)
    _log.info("no match, forwarded to %s", target.target_ae_title)
    counters = RetrieveCounters(0)
    plan = _RetrievePlan(final_target=target)
    with _open_context(
        state, exchange, called, destination=destination, counters=counters, plan=plan
    ) as forward_context:
        response = _execute(forward_context, plan)
    if target.destination_ae_title is not None and counters.completed and isinstance(response, MoveResponse):
        _record_completeness(state, exchange, response)
    return response


def _make_fallback_target(exchange: MoveExchange, called: NetworkAE) -> ForwardTarget:
    calling = called.fallback_calling_ae_title or exchange.request.calling_ae_title
    return ForwardTarget(called.fallback_move_scp or "", calling, called.fallback_destination)


def _plan_retrieve(
    state: ArchiveState,
    exchange: MoveExchange,
    called: NetworkAE,
    *,
    local: list[InstanceRecord],
    not_local: list[InstanceRecord],
) -> _RetrievePlan:
    """Return the plan: the archives to call one after another for missing instances, and the instances to send.

    The last archive is called under the requester's title if nothing is local, else under the AE's own title.
    """
    requester = exchange.request.calling_ae_title
    if requester == called.alternative_move_scp:
        return _RetrievePlan(local, originator_ae_title=exchange.request.destination_ae_title)
    targets = [_make_target(called, requester, holder) for holder in _list_target_ae_titles(called, not_local)]
    retries = _should_retry(state, exchange, called)
    if not local and not retries and targets:
        return _RetrievePlan(concurrent_targets=tuple(targets[:-1]), final_target=targets[-1])
    if targets:
        # In a mixed retrieve, the last request has the archive's own title. Its objects match no retrieve without a
        # mapping.
        targets[-1] = replace(targets[-1], calling_ae_title=None)
    if not retries:
        return _RetrievePlan(local, tuple(targets), originator_ae_title=requester)
    fallback = _make_fallback_target(exchange, called)
    _log.info("the study is not complete: sending another C-MOVE to %s", fallback.target_ae_title)
    if local:
        return _RetrievePlan(local, (*targets, fallback), originator_ae_title=requester, is_retry=True)
    return _RetrievePlan(concurrent_targets=tuple(targets), final_target=fallback, is_retry=True)


def _make_target(called: NetworkAE, requester: str, target_ae_title: str) -> ForwardTarget:
    """Return the target for *target_ae_title*; the Move Destination for dcmAltCMoveSCP is never replaced."""
    redirected = None if target_ae_title == called.alternative_move_scp else called.external_retrieve_destination
    return ForwardTarget(target_ae_title, requester, redirected)


def _list_target_ae_titles(called: NetworkAE, not_local: list[InstanceRecord]) -> list[str]:
    """Return the AEs to call. Instances without such an AE remain and therefore fail."""
    holders = {called.alternative_move_scp if each.is_local else each.external_aet for each in not_local}
    return sorted(holder for holder in holders if holder is not None)


def _should_retry(state: ArchiveState, exchange: MoveExchange, called: NetworkAE) -> bool:
    if called.fallback_move_scp is None or called.fallback_destination is None:
        return False
    failed = state.database.get_failed_retrieves(exchange.request.study_uid)
    return failed is not None and (called.fallback_retries == 0 or failed < called.fallback_retries)


def _record_completeness(state: ArchiveState, exchange: MoveExchange, response: MoveResponse) -> None:
    """Mark the study as complete or incomplete, by the result of the fallback retrieve."""
    study_uid = exchange.request.study_uid
    failed = state.database.get_failed_retrieves(study_uid) or 0
    state.database.set_failed_retrieves(study_uid, None if response.status == SUCCESS else failed + 1)


def _execute(forward_context: ForwardContext, plan: _RetrievePlan) -> MoveResponse | NoFinalResponse:
    """Call the concurrent targets, then send local instances, or return the response of the final target."""
    try:
        with ExitStack() as stack:
            for target in plan.concurrent_targets:
                stack.enter_context(forward_move_concurrently(forward_context, target))
            if plan.final_target is not None:
                return forward_move(forward_context, plan.final_target)
            completed = send_local_instances(forward_context, plan.local_instances, plan.originator_ae_title)
    except JavaException as failure:
        return MoveResponse(UNABLE_TO_PERFORM_SUB_OPERATIONS, make_error_comment(failure))
    except AssociationFailed as failure:
        return MoveResponse(UNABLE_TO_PERFORM_SUB_OPERATIONS, make_error_comment(failure))
    # No pending response may follow the final one.
    forward_context.pending_sender.stop()
    return forward_context.counters.make_final_response(cancelled=not completed)
