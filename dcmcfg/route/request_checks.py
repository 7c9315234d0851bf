"""Checks that the archive makes before the study lookup: its own device, the caller, the Move Destination."""

from __future__ import annotations

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.route.ae_lookup import LookupFailure, UnresolvedAE, explain_load_failure, resolve_ae
from dcmcfg.route.capability_limits import accepts_moves
from dcmcfg.route.command import format_command
from dcmcfg.route.connection_matching import explain_rejection, suggest_acceptance_command
from dcmcfg.route.path import RouteFailure
from dcmcfg.route.request import RouteRequest
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION

UNKNOWN_DESTINATION = "A801"
DESTINATION_NOT_ALLOWED = "C801"


def check_request(request: RouteRequest, configuration: Configuration) -> RouteFailure | NetworkAE:
    """Return the reason for a refusal, or the destination; the checks run in the archive's order."""
    archive_ae = request.archive_ae
    if problem := explain_load_failure(archive_ae.device):
        reason = f"the archive cannot load its own device: {problem}"
        return RouteFailure(
            "no association", reason, "fix this problem (to see the details: dcmcfg check), then run dcmcfg reload"
        )
    if problem := explain_rejection(archive_ae, request.calling_ae_title):
        return RouteFailure(
            "association rejected",
            problem,
            f"{suggest_acceptance_command(archive_ae, request.calling_ae_title)}, or call another AE with --ae",
        )
    if not accepts_moves(archive_ae):
        reason = f"{archive_ae.title} has no SCP capability for C-MOVE, so it accepts no presentation context"
        return RouteFailure("no presentation context", reason, "call another AE with --ae")
    # The archive checks this list before the lookup, so an unlisted destination ends in C801 even if it is unknown.
    accepted = archive_ae.entry.texts(ACCEPTED_MOVE_DESTINATION)
    if accepted and request.destination_ae_title not in accepted:
        reason = f"{request.destination_ae_title} is not in dcmAcceptedMoveDestination of {archive_ae.title}"
        response = f"{DESTINATION_NOT_ALLOWED} Move Destination not allowed"
        value = f"dcmAcceptedMoveDestination+={request.destination_ae_title}"
        return RouteFailure(response, reason, format_command("set", archive_ae.qualified_title, value))
    destination = resolve_ae(configuration, request.destination_ae_title)
    return _create_unknown_destination(destination) if isinstance(destination, UnresolvedAE) else destination


def _create_unknown_destination(unresolved: UnresolvedAE) -> RouteFailure:
    match unresolved.failure:
        case LookupFailure.UNKNOWN:
            response = f"{UNKNOWN_DESTINATION} Unknown AE: {unresolved.ae_title}"
        case LookupFailure.NOT_INSTALLED:
            response = f"{UNKNOWN_DESTINATION} AE: {unresolved.ae_title} not installed"
        case LookupFailure.UNREADABLE:
            # The archive does not translate a RuntimeException of the lookup into a response (CommonCMoveSCP).
            response = "no response, the association ends"
    return RouteFailure(response, unresolved.reason, unresolved.next_step)
