"""What to do where the destination was refused, by the archive or by the external archive behind it (A801, C801)."""

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
    if case.is_contradicted:
        return
    if case.report.status == MOVE_DESTINATION_NOT_ALLOWED:
        yield from _advise_on_not_allowed(case)
    elif case.report.status == MOVE_DESTINATION_UNKNOWN:
        yield from _advise_on_unknown_destination(case)


def _advise_on_not_allowed(case: AdviceCase) -> Iterator[str]:
    accepted, archive = case.evidence.route.accepted_move_destinations, f"AE:{case.archive_ae_title}"
    if not accepted or case.destination in accepted:
        setting = f"lists {case.destination}" if accepted else "is not set, which allows any"
        yield (
            f"in the tree {ACCEPTED_MOVE_DESTINATION} of {case.archive_ae_title} {setting}: "
            "the archive has not loaded that, so dcmcfg reload; "
            "where that does not help, it reads another directory (dcmcfg status --directory)"
        )
        return
    yield (
        f"{case.archive_ae_title} takes only the destinations in its {ACCEPTED_MOVE_DESTINATION} "
        f"({_abbreviate_titles(accepted)}): "
        f"{format_command('set', archive, f'{ACCEPTED_MOVE_DESTINATION}+={case.destination}')} "
        "allows this one, too"
    )
    for similar_title in suggest_names(case.destination, accepted):
        remove = format_command("set", archive, f"{ACCEPTED_MOVE_DESTINATION}-={similar_title}")
        yield (
            f"{ACCEPTED_MOVE_DESTINATION} has {similar_title}, which is spelt almost like {case.destination}: "
            f"if that is a slip, {remove} takes it away"
        )


def _abbreviate_titles(titles: tuple[str, ...]) -> str:
    more = len(titles) - _MAX_NAMED_TITLES
    return ", ".join(titles[:_MAX_NAMED_TITLES]) + (f" and {more} more" if more > 0 else "")


def _advise_on_unknown_destination(case: AdviceCase) -> Iterator[str]:
    if is_refused_by_archive(case.evidence):
        yield from _advise_on_unknown_to_archive(case)
    elif _find_refused_destination(case) != get_external_move_destination(case.evidence):
        yield (
            f"per its log, {_find_refusing_archive(case)} does not know {_find_refused_destination(case)}, while "
            "the tree has the archive ask for "
            f"{get_external_move_destination(case.evidence)}: the archive may not have loaded what the tree says, "
            "so dcmcfg reload, "
            "then verify with another study"
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
            "the archive passed the request on with its original destination, and the external archive does not "
            f"know {case.destination}: {case.external_retrieve_command} has the external archive send to the archive "
            "instead"
        )
        yield (
            f"or the other administrator enters {case.destination} there: {case.work_order_command} tells with "
            "which address"
        )
    elif case.evidence.route.misrouting_reason:
        yield case.misrouting_advice
    else:
        yield (
            f"the external archive does not know {case.external_retrieve_destination} "
            "(dcmExternalRetrieveAEDestination on "
            f"{case.evidence.route.destination_source}): its administrator must enter "
            f"{case.external_retrieve_destination} there, with the archive's "
            f"host and DICOM port; {case.work_order_command} tells which"
        )


def _advise_on_unknown_to_archive(case: AdviceCase) -> Iterator[str]:
    route, title = case.evidence.route, case.destination
    if unresolved_reason := route.get_unresolved_reason(title):
        yield f"{unresolved_reason}; then dcmcfg reload"
    elif not route.move_destination_known:
        suggestion = (
            f" (case counts): did you mean {', '.join(route.similar_ae_titles)}? Else"
            if route.similar_ae_titles
            else ":"
        )
        yield (
            f"the tree has no AE {title}{suggestion} dcmcfg ae add {case.quoted_destination}@HOST:PORT creates it, and "
            "has the archive "
            "reload"
        )
    else:
        yield (
            f"the tree has {title}, so the archive has not loaded it: dcmcfg reload, for it remembers unknown titles "
            "(dcmAECacheStaleTimeout)"
        )


def _advise_on_unknown_to_either(case: AdviceCase) -> Iterator[str]:
    """The archive and an external dcm4chee archive say it in the same words, and either can be meant."""
    yield (
        f"most likely it is {case.external_description} that does not know {case.destination}, to which it is asked "
        "to send "
        "itself: "
        f"its administrator must enter it ({case.work_order_command} tells how), or "
        f"{case.external_retrieve_command} has it send "
        "to the archive instead"
    )
    yield from _advise_if_archive_refused(case)


def _advise_on_unknown_to_fallback(case: AdviceCase) -> Iterator[str]:
    title = _find_refused_destination(case)
    explanation = (
        f"the archive does not know the study, so it asked its fallback archive {_find_refusing_archive(case)} "
        f"(dcmFallbackCMoveSCP) to send to {title}, which {_find_refusing_archive(case)} does not know"
    )
    if title != case.destination:
        yield (
            f"{explanation}: its administrator must enter {title} there, with the archive's host and DICOM port; "
            f"{case.work_order_command} tells which"
        )
        return
    yield (
        f"{explanation}: its administrator must enter {title} there; {case.work_order_command} tells with which address"
    )
    command = format_command("set", case.device_name, f"dcmFallbackCMoveSCPDestination={case.archive_ae_title}")
    yield f"or {command} has {_find_refusing_archive(case)} send to the archive instead, which forwards it to {title}"
    yield from _advise_if_archive_refused(case)


def _advise_on_unknown_to_alternative(case: AdviceCase) -> Iterator[str]:
    """Its AE is asked with the destination of the request, whatever dcmExternalRetrieveAEDestination is."""
    title = _find_refused_destination(case)
    yield (
        f"the archive asked {_find_refusing_archive(case)} (dcmAltCMoveSCP) to send to {title}, which "
        f"{_find_refusing_archive(case)} does not "
        f"know: its administrator must enter {title} there; {case.work_order_command} tells with which address"
    )
    yield from _advise_if_archive_refused(case)


def _find_refusing_archive(case: AdviceCase) -> str:
    """Return the archive that does not know the destination, per its log or else by the tree."""
    record = find_external_refusal(case.evidence)
    return (record.called_ae_title if record else "") or ", ".join(sorted(find_candidate_archives(case.evidence)))


def _find_refused_destination(case: AdviceCase) -> str:
    """Return the Move Destination that the other archive does not know, per its log or else by the tree."""
    record = find_external_refusal(case.evidence)
    return (record.destination_ae_title if record else "") or get_external_move_destination(case.evidence)


def _advise_if_archive_refused(case: AdviceCase) -> Iterator[str]:
    """Another dcm4chee archive answers in the same words as the archive itself."""
    if find_external_refusal(case.evidence) is None and _is_archive_wording(case):
        yield (
            "if its log shows no such request, it was the archive: dcmcfg reload, for it remembers unknown titles "
            "(dcmAECacheStaleTimeout)"
        )


def _is_archive_wording(case: AdviceCase) -> bool:
    return case.evidence.outcome.comment == f"Unknown AE: {case.destination}"
