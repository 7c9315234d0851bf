"""What an archive looks at before it looks for the study: its own device, the caller, the Move Destination."""

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
    """Return what refuses the request, or the destination: the checks of the archive in its order."""
    asked = request.archive_ae
    if wrong := explain_load_failure(asked.device):
        why = f"the archive does not load its own device: {wrong}"
        return RouteFailure("no association", why, "mend it (dcmcfg lint), then dcmcfg reload")
    if wrong := explain_rejection(asked, request.calling_ae_title):
        return RouteFailure(
            "association rejected",
            wrong,
            f"{suggest_acceptance_command(asked, request.calling_ae_title)}, or ask another AE with --ae",
        )
    if not accepts_moves(asked):
        why = f"{asked.title} lists no C-MOVE as SCP, so no presentation context is accepted"
        return RouteFailure("no presentation context", why, "ask another AE with --ae")
    accepted = asked.entry.texts(ACCEPTED_MOVE_DESTINATION)
    if accepted and request.destination_ae_title not in accepted:
        why = f"{request.destination_ae_title} is not among dcmAcceptedMoveDestination of {asked.title}"
        answer = f"{DESTINATION_NOT_ALLOWED} Move Destination not allowed"
        value = f"dcmAcceptedMoveDestination={request.destination_ae_title}"
        return RouteFailure(answer, why, format_command("add-value", asked.qualified_title, value))
    found = resolve_ae(configuration, request.destination_ae_title)
    return _unknown_destination(found) if isinstance(found, UnresolvedAE) else found


def _unknown_destination(found: UnresolvedAE) -> RouteFailure:
    match found.failure:
        case LookupFailure.UNKNOWN:
            answer = f"{UNKNOWN_DESTINATION} Unknown AE: {found.ae_title}"
        case LookupFailure.NOT_INSTALLED:
            answer = f"{UNKNOWN_DESTINATION} AE: {found.ae_title} not installed"
        case LookupFailure.UNREADABLE:
            answer = "no response, the association ends"
    return RouteFailure(answer, found.reason, found.next_step)
