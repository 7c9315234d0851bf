"""What to do where the destination was refused, by the archive or by the external archive behind it (A801, C801)."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.route.command import command
from dcmcfg.suggestions import near_misses
from dcmcfg.verify.advice.case import Case
from dcmcfg.verify.called_ae import DESTINATION_UNKNOWN, NOT_ALLOWED, holders, refused_by_the_archive, refused_elsewhere
from dcmcfg.verify.external_request import asked_alternative, move_destination

_ACCEPTED = "dcmAcceptedMoveDestination"
_NAMED = 5


def steps(case: Case) -> Iterator[str]:
    if case.contradicted:
        return
    if case.reported.status == NOT_ALLOWED:
        yield from _not_allowed(case)
    elif case.reported.status == DESTINATION_UNKNOWN:
        yield from _unknown(case)


def _not_allowed(case: Case) -> Iterator[str]:
    accepted, archive = case.evidence.route.accepted, f"AE:{case.archive}"
    if not accepted or case.destination in accepted:
        has = f"lists {case.destination}" if accepted else "is not set, which allows any"
        yield (
            f"in the tree {_ACCEPTED} of {case.archive} {has}: the archive has not loaded that, so dcmcfg reload; "
            "where that does not help, it reads another directory (dcmcfg status --directory)"
        )
        return
    yield (
        f"{case.archive} takes only the destinations in its {_ACCEPTED} ({_some(accepted)}): "
        f"{command('add-value', archive, f'{_ACCEPTED}={case.destination}')} allows this one, too"
    )
    for near in near_misses(case.destination, accepted):
        yield (
            f"{_ACCEPTED} has {near}, which is spelt almost like {case.destination}: "
            f"if that is a slip, {command('remove-value', archive, f'{_ACCEPTED}={near}')} takes it away"
        )


def _some(titles: tuple[str, ...]) -> str:
    more = len(titles) - _NAMED
    return ", ".join(titles[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _unknown(case: Case) -> Iterator[str]:
    if refused_by_the_archive(case.evidence):
        yield from _unknown_to_the_archive(case)
    elif _refused(case) != move_destination(case.evidence):
        yield (
            f"per its log, {_refusing(case)} does not know {_refused(case)}, while the tree has the archive ask for "
            f"{move_destination(case.evidence)}: the archive may not have loaded what the tree says, so dcmcfg reload, "
            "then verify with another study"
        )
    elif case.asked_fallback:
        yield from _unknown_to_the_fallback(case)
    elif asked_alternative(case.evidence):
        yield from _unknown_to_the_alternative(case)
    elif case.back_to is None and refused_elsewhere(case.evidence) is None and _in_own_words(case):
        yield from _unknown_to_either(case)
    elif case.back_to is None:
        yield (
            "the archive passed the request on with its original destination, and the external archive does not "
            f"know {case.destination}: {case.set_external_retrieve} has the external archive send to the archive "
            "instead"
        )
        yield f"or the other administrator enters {case.destination} there: {case.work_order} tells with which address"
    elif case.evidence.route.astray:
        yield case.astray
    else:
        yield (
            f"the external archive does not know {case.back_to} (dcmExternalRetrieveAEDestination on "
            f"{case.evidence.route.source}): its administrator must enter {case.back_to} there, with the archive's "
            f"host and DICOM port; {case.work_order} tells which"
        )


def _unknown_to_the_archive(case: Case) -> Iterator[str]:
    route, title = case.evidence.route, case.destination
    if hidden := route.why_hidden(title):
        yield f"{hidden}; then dcmcfg reload"
    elif not route.destination_known:
        near = (
            f" (case counts): did you mean {', '.join(route.near_destination)}? Else" if route.near_destination else ":"
        )
        yield (
            f"the tree has no AE {title}{near} dcmcfg ae add {case.quoted}@HOST:PORT creates it, and has the archive "
            "reload"
        )
    else:
        yield (
            f"the tree has {title}, so the archive has not loaded it: dcmcfg reload, for it remembers unknown titles "
            "(dcmAECacheStaleTimeout)"
        )


def _unknown_to_either(case: Case) -> Iterator[str]:
    """The archive and an external dcm4chee archive say it in the same words, and either can be meant."""
    yield (
        f"most likely it is {case.external} that does not know {case.destination}, to which it is asked to send "
        "itself: "
        f"its administrator must enter it ({case.work_order} tells how), or {case.set_external_retrieve} has it send "
        "to the archive instead"
    )
    yield from _if_it_was_the_archive(case)


def _unknown_to_the_fallback(case: Case) -> Iterator[str]:
    title = _refused(case)
    asked = (
        f"the archive does not know the study, so it asked its fallback archive {_refusing(case)} "
        f"(dcmFallbackCMoveSCP) to send to {title}, which {_refusing(case)} does not know"
    )
    if title != case.destination:
        yield (
            f"{asked}: its administrator must enter {title} there, with the archive's host and DICOM port; "
            f"{case.work_order} tells which"
        )
        return
    yield f"{asked}: its administrator must enter {title} there; {case.work_order} tells with which address"
    back = command("set", case.device, f"dcmFallbackCMoveSCPDestination={case.archive}")
    yield f"or {back} has {_refusing(case)} send to the archive instead, which forwards it to {title}"
    yield from _if_it_was_the_archive(case)


def _unknown_to_the_alternative(case: Case) -> Iterator[str]:
    """Its AE is asked with the destination of the request, whatever dcmExternalRetrieveAEDestination is."""
    title = _refused(case)
    yield (
        f"the archive asked {_refusing(case)} (dcmAltCMoveSCP) to send to {title}, which {_refusing(case)} does not "
        f"know: its administrator must enter {title} there; {case.work_order} tells with which address"
    )
    yield from _if_it_was_the_archive(case)


def _refusing(case: Case) -> str:
    """Return the archive that does not know the destination, per its log or else by the tree."""
    record = refused_elsewhere(case.evidence)
    return (record.called if record else "") or ", ".join(sorted(holders(case.evidence)))


def _refused(case: Case) -> str:
    """Return the Move Destination that the other archive does not know, per its log or else by the tree."""
    record = refused_elsewhere(case.evidence)
    return (record.destination if record else "") or move_destination(case.evidence)


def _if_it_was_the_archive(case: Case) -> Iterator[str]:
    """Another dcm4chee archive answers in the same words as the archive itself."""
    if refused_elsewhere(case.evidence) is None and _in_own_words(case):
        yield (
            "if its log shows no such request, it was the archive: dcmcfg reload, for it remembers unknown titles "
            "(dcmAECacheStaleTimeout)"
        )


def _in_own_words(case: Case) -> bool:
    return case.evidence.outcome.comment == f"Unknown AE: {case.destination}"
