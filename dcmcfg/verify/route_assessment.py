"""The assessment of the route by which the instances came: shown, not shown or contradicted.

It weighs the C-MOVEs in the log of the external archive, or of the archive itself. It also compares the files after the
move, and the callers of the receiver, with the route that the tree configures.
"""

from __future__ import annotations

from collections.abc import Iterable

from dcmcfg.dicom.status import CANCELLED, MOVE_DESTINATION_NOT_ALLOWED, SUCCESS, WARNING_RANGE
from dcmcfg.verify.called_ae import is_refused_by_archive
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.local_files import (
    FileLocality,
    RouteReasons,
    count_recalled,
    find_recorded_archives,
    has_complete_database_evidence,
    locate_files_before_move,
    weigh_files,
)
from dcmcfg.verify.verdict import RouteAssessment, RouteFinding, format_instance_count

_OWN_RECORD = "the external archive's own record"


def select_records_of_run(evidence: Evidence) -> tuple[MoveRecord, ...]:
    """Return the records of the study that can be this run's."""
    return tuple(
        record for record in evidence.move_records or () if record.study_uid and _may_be_from_this_run(evidence, record)
    )


def _may_be_from_this_run(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether the caller can be the archive: it calls with our title, one of its own or one it is set.

    The archive's own log shows whether it is. A caller that the log does not name can be any AE.
    """
    titles = {evidence.request.calling_ae_title} | evidence.route.archive_ae_titles | evidence.route.calling_ae_titles
    return record.is_from_archive_log or record.calling_ae_title in titles


def select_conclusive_records(evidence: Evidence, sending_records: Iterable[MoveRecord]) -> list[MoveRecord]:
    """Return those of *sending_records* that show the route.

    *sending_records* are the records of this run with something sent.
    """
    return [record for record in sending_records if not _explain_inconclusive(evidence, record)]


def _explain_inconclusive(evidence: Evidence, record: MoveRecord) -> str:
    """Return why *record*, with which something was sent, does not show the route; "" where it does."""
    if record.is_from_archive_log and record.forwarded_count is None and evidence.received is None:
        return "the archive only relays this answer of the external archive (--receive shows what arrives)"
    if _has_other_destination(evidence, record):
        return "called by the archive's own title, it may be another retrieve of the archive"
    if may_count_local_instances(evidence, record):
        return "called by the archive's own title, it counts local instances as well"
    return "" if record.destination_ae_title else "the log does not show the Move Destination"


def _has_other_destination(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether *record* is of the archive itself, with another Move Destination than the configured ones."""
    return (
        may_count_local_instances(evidence, record)
        and bool(record.destination_ae_title)
        and record.destination_ae_title
        not in evidence.route.get_destinations_for(record.called_ae_title, evidence.request.destination_ae_title)
    )


def weigh_move_records(
    evidence: Evidence,
    findings: RouteReasons,
    sending_records: list[MoveRecord],
    *,
    not_local_count: int,
    delivered: bool,
) -> None:
    """Weigh the record: *sending_records* are the entries of this run with which something was sent.

    *not_local_count* counts the instances without a file before the move, according to the archive's database.
    """
    if evidence.move_records is None:
        findings.remarks.append("the external archive's own record was not read")
        return
    records_of_run = select_records_of_run(evidence)
    for record in records_of_run:
        if not _has_other_destination(evidence, record):
            _weigh_destination(evidence, findings, record)
    for record in sending_records:
        _weigh_sent(evidence, findings, record)
    without_caller = [record for record in evidence.move_records if record.study_uid and not _names_caller(record)]
    without_study = [
        record
        for record in evidence.move_records
        if not record.study_uid and (not _names_caller(record) or _may_be_from_this_run(evidence, record))
    ]
    is_excluded = not records_of_run and not without_caller and not any(map(_may_have_sent, without_study))
    if not sending_records and records_of_run:
        findings.remarks.append(_describe_nothing_sent(evidence, records_of_run[-1]))
    elif evidence.log_is_unchanged:
        findings.remarks.append(
            "nothing was written to the external archive's log since the C-MOVE was sent: nobody asked that archive, "
            "or the file is a copy or another AE's log"
        )
    elif is_excluded and delivered and not_local_count and evidence.outcome.status is not None:
        # Without its answer it may still be at it.
        findings.contradictions.append(
            f"{_describe_missing_move(evidence)}, although before it {format_instance_count(not_local_count)} had "
            "to come from elsewhere"
        )
    elif is_excluded and not without_study:
        findings.remarks.append(_describe_missing_move(evidence))
    findings.remarks += [f"{_OWN_RECORD} has a C-MOVE of this study whose caller the log does not name"] * bool(
        without_caller
    )
    findings.remarks += map(_describe_unidentified_move, without_study)
    _note_other_callers(evidence, findings)


def _names_caller(record: MoveRecord) -> bool:
    return record.is_from_archive_log or bool(record.calling_ae_title)


def _may_have_sent(record: MoveRecord) -> bool:
    """Return whether *record*, of an unknown study, may have sent anything."""
    return record.status is None or record.completed is None or record.completed > 0


def _note_other_callers(evidence: Evidence, findings: RouteReasons) -> None:
    study_records = [record for record in evidence.move_records or () if record.study_uid and _names_caller(record)]
    other_callers = {record.calling_ae_title for record in study_records if not _may_be_from_this_run(evidence, record)}
    if other_callers:
        titles = ", ".join(sorted(other_callers))
        findings.remarks.append(f"others moved the study from the external archive meanwhile: {titles}")


def _weigh_sent(evidence: Evidence, findings: RouteReasons, record: MoveRecord) -> None:
    """Weigh a record of a C-MOVE with which something was sent."""
    if record.is_from_archive_log:
        description = _describe_archive_move(evidence, record)
    else:
        count = "how many it does not say" if record.completed is None else _describe_completed(record)
        destination = f" to {record.destination_ae_title}" if record.destination_ae_title else ""
        description = f"{_OWN_RECORD}: {_describe_caller(record)} to send{destination}, {count}"
    if objection := _explain_inconclusive(evidence, record):
        findings.remarks.append(f"{description}; {objection}")
    else:
        findings.supporting.append(description)


def may_count_local_instances(evidence: Evidence, record: MoveRecord) -> bool:
    """Return whether *record* may count instances that the archive had itself.

    For a study that is partly local the archive asks for the whole study, under its own AE title and not under that of
    the requester (``CommonCMoveSCP``). The archive's own log tells them apart.
    """
    return not record.is_from_archive_log and record.calling_ae_title not in ("", evidence.request.calling_ae_title)


def count_shown_instances(evidence: Evidence, sending_records: Iterable[MoveRecord]) -> int:
    """Return how many instances came from the external archive and were forwarded, according to *sending_records*."""
    conclusive_records = select_conclusive_records(evidence, sending_records)
    if any(record.completed is None and record.forwarded_count is None for record in conclusive_records):
        return len(evidence.instances_before)
    return sum(
        record.completed or 0 if record.forwarded_count is None else record.forwarded_count
        for record in conclusive_records
    )


def _describe_missing_move(evidence: Evidence) -> str:
    if evidence.log_is_from_archive:
        return "per the archive's log, the archive asked no other AE for this study in this run"
    return f"{_OWN_RECORD} shows no C-MOVE of this study in this run"


def _describe_nothing_sent(evidence: Evidence, record: MoveRecord) -> str:
    """Return what the log shows of a C-MOVE of this run with which nothing is known to have been sent."""
    if record.is_from_archive_log:
        return _describe_archive_move(evidence, record)
    if record.status is None and not record.failure:
        return "the external archive was asked, and its log shows no final response"
    if record.reported_completed:
        nothing = (
            f"it counted {record.reported_completed} completed, but its log shows no C-STORE for it that "
            "stored any of them"
        )
    elif record.completed is None and record.status is not None and not _is_failure(record.status):
        nothing = "its log gives no count of this study's instances"
    else:
        return f"the external archive was asked and answered {_describe_response(record)}, nothing completed"
    return f"the external archive was asked and answered {_describe_response(record)}; {nothing}"


def _is_failure(status: int) -> bool:
    """Return whether *status* is neither success, a warning nor a cancel (PS3.4 Table C.4-2)."""
    return status not in (SUCCESS, CANCELLED) and status not in WARNING_RANGE


def _describe_archive_move(evidence: Evidence, record: MoveRecord) -> str:
    """Return what the archive's log says of the C-MOVE that the archive sent."""
    description = (
        f"per the archive's log, {record.calling_ae_title} asked {record.called_ae_title} to send to "
        f"{record.destination_ae_title}: "
    )
    description += "no final response" if record.status is None else f"{record.status:04X}"
    if record.failure:
        description += f" ({record.failure})"
    if record.completed is not None:
        description += f", {record.completed} completed"
    if record.forwarded_count is None:
        return description
    forwarded = f"{record.forwarded_count} of them" if record.forwarded_count else "none of them"
    return f"{description}; the archive forwarded {forwarded} to {evidence.request.destination_ae_title}"


def _describe_caller(record: MoveRecord) -> str:
    return f"{record.calling_ae_title or 'a caller that the log does not name'} asked it"


def _describe_completed(record: MoveRecord) -> str:
    """Return how many instances are completed, and how many the final response counts where that is more."""
    more = (
        f" of the {record.reported_completed} that it counted, per the C-STOREs in the log"
        if record.reported_completed
        else ""
    )
    return f"{record.completed} completed{more}"


def _describe_unidentified_move(record: MoveRecord) -> str:
    """Return what the log shows of a C-MOVE of which it does not show the study."""
    request = f"{_OWN_RECORD}: {_describe_caller(record)} to send something"
    destination = f" to {record.destination_ae_title}" if record.destination_ae_title else ""
    results = ["" if record.status is None else f"{record.status:04X}"]
    results += [f"failed ({record.failure})" if record.failure else ""]
    results += ["" if record.status is None or record.completed is None else _describe_completed(record)]
    result = ", ".join(each for each in results if each) or "the log does not show the result"
    return f"{request}{destination}: {result}" + (
        f"; {record.missing_study_reason}" if record.missing_study_reason else ""
    )


def _weigh_destination(evidence: Evidence, findings: RouteReasons, record: MoveRecord) -> None:
    route = evidence.route
    configured = route.get_destinations_for(record.called_ae_title, evidence.request.destination_ae_title)
    if not record.destination_ae_title or record.destination_ae_title in configured:
        return
    request = f"the external archive was asked to send to {record.destination_ae_title}, although the tree"
    if route.external_retrieve_destination is None:
        findings.contradictions.append(f"{request} sets no dcmExternalRetrieveAEDestination")
    elif route.external_retrieve_destination in configured:
        setting = (
            f"sets dcmExternalRetrieveAEDestination {route.external_retrieve_destination} on {route.destination_source}"
        )
        findings.contradictions.append(f"{request} {setting}")
    else:
        findings.contradictions.append(
            f"{request} has {record.called_ae_title} asked to send to {' or '.join(sorted(configured))}"
        )


def _describe_response(record: MoveRecord) -> str:
    if record.failure:
        return f"with a failure ({record.failure})"
    return "" if record.status is None else f"{record.status:04X}"


def weigh_actual_path(evidence: Evidence, findings: RouteReasons) -> None:
    """Weigh which way the instances took that were delivered without a file here: back to the archive, or past it.

    With the route back, each of them must have a file here afterwards. With the route past the archive, none may; and
    only our own receiver sees them, because the archive relays the external archive's answer unchecked.
    """
    not_local_count = locate_files_before_move(evidence).not_local_count
    if not not_local_count:
        return
    recalled_count, destination = count_recalled(evidence), evidence.request.destination_ae_title
    if not has_complete_database_evidence(evidence):
        findings.weak_objections.append(
            "where the files are after the move is not known, so neither is the way that the instances took"
        )
        return
    match _leads_back_to_archive(evidence):
        case True if recalled_count < not_local_count:
            findings.strong_objections.append(
                f"after the move, the archive has no file of {format_instance_count(not_local_count - recalled_count)} "
                "of these, "
                "although the tree has "
                f"them sent to {evidence.route.external_retrieve_destination or 'the archive'}"
            )
        case False if recalled_count:
            findings.contradictions.append(
                f"after the move, {format_instance_count(recalled_count)} {'is' if recalled_count == 1 else 'are'} in "
                "the archive's own "
                "storage, "
                f"although the tree has the external archive send straight to {destination}"
            )
        case False if evidence.received is None:
            findings.weak_objections.append(
                f"the archive relays the external archive's answer, and nobody saw what arrived at {destination} "
                "(--receive does)"
            )
        case False if callers := _get_callers(evidence) & (
            evidence.route.archive_ae_titles | evidence.route.sending_ae_titles
        ):
            findings.weak_objections.append(
                f"{', '.join(sorted(callers))} called the receiver, although the tree has the external archive send "
                f"straight to {destination}"
            )
        case False if unexpected_callers := _get_callers(evidence) - set(find_recorded_archives(evidence)):
            findings.weak_objections.append(
                f"{', '.join(sorted(unexpected_callers))} called the receiver, which the archive's database does not "
                "record as "
                "the external archive"
            )
        case True if (
            unexpected_callers := _get_callers(evidence)
            - evidence.route.archive_ae_titles
            - evidence.route.sending_ae_titles
        ):
            findings.weak_objections.append(
                f"{', '.join(sorted(unexpected_callers))} called the receiver, although the tree has the archive "
                "forward the "
                "instances"
            )
        case None if recalled_count < not_local_count and evidence.received is None:
            findings.weak_objections.append(
                "the tree has several ways for it, and nobody saw which of them the instances took (--receive does)"
            )


def _leads_back_to_archive(evidence: Evidence) -> bool | None:
    """Return whether each way that the tree has for the study leads back to the archive, or none; None for some."""
    route, requested = evidence.route, evidence.request.destination_ae_title
    if requested in route.archive_ae_titles:
        return None
    listed = {title for instance in evidence.instances_before for title in instance.retrieve_ae_titles}
    holders = {title for title in find_recorded_archives(evidence) if title} or listed - route.archive_ae_titles
    destinations = {each for title in holders or {""} for each in route.get_destinations_for(title, requested)}
    archive_destinations = destinations & route.archive_ae_titles
    return None if archive_destinations and archive_destinations != destinations else bool(archive_destinations)


def _get_callers(evidence: Evidence) -> frozenset[str]:
    """Return the AE titles that called the receiver, as they gave them."""
    return frozenset(each.calling_ae_title for each in evidence.received or () if each.calling_ae_title)


_REFUSED_BEFORE_LOOKUP = (
    "the archive refuses such a destination before it looks for the study: it asked nobody, and sent nothing"
)


def judge_route(evidence: Evidence, *, delivered: bool) -> RouteAssessment:
    """Return whether the instances came from the external archive by the way that the tree configures.

    ``delivered`` says whether our receiver saw the instances, or, where none listened, the archive reported success.

    *Shown* requires one of two sources: the archive's database, which had no file of the instances before the move
    and the right ones after it; or the external archive's own record. Instance Availability alone is not enough
    (``file_evidence.py``). *Not tried*: the archive had all files itself. *Contradicted*: pieces of evidence exclude
    each other, or the record shows another way than the configured one. The caller of the receiver proves nothing by
    itself: it gives any AE title it likes.
    """
    if is_refused_by_archive(evidence):
        return RouteAssessment(
            RouteFinding.NOT_SHOWN, _explain_missing_path(evidence), reasons=(_REFUSED_BEFORE_LOOKUP,)
        )
    findings = RouteReasons()
    sending_records = [record for record in select_records_of_run(evidence) if record.has_sent]
    conclusive_records = select_conclusive_records(evidence, sending_records)
    recorded_count = count_shown_instances(evidence, conclusive_records)
    files = locate_files_before_move(evidence)
    weigh_move_records(evidence, findings, sending_records, not_local_count=files.not_local_count, delivered=delivered)
    weigh_files(evidence, findings, files, delivered=delivered)
    _weigh_callers(evidence, findings)
    if delivered:
        weigh_actual_path(evidence, findings)
    shown_count = files.not_local_count if files.is_from_database and files.not_local_count else recorded_count
    if evidence.expected_count is not None:
        shown_count = min(shown_count, evidence.expected_count)
    match findings:
        case RouteReasons(contradictions=[_, *_]):
            finding, reasons, shown_count = RouteFinding.CONTRADICTED, findings.contradictions, 0
        case _ if files.locality is FileLocality.LOCAL:
            finding, reasons, shown_count = RouteFinding.NOT_TRIED, findings.supporting, 0
        case RouteReasons(supporting=[_, *_], strong_objections=[]) if delivered and (
            conclusive_records or not findings.weak_objections
        ):
            finding, reasons = RouteFinding.SHOWN, findings.supporting
        case _:
            finding, reasons, shown_count = RouteFinding.NOT_SHOWN, findings.supporting, 0
    objections = (*findings.strong_objections, *findings.weak_objections)
    return RouteAssessment(finding, _describe_path(evidence), shown_count, (*reasons, *objections, *findings.remarks))


def _explain_missing_path(evidence: Evidence) -> str:
    """Return why no way was gone: the archive does not know the destination, or does not take it."""
    destination, route = evidence.request.destination_ae_title, evidence.route
    if evidence.outcome.status == MOVE_DESTINATION_NOT_ALLOWED:
        return f"none: {evidence.request.archive.ae_title} does not take {destination} (dcmAcceptedMoveDestination)"
    if route.move_destination_known:
        return f"none that the archive knows: it does not know {destination}, although the tree has it"
    if destination in route.ae_titles:
        return f"none: the AE {destination} is not installed"
    suggestion = f"; spelt almost like it: {', '.join(route.similar_ae_titles)}" if route.similar_ae_titles else ""
    return f"none: the tree has no AE {destination}{suggestion}"


def _describe_path(evidence: Evidence) -> str:
    request, route = evidence.request, evidence.route
    if evidence.database.before is not None and not evidence.database.before.is_known and route.fallback_move_scp:
        forwarding = f" → {route.fallback_destination}" if route.fallback_destination else ""
        return (
            f"fallback archive {route.fallback_move_scp}{forwarding} → {request.destination_ae_title} "
            "(dcmFallbackCMoveSCP)"
        )
    if route.external_retrieve_destination is None:
        return f"external archive → {request.destination_ae_title} (dcmExternalRetrieveAEDestination is not set)"
    if route.misrouting_reason:
        return (
            f"external archive → {route.external_retrieve_destination}, and not to "
            f"{request.destination_ae_title}: {route.misrouting_reason}"
        )
    return (
        f"external archive → {route.external_retrieve_destination} → {request.destination_ae_title} "
        f"(dcmExternalRetrieveAEDestination on {route.destination_source})"
    )


def _weigh_callers(evidence: Evidence, findings: RouteReasons) -> None:
    """Weigh who called the receiver: only against the configured way, with a second sign of who it is."""
    callers = {instance.calling_ae_title for instance in evidence.received or () if instance.calling_ae_title}
    if not callers:
        return
    findings.remarks.append(f"the receiver was called by {', '.join(sorted(callers))} (as reported by the caller)")
    external = {record.called_ae_title for record in select_records_of_run(evidence)}
    external |= {title for instance in evidence.instances_before for title in instance.retrieve_ae_titles}
    requested = evidence.request.destination_ae_title
    direct = sorted(
        title
        for title in (callers & external) - evidence.route.archive_ae_titles
        if requested not in evidence.route.get_destinations_for(title, requested)
    )
    if direct and evidence.route.external_retrieve_destination is not None:
        findings.contradictions.append(
            f"{', '.join(direct)} called the receiver directly, although the tree sets "
            f"dcmExternalRetrieveAEDestination {evidence.route.external_retrieve_destination} on "
            f"{evidence.route.destination_source}"
        )
