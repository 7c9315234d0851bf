"""What an archive looks at before it looks for the study: its own device, the caller, the Move Destination."""

from __future__ import annotations

from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.route.ae_lookup import Obstacle, Unresolved, does_not_load, resolve
from dcmcfg.route.capability_limits import takes_moves
from dcmcfg.route.command import command
from dcmcfg.route.connection_matching import letting_in, rejection
from dcmcfg.route.path import Failure
from dcmcfg.route.request import Question

UNKNOWN_DESTINATION = "A801"
DESTINATION_NOT_ALLOWED = "C801"


def refused(question: Question, configuration: Configuration) -> Failure | NetworkAE:
    """Return what refuses the request, or the destination: the checks of the archive in its order."""
    asked = question.asked
    if wrong := does_not_load(asked.device):
        why = f"the archive does not load its own device: {wrong}"
        return Failure("no association", why, "mend it (dcmcfg lint), then dcmcfg reload")
    if wrong := rejection(asked, question.calling):
        return Failure(
            "association rejected", wrong, f"{letting_in(asked, question.calling)}, or ask another AE with --ae"
        )
    if not takes_moves(asked):
        why = f"{asked.title} lists no C-MOVE as SCP, so no presentation context is accepted"
        return Failure("no presentation context", why, "ask another AE with --ae")
    accepted = asked.entry.texts("dcmAcceptedMoveDestination")
    if accepted and question.destination not in accepted:
        why = f"{question.destination} is not among dcmAcceptedMoveDestination of {asked.title}"
        answer = f"{DESTINATION_NOT_ALLOWED} Move Destination not allowed"
        value = f"dcmAcceptedMoveDestination={question.destination}"
        return Failure(answer, why, command("add-value", asked.qualified_title, value))
    found = resolve(configuration, question.destination)
    return _unknown_destination(found) if isinstance(found, Unresolved) else found


def _unknown_destination(found: Unresolved) -> Failure:
    match found.obstacle:
        case Obstacle.UNKNOWN:
            answer = f"{UNKNOWN_DESTINATION} Unknown AE: {found.title}"
        case Obstacle.NOT_INSTALLED:
            answer = f"{UNKNOWN_DESTINATION} AE: {found.title} not installed"
        case Obstacle.UNREADABLE:
            answer = "no response, the association ends"
    return Failure(answer, found.why, found.next_step)
