"""Advice for a destination refused by the archive, or by the external archive behind it (A801, C801)."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.dicom.status import MOVE_DESTINATION_NOT_ALLOWED, MOVE_DESTINATION_UNKNOWN
from dcmcfg.route.command import format_command
from dcmcfg.schema_names import ACCEPTED_MOVE_DESTINATION
from dcmcfg.suggestions import suggest_names
from dcmcfg.verify.advice.case import AdviceCase
from dcmcfg.verify.called_ae import find_candidate_archives, find_external_refusal, is_refused_by_archive
from dcmcfg.verify.external_request import get_external_move_destination, is_alternative_used

_MAX_NAMED_TITLES = 5


def suggest_steps(case: AdviceCase) -> Iterator[str]:
    # The module actual_path advises on a contradicted route.
    if case.is_contradicted:
        return
    if case.report.status == MOVE_DESTINATION_NOT_ALLOWED:
        yield from _advise_on_not_allowed(case)
    elif case.report.status == MOVE_DESTINATION_UNKNOWN:
        yield from _advise_on_unknown_destination(case)


def _advise_on_not_allowed(case: AdviceCase) -> Iterator[str]:
    accepted, archive = case.evidence.route.accepted_move_destinations, f"AE:{case.archive_ae_title}"
    # The tree would allow the destination, so the archive uses another state of the tree.
    if not accepted or case.destination in accepted:
        setting = f"lists {case.destination}" if accepted else "is not set, so any destination is allowed"
        yield (
            f"in LDAP, {ACCEPTED_MOVE_DESTINATION} of {case.archive_ae_title} {setting}. But the archive still uses an "
            "older configuration: run dcmcfg reload. If the error remains, the archive reads another LDAP directory. "
            "To check, run dcmcfg status --directory"
        )
        return
    yield (
        f"{case.archive_ae_title} accepts only the destinations in its {ACCEPTED_MOVE_DESTINATION} "
        f"({_abbreviate_titles(accepted)}). To add {case.destination}: "
        f"{format_command('set', archive, f'{ACCEPTED_MOVE_DESTINATION}+={case.destination}')}"
    )
    for similar_title in suggest_names(case.destination, accepted):
        remove = format_command("set", archive, f"{ACCEPTED_MOVE_DESTINATION}-={similar_title}")
        yield (
            f"{ACCEPTED_MOVE_DESTINATION} has {similar_title}, which is similar to {case.destination}. If "
            f"{similar_title} is a typo, remove this value: {remove}"
        )


def _abbreviate_titles(titles: tuple[str, ...]) -> str:
    more = len(titles) - _MAX_NAMED_TITLES
    return ", ".join(titles[:_MAX_NAMED_TITLES]) + (f" and {more} more" if more > 0 else "")


def _advise_on_unknown_destination(case: AdviceCase) -> Iterator[str]:
    if is_refused_by_archive(case.evidence):
        yield from _advise_on_unknown_to_archive(case)
    elif _find_refused_destination(case) != get_external_move_destination(case.evidence):
        yield (
            f"{_find_refusing_archive(case)} does not know {_find_refused_destination(case)} (per its log), but in the "
            f"tree the Move Destination is {get_external_move_destination(case.evidence)}. The archive may not have "
            "loaded the current tree: run dcmcfg reload, then verify with another study"
        )
    elif case.is_fallback_used:
        yield from _advise_on_unknown_to_fallback(case)
    elif is_alternative_used(case.evidence):
        yield from _advise_on_unknown_to_alternative(case)
    elif (
        case.external_retrieve_destination is None
        and find_external_refusal(case.evidence) is None
        and _is_archive_wording(case)
    ):
        yield from _advise_on_unknown_to_either(case)
    elif case.external_retrieve_destination is None:
        yield (
            "the archive passed the request on with the original Move Destination, but the external archive does not "
            f"know {case.destination}. To route the study through the archive instead: {case.external_retrieve_command}"
        )
        yield (
            f"or ask the administrator of the external archive to add the AE {case.destination}. To see the address "
            f"of this AE, run {case.work_order_command}"
        )
    elif case.evidence.route.misrouting is not None:
        yield case.misrouting_advice
    else:
        yield (
            f"the external archive does not know {case.external_retrieve_destination} "
            f"(dcmExternalRetrieveAEDestination on {case.evidence.route.destination_source}): the administrator of the "
            f"external archive must add the AE {case.external_retrieve_destination}. To see the host and DICOM port of "
            f"{case.external_retrieve_destination}, run {case.work_order_command}"
        )


def _advise_on_unknown_to_archive(case: AdviceCase) -> Iterator[str]:
    route, title = case.evidence.route, case.destination
    if unresolved_reason := route.get_unresolved_reason(title):
        yield f"{unresolved_reason}; then run dcmcfg reload"
    elif not route.move_destination_known:
        suggestion = (
            f"AE titles are case-sensitive: did you mean {', '.join(route.similar_ae_titles)}? Otherwise create"
            if route.similar_ae_titles
            else "Create"
        )
        yield (
            f"the tree has no AE {title}. {suggestion} the AE {title} and reload the archive: dcmcfg ae add "
            f"{case.quoted_destination}@HOST:PORT"
        )
    else:
        yield (
            f"the tree has the AE {title}, but the archive has not loaded this AE. The archive caches unknown AE "
            "titles (dcmAECacheStaleTimeout), so run dcmcfg reload"
        )


def _advise_on_unknown_to_either(case: AdviceCase) -> Iterator[str]:
    """Advise if the wording does not show which archive refused: an external dcm4chee archive uses the same."""
    yield (
        f"most likely, {case.external_description} sends directly to the destination, but does not know the AE "
        f"{case.destination}. The administrator of the external archive must add this AE. To see the settings, run "
        f"{case.work_order_command}. To route the study through the archive instead: {case.external_retrieve_command}"
    )
    yield from _advise_if_archive_refused(case)


def _advise_on_unknown_to_fallback(case: AdviceCase) -> Iterator[str]:
    title = _find_refused_destination(case)
    explanation = (
        "the archive does not know the study, so it sent a C-MOVE to its fallback archive "
        f"{_find_refusing_archive(case)} (dcmFallbackCMoveSCP). {_find_refusing_archive(case)} does not know the "
        f"Move Destination {title}"
    )
    if case.fallback_misrouting_advice:
        yield f"{explanation}. {case.fallback_misrouting_advice}"
        return
    if title != case.destination:
        yield (
            f"{explanation}. The administrator of the fallback archive must add the AE {title}. To see the host and "
            f"DICOM port of {title}, run {case.work_order_command}"
        )
        return
    yield (
        f"{explanation}. The administrator of the fallback archive must add {title}. To see the address, run "
        f"{case.work_order_command}"
    )
    command = format_command("set", case.device_name, f"dcmFallbackCMoveSCPDestination={case.archive_ae_title}")
    yield (
        f"or run {command}. Then {_find_refusing_archive(case)} sends the study to the archive, and the archive "
        f"forwards the study to {title}"
    )
    yield from _advise_if_archive_refused(case)


def _advise_on_unknown_to_alternative(case: AdviceCase) -> Iterator[str]:
    """Advise on dcmAltCMoveSCP, which always gets the Move Destination of the request."""
    title = _find_refused_destination(case)
    yield (
        f"the archive sent a C-MOVE to {_find_refusing_archive(case)} (dcmAltCMoveSCP), but "
        f"{_find_refusing_archive(case)} does not know the Move Destination {title}. The administrator of "
        f"{_find_refusing_archive(case)} must add {title}. To see the address, run {case.work_order_command}"
    )
    yield from _advise_if_archive_refused(case)


def _find_refusing_archive(case: AdviceCase) -> str:
    """Return the archive that does not know the destination, per its log, otherwise according to the tree."""
    record = find_external_refusal(case.evidence)
    return (record.called_ae_title if record else "") or ", ".join(sorted(find_candidate_archives(case.evidence)))


def _find_refused_destination(case: AdviceCase) -> str:
    """Return the Move Destination that is unknown to the other archive, per its log, otherwise from the tree."""
    record = find_external_refusal(case.evidence)
    return (record.destination_ae_title if record else "") or get_external_move_destination(case.evidence)


def _advise_if_archive_refused(case: AdviceCase) -> Iterator[str]:
    """Advise on a refusal by the archive itself, whose wording an external dcm4chee archive shares."""
    if find_external_refusal(case.evidence) is None and _is_archive_wording(case):
        yield (
            "if the log of the external archive shows no C-MOVE request for this study, the archive itself refused the "
            "destination. "
            "The archive caches unknown AE titles (dcmAECacheStaleTimeout), so run dcmcfg reload"
        )


def _is_archive_wording(case: AdviceCase) -> bool:
    return case.evidence.outcome.comment == f"Unknown AE: {case.destination}"
